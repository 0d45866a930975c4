import type { Engine, EngineOptions } from './engine.ts';
import { SequenceEngine } from './sequences/sequence-engine.ts';
import { VersionEngine } from './version-engine.ts';

/**
 * The engine of a version: one of sequences where it has settings for them. `knownOutputs` are by output of the graph, so
 * those of states come after those that clients get.
 */
export function makeEngine(options: EngineOptions): Engine {
  const { sequenceBatching: sequences } = options.serving;
  return sequences ? new SequenceEngine({ ...options, sequences }) : new VersionEngine(options);
}
