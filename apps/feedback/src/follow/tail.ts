import type { Clock, Timer } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { isSame } from './cursor.ts';
import type { FollowSource, Look } from './source.ts';

export interface TailOptions {
  readonly source: Pick<FollowSource, 'look'>;
  readonly clock: Clock;
  /** How often it looks while somebody follows, in milliseconds. */
  readonly everyMs: number;
}

/** How often it looks while nobody follows: for the metric alone. */
const idleMs = 15_000;

/**
 * The end of the tables, looked at for all subscribers together. There is no notification: NOTIFY has commits wait for each other,
 * and they are what acknowledges evidence.
 */
export class Tail {
  readonly #options: TailOptions;
  /** Told of each look, and of why there is none. */
  readonly #waiting = new Set<(error: SluiceError | undefined) => void>();
  #latest: Look | undefined;
  #looking: Promise<Look> | undefined;
  #following: Promise<Look> | undefined;
  #followers = 0;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** See `Look.heldBackMs`. */
  get heldBackMs(): number {
    return this.#latest?.heldBackMs ?? 0;
  }

  start(): void {
    this.#next();
  }

  /** Counts a subscriber, for as long as it has not called what this returns. */
  enter(): () => void {
    this.#followers += 1;
    this.#next();
    return () => {
      this.#followers -= 1;
    };
  }

  /** A look that begins after this call; shared by all who call before it begins. */
  fresh(): Promise<Look> {
    if (this.#looking === undefined) return this.#look();
    this.#following ??= this.#looking.then(
      () => this.#look(),
      () => this.#look(),
    );
    return this.#following;
  }

  /**
   * Resolves with a look that has newer rows than `seen`, or with undefined after `ms` without one.
   *
   * @throws SluiceError when the tables cannot be looked at, or this process stops
   */
  async newer(seen: Look, ms: number, signal: AbortSignal): Promise<Look | undefined> {
    if (this.#closed) throw stopping();
    if (this.#isNewer(seen)) return this.#latest;
    const { promise, resolve, reject } = Promise.withResolvers<Look | undefined>();
    const onLook = (error: SluiceError | undefined): void => {
      if (error) reject(error);
      else if (this.#isNewer(seen)) resolve(this.#latest);
    };
    const onEnd = (): void => resolve(undefined);
    const timer = this.#options.clock.schedule(ms, onEnd);
    this.#waiting.add(onLook);
    signal.addEventListener('abort', onEnd, { once: true });
    try {
      return await promise;
    } finally {
      timer.cancel();
      this.#waiting.delete(onLook);
      signal.removeEventListener('abort', onEnd);
    }
  }

  /** Ends everybody who waits, with `unavailable`. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#tell(stopping());
  }

  #isNewer(seen: Look): boolean {
    const latest = this.#latest;
    if (latest === undefined || latest === seen) return false;
    return !isSame(latest.history, seen.history) || latest.newest.some((each, table) => each !== seen.newest[table]);
  }

  #next(): void {
    this.#timer?.cancel();
    if (this.#closed) return;
    this.#timer = this.#options.clock.schedule(this.#followers > 0 ? this.#options.everyMs : idleMs, () => {
      this.fresh().then(
        () => this.#next(),
        () => this.#next(),
      );
    });
  }

  #look(): Promise<Look> {
    this.#following = undefined;
    const looking = this.#ask().finally(() => {
      this.#looking = undefined;
    });
    this.#looking = looking;
    return looking;
  }

  async #ask(): Promise<Look> {
    try {
      this.#latest = await this.#options.source.look();
      this.#tell(undefined);
      return this.#latest;
    } catch (error) {
      this.#tell(SluiceError.from(error));
      throw error;
    }
  }

  #tell(error: SluiceError | undefined): void {
    for (const tell of [...this.#waiting]) tell(error);
  }
}

const stopping = (): SluiceError =>
  unavailable('this feedback is stopping: go on from the last cursor at another', { retryAfterMs: 0 });
