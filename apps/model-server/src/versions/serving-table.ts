import { invalidArgument, notFound, unavailable, type SluiceError } from '@sluice/domain/errors';
import { clip, parseVersionRef } from '@sluice/domain/names';
import type { SequenceId, SequenceMark } from '@sluice/inference/sequence';
import type { Engine } from '../serving/engine.ts';
import type { Assignment } from './assignment.ts';
import { SequenceTable } from './sequence-table.ts';
import type { VersionState } from './version-state.ts';

/** What the table needs of a version. */
export interface TableVersion {
  readonly assignment: Assignment;
  readonly state: VersionState;
  readonly reason: string;
  readonly engine: Engine | undefined;
  /** Where its sequences live, also while it gives way or drains. */
  readonly live: Engine | undefined;
  /** Not ready, and requests wait until it is. */
  readonly onDemand: boolean;
}

interface ModelEntry {
  /** By number and by alias, as callers write them; '' is where no version leads. */
  readonly byRef: ReadonlyMap<string, TableVersion>;
  readonly versions: readonly TableVersion[];
}

/** Who answers what, as of one moment. Made anew at every change, so that no request sees half of one. */
export class ServingTable {
  readonly #models: ReadonlyMap<string, ModelEntry>;
  readonly #sequences: SequenceTable;

  /** @param leaving versions that were withdrawn: they still serve the sequences that live on them */
  constructor(versions: readonly TableVersion[], leaving: readonly TableVersion[] = []) {
    this.#sequences = new SequenceTable([...versions, ...leaving]);
    const models = new Map<string, TableVersion[]>();
    for (const version of versions) {
      if (version.state === 'draining' || version.state === 'unloaded') continue;
      const list = models.get(version.assignment.model);
      if (list) list.push(version);
      else models.set(version.assignment.model, [version]);
    }
    this.#models = new Map([...models].map(([model, list]) => [model, entryOf(list)]));
  }

  /**
   * The engine for a request.
   * @param ref a number, an alias, or '' for champion, else the highest number that is loaded, else the highest that a request loads
   * @throws SluiceError invalid-argument for what is no name, not-found or unavailable that says what there is
   */
  engine(model: string, ref: string): Engine {
    const found = this.#models.get(model)?.byRef.get(ref);
    if (found?.engine) return found.engine;
    throw this.whyNot(model, ref);
  }

  /**
   * The engine for a request that may belong to a sequence: a sequence stays on the version of its start, wherever its name
   * leads now; a start goes where it leads. Undefined where nothing is ready.
   */
  engineFor(model: string, ref: string, sequence: SequenceMark | undefined): Engine | undefined {
    const named = this.find(model, ref)?.engine;
    return (sequence && this.#sequences.engine(model, ref, sequence, named)) ?? named;
  }

  /**
   * The version on which a sequence lives.
   * @param version 0 for any
   */
  locate(model: string, id: SequenceId, version: number): number | undefined {
    const ref = version === 0 ? '' : String(version);
    return this.#sequences.locate(model, ref, id, this.find(model, ref)?.engine)?.assignment.version;
  }

  /** A version whatever its state; undefined when there is none. */
  find(model: string, ref: string): TableVersion | undefined {
    return this.#models.get(model)?.byRef.get(ref);
  }

  /** @throws SluiceError not-found for an unknown model or version */
  get(model: string, ref: string): TableVersion {
    const found = this.find(model, ref);
    if (found) return found;
    throw this.whyNot(model, ref);
  }

  /** The versions of a model by number. */
  versions(model: string): readonly TableVersion[] {
    return this.#models.get(model)?.versions ?? [];
  }

  /** A version that is loaded, or is when somebody asks for it. @throws SluiceError as `engine` */
  described(model: string, ref: string): TableVersion {
    const found = this.find(model, ref);
    if (found?.engine || found?.onDemand) return found;
    throw this.whyNot(model, ref);
  }

  /** Why nothing answers for a version now. */
  whyNot(model: string, ref: string): SluiceError {
    if (model === '') return invalidArgument('model_name: expected the name of a model, got nothing');
    parseVersionRef(ref);
    const entry = this.#models.get(model);
    if (!entry) return notFound(`Request for unknown model: '${clip(model)}' is not found on this runtime`);
    const found = entry.byRef.get(ref);
    const there = entry.versions.map((version) => version.assignment.version).join(', ');
    if (!found && ref === '') return unavailable(`${model} has no version that is loaded; placed here: ${there}`);
    if (!found)
      return notFound(
        `Request for unknown model: '${clip(model)}' version '${clip(ref)}' is not found on this runtime; placed here: ${there}`,
      );
    const name = `${model} version ${found.assignment.version}`;
    if (found.state === 'failed') return unavailable(`${name} is not loaded: ${found.reason}`);
    return unavailable(`${name} is not loaded yet: it is ${found.state}`, { retryAfterMs: 200 });
  }
}

function entryOf(list: readonly TableVersion[]): ModelEntry {
  const versions = [...list].sort((a, b) => a.assignment.version - b.assignment.version);
  const byRef = new Map<string, TableVersion>();
  for (const version of versions) {
    byRef.set(String(version.assignment.version), version);
    for (const alias of version.assignment.aliases) byRef.set(alias, version);
  }
  const implied =
    versions.find((version) => version.assignment.champion) ??
    versions.findLast((version) => version.engine) ??
    versions.findLast((version) => version.onDemand);
  if (implied) byRef.set('', implied);
  return { byRef, versions };
}
