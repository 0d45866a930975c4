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
  /** When it was asked, in turns. */
  readonly asked: number;
}

/**
 * Processes whose link is gone, or has another process behind it, that are still remembered one by one: what one of them
 * said may be under way, and a runtime that the registry drops may come back as itself. The others are one sum, so that a
 * call has little to add up however many there were.
 */
const keptProcesses = 16;

/**
 * What all runtimes have done, summed. Counts never go back: what a process that has ended was last seen with stays in
 * the sum, and a runtime that does not answer counts with what it said last. What a process did after it was last asked
 * is lost with it, and this router knows nothing of what was before its own start but what the runtimes that live tell.
 */
export class FleetStatistics<Link> {
  readonly #ask: (link: Link, scope: StatisticsScope) => Promise<RuntimeCounts>;
  /** By process, the one that answered last at the end; then by version. */
  readonly #processes = new Map<string, Map<string, Seen>>();
  /** Of processes that are remembered no longer, and of versions that a process had withdrawn so long ago that it forgot. */
  readonly #past = new Map<string, VersionCounts>();
  /** The process behind each link that answered last, and when that was asked. */
  readonly #behind = new Map<Link, { readonly epoch: string; readonly asked: number }>();
  #turn = 0;

  /** @param ask rejects when the runtime does not answer in time */
  constructor(ask: (link: Link, scope: StatisticsScope) => Promise<RuntimeCounts>) {
    this.#ask = ask;
  }

  /** How many processes are remembered one by one. */
  get processes(): number {
    return this.#processes.size;
  }

  /**
   * Asks all runtimes at once; resolves when each has answered or was given up.
   * @param known all links, also those that need not be asked now: the processes behind them may come back
   */
  async collect(links: readonly Link[], scope: StatisticsScope, known: readonly Link[] = links): Promise<void> {
    const asked = ++this.#turn;
    const one = async (link: Link): Promise<void> => {
      try {
        const answer = await this.#ask(link, scope);
        this.#take(answer, asked);
        if (asked > (this.#behind.get(link)?.asked ?? 0)) this.#behind.set(link, { epoch: answer.epoch, asked });
      } catch {
        // It counts with what it said last.
      }
    };
    await Promise.all(links.map(one));
    this.#foldProcesses(new Set(known));
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
      // Of two answers that were under way at once the older may come last.
      if (before && asked <= before.asked) continue;
      if (before && haveStartedAnew(before.counts, counts)) this.#keep(key, before.counts);
      seen.set(key, { counts, asked });
    }
  }

  #keep(key: string, counts: VersionCounts): void {
    this.#past.set(key, sumOf(counts, [this.#past.get(key) ?? [], counts].flat()));
  }

  #foldProcesses(known: ReadonlySet<Link>): void {
    for (const link of this.#behind.keys()) if (!known.has(link)) this.#behind.delete(link);
    const present = new Set([...this.#behind.values()].map(({ epoch }) => epoch));
    const gone = [...this.#processes.keys()].filter((epoch) => !present.has(epoch));
    for (const epoch of gone.slice(0, -keptProcesses)) {
      for (const [key, { counts }] of this.#processes.get(epoch)!) this.#keep(key, counts);
      this.#processes.delete(epoch);
    }
  }
}
