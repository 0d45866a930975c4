import { errorKinds } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import { Histogram, powersOfTwo } from '@sluice/telemetry/histogram';
import type { ArmRoute } from './route/release-route.ts';
import type { RouteTable, VersionTarget } from './route/table.ts';

/** How inferences end: answered, or with an error of that kind. */
export const outcomes = ['ok', ...errorKinds] as const;

/** Of durations, in microseconds: from 16 µs to 134 s. */
export const durationBuckets = powersOfTwo(4, 27);

/** How inferences of one arm ended, by their place in `outcomes`. */
export class ArmStats {
  readonly name: string;
  readonly role: ArmRoute['role'];
  readonly #byOutcome = new Float64Array(outcomes.length);
  #fallbacks = 0;

  constructor({ name, role }: Pick<ArmRoute, 'name' | 'role'>) {
    this.name = name;
    this.role = role;
  }

  /** Inferences that it was assigned and did not answer, so that the primary was asked. */
  get fallbacks(): number {
    return this.#fallbacks;
  }

  ended(error: ErrorKind | undefined): void {
    this.#byOutcome[placeOf(error)]! += 1;
  }

  fellBack(error: ErrorKind): void {
    this.ended(error);
    this.#fallbacks += 1;
  }

  /** As `RouteStats.counts`. */
  counts(): readonly OutcomeCount[] {
    return counted(this.#byOutcome);
  }
}

export interface OutcomeCount {
  readonly outcome: string;
  readonly count: number;
}

const placeOf = (error: ErrorKind | undefined): number => (error === undefined ? 0 : outcomes.indexOf(error));

/** Answers always, others once they were seen: most never are. */
function counted(byOutcome: Float64Array): readonly OutcomeCount[] {
  const all = outcomes.map((outcome, index) => ({ outcome, count: byOutcome[index]! }));
  return all.filter(({ outcome, count }) => outcome === 'ok' || count > 0);
}

/** What this router has counted of one version, in slots that are allocated with it. */
export class RouteStats {
  readonly version: Pick<VersionTarget, 'model' | 'text'>;
  /** Of inferences that were answered, from their arrival, in microseconds. */
  readonly answered = new Histogram(durationBuckets);
  readonly #byOutcome = new Float64Array(outcomes.length);
  #retries = 0;
  /** A version has few arms: those of one release, and mostly one. */
  #arms: readonly ArmStats[] = [];

  constructor(version: Pick<VersionTarget, 'model' | 'text'>) {
    this.version = version;
  }

  /** Counts an inference that ended. @param error why it was not answered, if it was not */
  ended(error: ErrorKind | undefined, tookMs: number): void {
    this.#byOutcome[placeOf(error)]! += 1;
    if (error === undefined) this.answered.record(tookMs * 1000);
  }

  /** Its counts as an arm of its model's release; undefined when that does not have the arm. */
  of({ name, role }: Pick<ArmRoute, 'name' | 'role'>): ArmStats | undefined {
    for (const known of this.#arms) if (known.name === name && known.role === role) return known;
    return undefined;
  }

  get arms(): readonly ArmStats[] {
    return this.#arms;
  }

  /** Goes on with the counts of these arms, and begins those of new ones; those of others go. */
  setArms(arms: readonly Pick<ArmRoute, 'name' | 'role'>[]): void {
    this.#arms = arms.map((arm) => this.of(arm) ?? new ArmStats(arm));
  }

  /** Counts an attempt after which the inference was to go to another runtime. */
  retried(): void {
    this.#retries += 1;
  }

  get retries(): number {
    return this.#retries;
  }

  /** How many ended in each way. */
  counts(): readonly OutcomeCount[] {
    return counted(this.#byOutcome);
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

  /** Of an arm; undefined as with a version. */
  ofArm(version: VersionTarget, arm: ArmRoute): ArmStats | undefined {
    const known = this.of(version)?.of(arm);
    if (known) return known;
    // It may be new.
    this.all();
    return this.of(version)?.of(arm);
  }

  /** A request for a version that is not placed: only what the registry knows has counts, whatever callers name. */
  #firstOf(version: VersionTarget): RouteStats | undefined {
    if (version.placed || !exists(this.#of, version.model, version.number)) return undefined;
    const made = new RouteStats(version);
    made.setArms(armsOf(this.#of, version));
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
    for (const stats of this.#byKey.values()) stats.setArms(armsOf(table, stats.version));
    this.#placed = placed;
    return this.#byKey.values();
  }
}

/** Names of arms come from whoever makes releases: those of the release in force have counts, so that they do not pile up. */
const armsOf = (table: RouteTable | undefined, { model, text }: Pick<VersionTarget, 'model' | 'text'>) =>
  table?.models.get(model)?.release?.arms.filter(({ version }) => String(version) === text) ?? [];

const exists = (table: RouteTable | undefined, model: string, number: number): boolean =>
  table?.models.get(model)?.unplaced.has(number) === true;
