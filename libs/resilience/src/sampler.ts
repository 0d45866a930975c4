import type { Clock } from '@sluice/domain/clock';

export interface SamplerOptions {
  readonly clock: Clock;
  /** How long what follows a report of the same key goes unreported, in milliseconds; default 10,000. */
  readonly intervalMs?: number;
}

/** Keys that are told apart; what comes beyond them within one interval shares a report. */
const maxKeys = 1_000;
const beyond = '\u0000beyond';

/**
 * Decides which of many alike events are reported, so that what fails at the rate of requests does not fill a log: the
 * first of a key, then at most one per interval, which says how many went before it unreported. It holds no timer.
 */
export class Sampler {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #keys = new Map<string, { sinceMs: number; unreported: number }>();

  constructor(options: SamplerOptions) {
    this.#clock = options.clock;
    this.#intervalMs = options.intervalMs ?? 10_000;
  }

  /** @returns how many of this key went unreported since the last report; undefined when this one is not reported */
  take(key: string): number | undefined {
    const now = this.#clock.monotonic();
    const known = this.#keys.get(key);
    if (known === undefined) {
      if (this.#keys.size >= maxKeys) this.#forget(now);
      if (this.#keys.size >= maxKeys && key !== beyond) return this.take(beyond);
      this.#keys.set(key, { sinceMs: now, unreported: 0 });
      return 0;
    }
    if (now - known.sinceMs < this.#intervalMs) {
      known.unreported++;
      return undefined;
    }
    const { unreported } = known;
    known.sinceMs = now;
    known.unreported = 0;
    return unreported;
  }

  #forget(now: number): void {
    for (const [key, { sinceMs }] of this.#keys) if (now - sinceMs >= this.#intervalMs) this.#keys.delete(key);
  }
}
