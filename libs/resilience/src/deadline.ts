import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';

/** A point in time that work must not outlast. Kept on the monotonic clock: setting the machine's clock moves nothing. */
export class Deadline {
  readonly #clock: Clock;
  readonly #atMonotonicMs: number;

  private constructor(clock: Clock, atMonotonicMs: number) {
    this.#clock = clock;
    this.#atMonotonicMs = atMonotonicMs;
  }

  static after(clock: Clock, ms: number): Deadline {
    return new Deadline(clock, clock.monotonic() + ms);
  }

  /** @param epochMs as it comes with a call; undefined or Infinity means `fallbackMs` from now */
  static at(clock: Clock, epochMs: number | undefined, fallbackMs = Number.POSITIVE_INFINITY): Deadline {
    if (epochMs === undefined || epochMs === Number.POSITIVE_INFINITY) return Deadline.after(clock, fallbackMs);
    return Deadline.after(clock, epochMs - clock.now());
  }

  /** Milliseconds left, 0 once it has passed, Infinity without a bound. */
  remainingMs(): number {
    return Math.max(0, this.#atMonotonicMs - this.#clock.monotonic());
  }

  get expired(): boolean {
    return this.#clock.monotonic() >= this.#atMonotonicMs;
  }

  /** As a call carries it: milliseconds since the epoch. */
  epochMs(): number {
    return this.#clock.now() + (this.#atMonotonicMs - this.#clock.monotonic());
  }

  /** An earlier one, for the next hop, so that its answer can still be handed on. */
  earlier(byMs: number): Deadline {
    return new Deadline(this.#clock, this.#atMonotonicMs - byMs);
  }

  /**
   * Waits, for as long as the deadline and the signal allow.
   *
   * @returns true after the whole wait, false when the deadline comes first (then it does not wait at all)
   * @throws SluiceError cancelled when the signal aborts
   */
  async wait(ms: number, signal?: AbortSignal): Promise<boolean> {
    if (ms >= this.remainingMs()) return false;
    await sleep(this.#clock, ms, signal);
    return true;
  }
}

/**
 * Resolves after `ms` of the clock.
 *
 * @throws SluiceError cancelled when the signal aborts first
 */
export async function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const abort = (): void => reject(new SluiceError('cancelled', 'cancelled while waiting', { cause: signal?.reason }));
  if (signal?.aborted === true) abort();
  const timer = clock.schedule(ms, () => resolve(undefined));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await promise;
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', abort);
  }
}
