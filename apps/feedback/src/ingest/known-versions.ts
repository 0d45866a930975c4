import type { Clock } from '@sluice/domain/clock';
import { unavailable } from '@sluice/domain/errors';
import type { EvidenceContext } from '@sluice/evidence/record';
import { Gate } from '../gate.ts';

/** A version as records name it. */
export type VersionName = Pick<EvidenceContext, 'model' | 'version' | 'versionDigest'>;

/** The registry, as ingest sees it. */
export interface VersionDirectory {
  /** Whether it has the version. Throws when it cannot be asked. */
  has(version: VersionName): Promise<boolean>;
}

export interface KnownVersionsOptions {
  readonly directory: VersionDirectory;
  readonly clock: Clock;
  /** Told when the registry cannot be asked, and (undefined) when it can again. */
  readonly onAway: (error: unknown) => void;
  /** How long a batch waits for answers, in milliseconds. */
  readonly waitMs: number;
}

/** Versions are never unmade, so one that is there stays so; one that is not may have been made since. */
const forgetUnknownMs = 30_000;
const askAgainMs = 1_000;
const mostVersions = 10_000;
/** What one batch may ask, and how many questions are under way at once: whoever writes evidence also writes names of versions. */
const mostPerBatch = 100;
const mostAtOnce = 8;
/** Questions that wait, of all batches. */
const mostWaiting = 1_000;

const keyOf = ({ model, version, versionDigest }: VersionName): string => `${version} ${versionDigest} ${model}`;

interface Entry {
  readonly known: boolean;
  readonly untilMs: number;
}

/**
 * Which versions the registry has. Those that were used last are kept. Asked once each, a bounded number for a batch, and never for longer than a batch can wait: while the registry is away
 * nothing is known and nobody waits.
 */
export class KnownVersions {
  readonly #options: KnownVersionsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #asking = new Map<string, Promise<void>>();
  readonly #gate = new Gate(mostAtOnce);
  #awayUntilMs = -Infinity;
  #isAway = false;

  constructor(options: KnownVersionsOptions) {
    this.#options = options;
  }

  /** Undefined where it could not be asked. */
  readonly isKnown = (version: VersionName): boolean | undefined => this.#entry(keyOf(version))?.known;

  /**
   * Resolves when all are known, or the time to wait is over, or all have been asked for that may be: the others stay unknown. Never
   * rejects.
   */
  async resolve(versions: Iterable<VersionName>): Promise<void> {
    const answers: Promise<void>[] = [];
    for (const version of versions) {
      if (answers.length >= mostPerBatch || this.#asking.size >= mostWaiting) break;
      if (this.isKnown(version) === undefined) answers.push(this.#ask(version));
    }
    const { clock, waitMs } = this.#options;
    if (answers.length === 0 || clock.monotonic() < this.#awayUntilMs) return;
    const late = Promise.withResolvers<undefined>();
    const timer = clock.schedule(waitMs, () => {
      // Until it answers, other batches do not wait for it either.
      this.#failed(unavailable(`the registry did not answer within ${waitMs} ms`));
      late.resolve(undefined);
    });
    await Promise.race([Promise.all(answers), late.promise]);
    timer.cancel();
  }

  #ask(version: VersionName): Promise<void> {
    const key = keyOf(version);
    const asking = this.#asking.get(key);
    if (asking) return asking;
    if (this.#options.clock.monotonic() < this.#awayUntilMs) return Promise.resolve();
    const answer = this.#gate.run(async () => {
      // One that waited for its turn while the registry went away is asked for later.
      if (this.#options.clock.monotonic() < this.#awayUntilMs) return;
      try {
        this.#learn(key, await this.#options.directory.has(version));
      } catch (error) {
        this.#failed(error);
      }
    });
    this.#asking.set(key, answer);
    return answer.finally(() => this.#asking.delete(key));
  }

  #learn(key: string, known: boolean): void {
    const untilMs = known ? Infinity : this.#options.clock.monotonic() + forgetUnknownMs;
    if (this.#entries.size >= mostVersions) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { known, untilMs });
    if (this.#isAway) this.#options.onAway(undefined);
    this.#isAway = false;
    this.#awayUntilMs = -Infinity;
  }

  #failed(error: unknown): void {
    this.#awayUntilMs = this.#options.clock.monotonic() + askAgainMs;
    if (!this.#isAway) this.#options.onAway(error);
    this.#isAway = true;
  }

  #entry(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.untilMs <= this.#options.clock.monotonic()) return undefined;
    // The least lately used one is the first.
    this.#entries.set(key, entry);
    return entry;
  }
}
