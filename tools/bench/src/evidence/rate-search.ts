export interface RateSearchOptions {
  /** Requests/s that are tried first. */
  readonly start: number;
  /** Where looking ends when nothing holds, and when everything does. */
  readonly least: number;
  readonly most: number;
  /** The search is over when the lowest rate that failed is at most so many times the highest that held. */
  readonly tolerance: number;
}

/** Factor between rates while one side of the range is unknown, and when it is unknown again: what held by luck is near. */
const strides = { first: 1.5, again: 1.15 };

/**
 * Looks for the highest rate that holds: up or down in strides until one holds and one does not, then between the two, in the
 * middle of their ratio. It sends nothing itself: whoever tries the rates tells what came of them.
 */
export class RateSearch {
  readonly #options: RateSearchOptions;
  #held: number | undefined;
  #failed: number | undefined;
  #stride = strides.first;

  constructor(options: RateSearchOptions) {
    this.#options = options;
  }

  /** The highest rate that held; undefined where none did. */
  get best(): number | undefined {
    return this.#held;
  }

  /** The rate to try next; undefined when the search is over. */
  next(): number | undefined {
    const { start, least, most, tolerance } = this.#options;
    const [held, failed] = [this.#held, this.#failed];
    if (held === undefined && failed === undefined) return start;
    if (held === undefined) return failed! <= least ? undefined : Math.max(least, failed! / this.#stride);
    if (failed === undefined) return held >= most ? undefined : Math.min(most, held * this.#stride);
    return failed / held <= tolerance ? undefined : Math.sqrt(held * failed);
  }

  /** What came of a rate. A rate that failed takes back all that were higher: they held by luck. */
  tell(rate: number, holds: boolean): void {
    if (holds) {
      this.#held = Math.max(rate, this.#held ?? rate);
      return;
    }
    this.#failed = Math.min(rate, this.#failed ?? rate);
    if (this.#held === undefined || this.#held < rate) return;
    this.#held = undefined;
    this.#stride = strides.again;
  }
}
