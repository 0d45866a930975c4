import { errorKinds } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import { Histogram, powersOfTwo } from '@sluice/telemetry/histogram';
import type { RouteTable, VersionTarget } from './route/table.ts';

/** How inferences end: answered, or with an error of that kind. */
export const outcomes = ['ok', ...errorKinds] as const;

/** Of durations, in microseconds: from 16 µs to 134 s. */
export const durationBuckets = powersOfTwo(4, 27);

/** What this router has counted of one placed version, in slots that are allocated with it. */
export class RouteStats {
  readonly version: Pick<VersionTarget, 'model' | 'text'>;
  /** Of inferences that were answered, from their arrival, in microseconds. */
  readonly answered = new Histogram(durationBuckets);
  readonly #byOutcome = new Float64Array(outcomes.length);
  #retries = 0;

  constructor(version: Pick<VersionTarget, 'model' | 'text'>) {
    this.version = version;
  }

  /** Counts an inference that ended. @param error why it was not answered, if it was not */
  ended(error: ErrorKind | undefined, tookMs: number): void {
    if (error !== undefined) {
      this.#byOutcome[outcomes.indexOf(error)]! += 1;
      return;
    }
    this.#byOutcome[0]! += 1;
    this.answered.record(tookMs * 1000);
  }

  /** Counts an attempt after which the inference was to go to another runtime. */
  retried(): void {
    this.#retries += 1;
  }

  get retries(): number {
    return this.#retries;
  }

  /** How many ended in each way. Answers always, others once they were seen: most never are. */
  counts(): { readonly outcome: string; readonly count: number }[] {
    const all = outcomes.map((outcome, index) => ({ outcome, count: this.#byOutcome[index]! }));
    return all.filter(({ outcome, count }) => outcome === 'ok' || count > 0);
  }
}

/** The counts of the versions that the routes in force have; those of a version that is not placed any more go. */
export class PlacedStats {
  readonly #table: () => RouteTable | undefined;
  readonly #byKey = new Map<string, RouteStats>();
  #of: RouteTable | undefined;

  constructor(table: () => RouteTable | undefined) {
    this.#table = table;
  }

  /** Of a version; undefined when it is not placed, or not any more, so that what ends late makes no series anew. */
  of(version: VersionTarget): RouteStats | undefined {
    const known = this.#byKey.get(version.key);
    if (known || this.#of === this.#table()) return known;
    this.all();
    return this.#byKey.get(version.key);
  }

  /** Of every version that is placed now, also those that had no request yet. */
  all(): Iterable<RouteStats> {
    const table = this.#table();
    if (table === this.#of) return this.#byKey.values();
    this.#of = table;
    const placed = new Set<string>();
    for (const model of table?.models.values() ?? []) {
      for (const version of model.placed.values()) {
        placed.add(version.key);
        if (!this.#byKey.has(version.key)) this.#byKey.set(version.key, new RouteStats(version));
      }
    }
    for (const key of this.#byKey.keys()) if (!placed.has(key)) this.#byKey.delete(key);
    return this.#byKey.values();
  }
}
