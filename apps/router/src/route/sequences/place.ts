import type { SluiceError } from '@sluice/domain/errors';
import { failedPrecondition } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { SequenceId } from '@sluice/inference/sequence';
import type { RuntimeLink } from '../../runtimes/runtime-link.ts';
import type { ArmRoute } from '../release-route.ts';
import type { VersionTarget } from '../table.ts';

/** Where a sequence lives: made by its start, or found on a runtime. */
export interface Place {
  /** Its runtime; undefined when its start was sent to none. It changes only while no runtime has taken its start. */
  link: RuntimeLink | undefined;
  /** The version of its start, also when the routes do not have it any more. */
  readonly version: VersionTarget;
  /** The arm of its start; undefined when that named its version, or is not known to this router. */
  readonly arm: ArmRoute | undefined;
  /** A runtime has answered something of it, or said that it knows it. */
  isBegun: boolean;
  /** Its start waits for the version to be loaded there, or did. */
  isOnDemand: boolean;
  /** What its start replaced may still live on another runtime, which knows nothing of the start. */
  replacesOther: boolean;
  /** Its start went to another runtime, since the first did not get or did not take it. */
  hasMoved: boolean;
  /** Set when the sequence cannot go on there. */
  lost: { readonly why: string; readonly atMs: number } | undefined;
}

/** A place that nothing is known of but the version, and what is said. */
export function newPlace(version: VersionTarget, known: Partial<Place> = {}): Place {
  const unknown = { link: undefined, arm: undefined, lost: undefined };
  return { version, ...unknown, isBegun: false, isOnDemand: false, replacesOther: false, hasMoved: false, ...known };
}

/** Its runtime is gone, as far as this router can tell. */
export const goneWith = (name: string): string => `the runtime of ${name} is gone`;

/** What to call a sequence in messages. */
export function nameOf(model: string, id: SequenceId): string {
  return typeof id === 'string' ? `sequence '${clip(id)}' of ${model}` : `sequence ${id.toString()} of ${model}`;
}

/** Its caller must begin it anew. @param why ends the sentence that begins with "sequence lost: " */
export function sequenceLost(why: string): SluiceError {
  return failedPrecondition(`sequence lost: ${why}; send sequence_start again`);
}
