export interface RetryBudgetOptions {
  /** Retries per request in the long run; default 0.2. */
  readonly ratio?: number;
  /** Retries that may come at once after a quiet time, at least 1: as many as may be in flight to one peer. */
  readonly burst: number;
}

/**
 * Bounds retries to a share of the traffic, so that an outage is not answered with a multiple of the load: a token bucket
 * that every request fills a little and every retry takes one from. It starts full.
 */
export class RetryBudget {
  readonly #ratio: number;
  #burst: number;
  #tokens: number;

  /** @throws RangeError when ratio or burst make no sense */
  constructor(options: RetryBudgetOptions) {
    this.#ratio = options.ratio ?? 0.2;
    if (!(this.#ratio > 0 && this.#ratio <= 1)) throw new RangeError(`ratio is ${this.#ratio}, expected above 0 to 1`);
    this.#burst = checkedBurst(options.burst);
    this.#tokens = this.#burst;
  }

  get tokens(): number {
    return this.#tokens;
  }

  get burst(): number {
    return this.#burst;
  }

  /**
   * What was spent stays spent: a larger burst adds the difference, as if it had been so large from the start, a smaller
   * one takes what is above it.
   */
  setBurst(burst: number): void {
    const added = checkedBurst(burst) - this.#burst;
    this.#burst = burst;
    this.#tokens = Math.min(this.#tokens + Math.max(0, added), burst);
  }

  /** Counts a request (not its retries). */
  requested(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + this.#ratio);
  }

  /**
   * Takes one retry; false when there is none left.
   *
   * @param kept how many are to be left for what matters more; default 0
   */
  tryTake(kept = 0): boolean {
    // Adding 0.2 five times makes 0.999...
    if (this.#tokens < 1 + kept - 1e-9) return false;
    this.#tokens = Math.max(0, this.#tokens - 1);
    return true;
  }
}

function checkedBurst(burst: number): number {
  if (!(burst >= 1 && Number.isFinite(burst))) throw new RangeError(`burst is ${burst}, expected at least 1`);
  return burst;
}
