import type { VersionStats } from '../serving/version-stats.ts';
import type { Assignment } from './assignment.ts';

type Identity = Pick<Assignment, 'model' | 'version' | 'digest'>;

/** How much is kept of versions that are not placed; the ones that were withdrawn last. */
export const retiredLimits = { versions: 1_000, bytes: 32 * 1024 * 1024 } as const;

/**
 * What versions have done that were withdrawn. One that is placed again counts on: else a router that did not ask in
 * between would take a smaller count for a larger one, and lose what was before.
 */
export class RetiredStats {
  readonly #limits: { readonly versions: number; readonly bytes: number };
  /** By model, number and digest, the one that was withdrawn last at the end. */
  readonly #kept = new Map<string, VersionStats>();
  #bytes = 0;

  constructor(limits: { readonly versions: number; readonly bytes: number } = retiredLimits) {
    this.#limits = limits;
  }

  /** Keeps what a version has counted, and still counts while it finishes requests. */
  keep(version: Identity, stats: VersionStats): void {
    this.take(version);
    this.#kept.set(keyOf(version), stats);
    this.#bytes += stats.bytes;
    for (const [key, oldest] of this.#kept) {
      if (this.#kept.size <= this.#limits.versions && this.#bytes <= this.#limits.bytes) return;
      this.#kept.delete(key);
      this.#bytes -= oldest.bytes;
    }
  }

  /** Gives back what a version had counted when it was withdrawn; it is kept no longer. */
  take(version: Identity): VersionStats | undefined {
    const key = keyOf(version);
    const stats = this.#kept.get(key);
    if (!stats) return undefined;
    this.#kept.delete(key);
    this.#bytes -= stats.bytes;
    return stats;
  }
}

const keyOf = ({ model, version, digest }: Identity): string => `${model}/${version}/${digest}`;
