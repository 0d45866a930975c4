import type { Clock, Timer } from '@sluice/domain/clock';

/** How often calls are looked at that may have waited too long, in milliseconds. */
const sweepMs = 50;

/** A call that is given up at a time. */
export interface Expiring {
  /** On the clock's monotonic scale. */
  readonly expiresMs: number;
  expire(): void;
}

/** Gives up calls that were not answered in time, with one timer for all of them; all have the same time-out. */
export class Deadlines {
  readonly #clock: Clock;
  /** In the order in which they expire. */
  readonly #waiting = new Set<Expiring>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(call: Expiring): void {
    this.#waiting.add(call);
    this.#timer ??= this.#clock.schedule(sweepMs, () => this.#sweep());
  }

  delete(call: Expiring): void {
    this.#waiting.delete(call);
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const call of this.#waiting) {
      if (call.expiresMs > now) break;
      this.#waiting.delete(call);
      call.expire();
    }
    this.#timer = this.#waiting.size === 0 ? undefined : this.#clock.schedule(sweepMs, () => this.#sweep());
  }
}
