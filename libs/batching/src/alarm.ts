import type { Clock, Timer } from '@sluice/domain/clock';

/** A timer is never set further ahead than this; when it fires early it is set again. */
const longestTimerMs = 3_600_000;

/** The one timer of a scheduler: it fires no later than the earliest moment that it was set for. Too early does no harm. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | undefined = undefined;
  #atMs = Infinity;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** @param atMs of `Clock.monotonic()`; `Infinity` for never */
  set(atMs: number): void {
    if (this.#atMs <= atMs) return;
    this.#timer?.cancel();
    const nowMs = this.#clock.monotonic();
    this.#atMs = Math.min(atMs, nowMs + longestTimerMs);
    this.#timer = this.#clock.schedule(this.#atMs - nowMs, () => {
      this.#atMs = Infinity;
      this.#timer = undefined;
      this.#ring();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#atMs = Infinity;
  }
}
