import type { Timer } from '@sluice/domain/clock';
import { FakeClock } from '@sluice/testkit/fake-clock';

/** A clock as a machine has it: time passes while somebody works, by `tickMs` with each look, and timers fire `earlyMs` too early. */
export class CreepingClock extends FakeClock {
  #creptMs = 0;
  readonly #tickMs: number;
  readonly #earlyMs: number;

  constructor(tickMs: number, earlyMs: number) {
    super();
    this.#tickMs = tickMs;
    this.#earlyMs = earlyMs;
  }

  override monotonic(): number {
    this.#creptMs += this.#tickMs;
    return super.monotonic() + this.#creptMs;
  }

  override schedule(ms: number, fn: () => void): Timer {
    return super.schedule(ms - this.#earlyMs, fn);
  }
}

/** Ticks with which a moment falls between any two looks at such a clock, sooner or later. */
export const ticks = Array.from({ length: 200 }, (_, index) => 0.001 + index / 9_973);
