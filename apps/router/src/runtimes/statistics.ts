import type { GRPCInferenceServiceMethods, ResponseOutput } from '@sluice/contracts/services';
import { versionKey } from '../route/table.ts';
import { haveStartedAnew, sumOf } from './sum-statistics.ts';

/** What one runtime says of one version, and what all have done together. */
export type VersionCounts = ResponseOutput<GRPCInferenceServiceMethods['modelStatistics']>['modelStats'][number];

/** Which versions are asked for: all, those of a model, or one. */
export interface StatisticsScope {
  readonly name: string;
  readonly version: string;
}

/** What a runtime answers. */
export interface RuntimeCounts {
  /** Names the runtime's process. */
  readonly epoch: string;
  readonly versions: readonly VersionCounts[];
}

/** The last that a process said of a version. */
interface Seen {
  readonly counts: VersionCounts;
  /** When it was taken, in turns. */
  readonly turn: number;
}

/** Processes that are gone are remembered one by one, since a runtime that was only out of reach comes back as itself. */
const keptProcesses = 256;

/**
 * What all runtimes have done, summed. Counts never go back: what a process that has ended was last seen with stays in
 * the sum, and a runtime that does not answer counts with what it said last. What a process did after it was last asked
 * is lost with it, and this router knows nothing of what was before its own start but what the runtimes that live tell.
 */
export class FleetStatistics<Link> {
  readonly #ask: (link: Link, scope: StatisticsScope) => Promise<RuntimeCounts>;
  /** By process, the one that answered last at the end; then by version. */
  readonly #processes = new Map<string, Map<string, Seen>>();
  /** Of processes that are forgotten, and of versions that a process unloaded and loaded again. */
  readonly #past = new Map<string, VersionCounts>();
  #turn = 0;

  /** @param ask rejects when the runtime does not answer in time */
  constructor(ask: (link: Link, scope: StatisticsScope) => Promise<RuntimeCounts>) {
    this.#ask = ask;
  }

  /** Asks all runtimes at once; resolves when each has answered or was given up. */
  async collect(links: readonly Link[], scope: StatisticsScope): Promise<void> {
    const asked = ++this.#turn;
    const one = async (link: Link): Promise<void> => {
      try {
        this.#take(await this.#ask(link, scope), asked);
      } catch {
        // It counts with what it said last.
      }
    };
    await Promise.all(links.map(one));
    this.#forgetProcesses(keptProcesses + links.length);
  }

  /** @param exists of versions: counts of those that are no more are dropped */
  retain(exists: (key: string) => boolean): void {
    for (const versions of [this.#past, ...this.#processes.values()]) {
      for (const key of versions.keys()) if (!exists(key)) versions.delete(key);
    }
  }

  /** What all runtimes have done with a version. */
  total(model: string, version: string): VersionCounts {
    const key = versionKey(model, version);
    const all = [...this.#processes.values()].flatMap((versions) => versions.get(key)?.counts ?? []);
    return sumOf({ name: model, version }, [this.#past.get(key) ?? [], all].flat());
  }

  #take({ epoch, versions }: RuntimeCounts, asked: number): void {
    const seen = this.#processes.get(epoch) ?? new Map<string, Seen>();
    this.#processes.delete(epoch);
    this.#processes.set(epoch, seen);
    for (const counts of versions) {
      const key = versionKey(counts.name, counts.version);
      const before = seen.get(key);
      if (before && haveStartedAnew(before.counts, counts)) {
        // Of two that were under way at once, the older may come last.
        if (asked <= before.turn) continue;
        this.#keep(key, before.counts);
      }
      seen.set(key, { counts, turn: ++this.#turn });
    }
  }

  #keep(key: string, counts: VersionCounts): void {
    this.#past.set(key, sumOf(counts, [this.#past.get(key) ?? [], counts].flat()));
  }

  #forgetProcesses(kept: number): void {
    for (const [epoch, versions] of this.#processes) {
      if (this.#processes.size <= kept) return;
      for (const [key, { counts }] of versions) this.#keep(key, counts);
      this.#processes.delete(epoch);
    }
  }
}
