/** The buckets of a histogram: one for each power of two, and one without a bound behind them. */
export interface PowersOfTwo {
  readonly lowest: number;
  /** Ascending; a value at a bound is in the bucket of that bound. */
  readonly bounds: readonly number[];
}

/**
 * Bounds from `2 ** lowest` to `2 ** highest`.
 *
 * @throws RangeError unless 0 ≤ lowest ≤ highest ≤ 31
 */
export function powersOfTwo(lowest: number, highest: number): PowersOfTwo {
  if (!(lowest >= 0 && lowest <= highest && highest <= 31))
    throw new RangeError(`powers of two from ${lowest} to ${highest}: expected 0 ≤ lowest ≤ highest ≤ 31`);
  return { lowest, bounds: Array.from({ length: highest - lowest + 1 }, (_, index) => 2 ** (lowest + index)) };
}

/**
 * A histogram whose slots are allocated once and whose bounds are powers of two, so that the bucket of a value is the
 * number of its bits: to record is two additions, without a search, a branch per bound or an allocation. Counts are
 * doubles: they are exact up to 2^53 and never wrap.
 */
export class Histogram {
  readonly #lowest: number;
  readonly #lowestBound: number;
  readonly #highestBound: number;
  readonly #last: number;
  /** Per bucket, the one without a bound last; behind them the sum of all values. */
  readonly #slots: Float64Array;

  constructor({ lowest, bounds }: PowersOfTwo) {
    this.#lowest = lowest;
    this.#lowestBound = bounds[0]!;
    this.#highestBound = bounds.at(-1)!;
    this.#last = bounds.length;
    this.#slots = new Float64Array(this.#last + 2);
  }

  /** Counts a value. What is not above 0, and what is no number, counts as 0. */
  record(value: number): void {
    const slots = this.#slots;
    if (value > this.#lowestBound) {
      const bucket = value > this.#highestBound ? this.#last : 32 - Math.clz32(Math.ceil(value) - 1) - this.#lowest;
      slots[bucket]! += 1;
      slots[this.#last + 1]! += value;
      return;
    }
    slots[0]! += 1;
    if (value > 0) slots[this.#last + 1]! += value;
  }

  /** Of all values. */
  get sum(): number {
    return this.#slots[this.#last + 1]!;
  }

  /** How many values there were. */
  get count(): number {
    let count = 0;
    for (let bucket = 0; bucket <= this.#last; bucket++) count += this.#slots[bucket]!;
    return count;
  }

  /** How many values were at most each bound; the last is how many there were. */
  cumulative(): number[] {
    let total = 0;
    return Array.from({ length: this.#last + 1 }, (_, bucket) => (total += this.#slots[bucket]!));
  }

  /** Memory of the slots. */
  get bytes(): number {
    return this.#slots.byteLength;
  }
}
