import type { Clock } from '@sluice/domain/clock';

/** Sessions that a version may lose in the time below before it stays failed. A poison request must not keep a runtime busy with loading. */
const allowed = 3;
/** How long a loss counts, in milliseconds. */
const countsForMs = 600_000;

/** Counts the sessions that versions lost lately. */
export class Losses {
  readonly #clock: Clock;
  /** Times of losses, on the monotonic clock, by version. */
  readonly #times = new Map<string, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns whether the version may be loaded again */
  add(version: string): boolean {
    const now = this.#clock.monotonic();
    const recent = (this.#times.get(version) ?? []).filter((at) => now - at < countsForMs);
    recent.push(now);
    this.#times.set(version, recent);
    return recent.length < allowed;
  }

  forget(version: string): void {
    this.#times.delete(version);
  }
}
