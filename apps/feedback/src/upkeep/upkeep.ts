import type { Clock, Timer } from '@sluice/domain/clock';
import { retentionClasses } from '@sluice/domain/release';
import type { RetentionClass } from '@sluice/domain/release';
import type { Retention } from '../evidence/days.ts';
import { daysAhead } from '../evidence/days.ts';
import type { KnownVersions, VersionName } from '../ingest/known-versions.ts';

/** The days of the table. */
export interface Days {
  ensure(days: Iterable<{ readonly retentionClass: RetentionClass; readonly day: string }>): Promise<unknown>;
  dropExpired(retentionClass: RetentionClass, days: number): Promise<string | undefined>;
  list(): Promise<string[]>;
  /** Locks that a statement over all days takes, and how many there is room for. */
  locks(): Promise<{ readonly taken: number; readonly room: number }>;
}

export interface UpkeepOptions {
  readonly days: Days;
  readonly rows: {
    unresolved(limit: number): Promise<readonly VersionName[]>;
    resolve(version: VersionName, known: boolean, limit: number): Promise<number>;
    deleteSkewed(retentionClass: RetentionClass, days: number, limit: number): Promise<number>;
  };
  readonly letters: { count(): Promise<number>; expire(days: number, limit: number): Promise<number> };
  readonly versions: Pick<KnownVersions, 'isKnown' | 'resolve'>;
  readonly retention: Retention;
  /** How long a dead letter is kept after it failed last. */
  readonly deadLetterDays: number;
  readonly clock: Clock;
  readonly everyMs: number;
  readonly onDropped: (partition: string) => void;
  readonly onExpired: (deadLetters: number) => void;
  /** Days are so many that the locks of a few statements over all of them would not find room: told once, and again when there are more by a tenth. */
  readonly onCrowded: (locks: { readonly taken: number; readonly room: number }) => void;
  readonly onError: (error: unknown, what: string) => void;
}

/** Statements over all days that may be planned at once, by all replicas: that many must find room. */
const plannedAtOnce = 3;

const mostVersionsAtOnce = 100;
const rowsAtOnce = 10_000;
/** Each may be as large as a message. */
const lettersAtOnce = 1_000;

/**
 * What has to be done from time to time, whoever does it: days are made ahead and dropped when they have expired, versions that
 * could not be asked for are flagged, old dead letters go. Each replica does all of it; the database sees to it that one does a thing at a time.
 */
export class Upkeep {
  readonly #options: UpkeepOptions;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #closed = false;
  #deadLetters = 0;
  #days: readonly string[] = [];
  /** Locks that were told of last. */
  #toldLocks = 0;

  constructor(options: UpkeepOptions) {
    this.#options = options;
  }

  /** Dead letters, as last counted. */
  get deadLetters(): number {
    return this.#deadLetters;
  }

  /** Partitions of days, as last seen. */
  get days(): readonly string[] {
    return this.#days;
  }

  /** Makes what has to be there before evidence comes. */
  async prepare(): Promise<void> {
    const { days, clock } = this.#options;
    const ahead = daysAhead(clock.now());
    await days.ensure(retentionClasses.flatMap((retentionClass) => ahead.map((day) => ({ retentionClass, day }))));
  }

  start(): void {
    this.#round = this.#all().finally(() => {
      if (!this.#closed) this.#timer = this.#options.clock.schedule(this.#options.everyMs, () => this.start());
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round;
  }

  async #all(): Promise<void> {
    await this.#try('making days ahead', () => this.prepare());
    await this.#try('dropping expired days', () => this.#drop());
    await this.#try('deleting old dead letters', () => this.#expire());
    await this.#try('asking for versions', () => this.#resolve());
    await this.#try('counting', async () => {
      this.#deadLetters = await this.#options.letters.count();
      this.#days = await this.#options.days.list();
    });
    await this.#try('counting locks', () => this.#checkLocks());
  }

  async #checkLocks(): Promise<void> {
    const { days, onCrowded } = this.#options;
    const locks = await days.locks();
    const isCrowded = locks.taken * plannedAtOnce > locks.room;
    if (isCrowded && locks.taken > this.#toldLocks * 1.1) {
      this.#toldLocks = locks.taken;
      onCrowded(locks);
    } else if (!isCrowded) this.#toldLocks = 0;
  }

  async #try(what: string, fn: () => Promise<void>): Promise<void> {
    if (this.#closed) return;
    try {
      await fn();
    } catch (error) {
      this.#options.onError(error, what);
    }
  }

  async #drop(): Promise<void> {
    const { days, rows, retention, onDropped } = this.#options;
    for (const retentionClass of retentionClasses) {
      for (;;) {
        const dropped = this.#closed ? undefined : await days.dropExpired(retentionClass, retention[retentionClass]);
        if (dropped === undefined) break;
        onDropped(dropped);
      }
      while (!this.#closed && (await rows.deleteSkewed(retentionClass, retention[retentionClass], rowsAtOnce)) > 0);
    }
  }

  async #expire(): Promise<void> {
    const { letters, deadLetterDays, onExpired } = this.#options;
    let expired = 0;
    try {
      for (let gone = lettersAtOnce; gone === lettersAtOnce && !this.#closed; expired += gone)
        gone = await letters.expire(deadLetterDays, lettersAtOnce);
    } finally {
      if (expired > 0) onExpired(expired);
    }
  }

  async #resolve(): Promise<void> {
    const { rows, versions } = this.#options;
    const unresolved = await rows.unresolved(mostVersionsAtOnce);
    await versions.resolve(unresolved);
    for (const version of unresolved) {
      const known = versions.isKnown(version);
      if (known !== undefined) while (!this.#closed && (await rows.resolve(version, known, rowsAtOnce)) > 0);
    }
  }
}
