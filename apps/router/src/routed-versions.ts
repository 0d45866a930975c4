import { errorKinds } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import { Histogram, powersOfTwo } from '@sluice/telemetry/histogram';
import type { RouteTable, VersionTarget } from './route/table.ts';

/** How inferences end: answered, or with an error of that kind. */
export const outcomes = ['ok', ...errorKinds] as const;

/** Of durations, in microseconds: from 16 µs to 134 s. */
export const durationBuckets = powersOfTwo(4, 27);

/** What this router has counted of one version, in slots that are allocated with it. */
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

/**
 * The counts of versions: of each that is placed, and of each other that the registry knows from its first request on. They
 * go when it is not placed any more, or not there any more.
 */
export class RoutedVersions {
  readonly #table: () => RouteTable | undefined;
  readonly #byKey = new Map<string, RouteStats>();
  #placed: ReadonlySet<string> = new Set();
  #of: RouteTable | undefined;

  constructor(table: () => RouteTable | undefined) {
    this.#table = table;
  }

  /** Of a version; undefined when it went meanwhile, so that what ends late makes no series anew. */
  of(version: VersionTarget): RouteStats | undefined {
    const known = this.#byKey.get(version.key);
    if (known) return known;
    this.all();
    return this.#byKey.get(version.key) ?? this.#firstOf(version);
  }

  /** A request for a version that is not placed: only what the registry knows has counts, whatever callers name. */
  #firstOf(version: VersionTarget): RouteStats | undefined {
    if (version.placed || !exists(this.#of, version.model, version.number)) return undefined;
    const made = new RouteStats(version);
    this.#byKey.set(version.key, made);
    return made;
  }

  /** Of every version that is placed now, also those that had no request yet, and of others that had some. */
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
    for (const [key, { version }] of this.#byKey) {
      if (placed.has(key)) continue;
      if (this.#placed.has(key) || !exists(table, version.model, Number(version.text))) this.#byKey.delete(key);
    }
    this.#placed = placed;
    return this.#byKey.values();
  }
}

const exists = (table: RouteTable | undefined, model: string, number: number): boolean =>
  table?.models.get(model)?.unplaced.has(number) === true;
