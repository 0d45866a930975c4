import type { SequenceId, SequenceMark } from '@sluice/inference/sequence';
import type { Engine } from '../serving/engine.ts';
import type { Assignment } from './assignment.ts';

/** What this table needs of a version. */
interface SequenceVersion {
  readonly assignment: Pick<Assignment, 'model' | 'version' | 'serving'>;
  /** Also of one on its way out. */
  readonly live: Engine | undefined;
}

/** Which version a sequence lives on: among those that are placed, give way or drain. */
export class SequenceTable {
  /** By model, versions that serve sequences: of two with one number the one that was placed later comes first. */
  readonly #versions = new Map<string, SequenceVersion[]>();

  /** @param versions those that are placed before those that leave */
  constructor(versions: readonly SequenceVersion[]) {
    for (const version of versions) {
      const { model, serving } = version.assignment;
      if (!serving.sequenceBatching) continue;
      const list = this.#versions.get(model);
      if (list) list.push(version);
      else this.#versions.set(model, [version]);
    }
  }

  /**
   * The engine that a request of a sequence must go to; undefined for where its name leads.
   * @param ref as callers write it: a number means that version and no other
   * @param named the engine that the name leads to, if any
   */
  engine(model: string, ref: string, { id, start }: SequenceMark, named: Engine | undefined): Engine | undefined {
    if (!start) return this.locate(model, ref, id, named)?.live;
    // From now on it lives where the name leads, and only there.
    for (const { live } of this.#meant(model, ref)) if (live !== named) live?.sequences?.end(id);
    return undefined;
  }

  /** The version on which a sequence lives: that of `named`, if it does there. */
  locate(model: string, ref: string, id: SequenceId, named: Engine | undefined): SequenceVersion | undefined {
    const living = this.#meant(model, ref).filter(({ live }) => live?.sequences?.lives(id));
    return living.find(({ live }) => live === named) ?? living[0];
  }

  #meant(model: string, ref: string): readonly SequenceVersion[] {
    const all = this.#versions.get(model) ?? [];
    return /^\d/.test(ref) ? all.filter(({ assignment }) => String(assignment.version) === ref) : all;
  }
}
