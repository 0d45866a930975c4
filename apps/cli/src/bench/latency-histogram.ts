/** Buckets of one doubling are 2^9: a bucket's middle is at most 0.1 % from any value in it. */
const splitBits = 9;
const perDoubling = 2 ** splitBits;
/** From about 1 µs to about 70 minutes, in milliseconds; what lies outside counts in the first or last bucket. */
const [lowest, highest] = [-10, 22];
const bucketCount = (highest - lowest) * perDoubling;
/** The bits of a double above its low 32: sign, 11 of the exponent (biased by 1023), 20 of the fraction. */
const shift = 20 - splitBits;
const firstBits = (1023 + lowest) << splitBits;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** Largest relative error of a percentile. */
export const histogramError = 1 / 2 ** (splitBits + 1);

/** A histogram as it travels between threads. */
export interface HistogramData {
  readonly buckets: Uint32Array;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Durations in milliseconds, counted in buckets whose width grows with the value: 64 KiB whatever is measured. Count, mean, deviation, least
 * and greatest are exact; a percentile is off by at most 0.1 % (`histogramError`).
 */
export class LatencyHistogram implements HistogramData {
  readonly buckets = new Uint32Array(bucketCount);
  count = 0;
  sum = 0;
  sumOfSquares = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;

  record(ms: number): void {
    this.buckets[bucketOf(ms)]! += 1;
    this.count += 1;
    this.sum += ms;
    this.sumOfSquares += ms * ms;
    if (ms < this.min) this.min = ms;
    if (ms > this.max) this.max = ms;
  }

  add(other: HistogramData): void {
    for (let index = 0; index < bucketCount; index += 1) this.buckets[index]! += other.buckets[index]!;
    this.count += other.count;
    this.sum += other.sum;
    this.sumOfSquares += other.sumOfSquares;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  /** 0 of none. */
  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }

  /** Of all values, not an estimate from a sample; 0 of none. */
  get standardDeviation(): number {
    if (this.count === 0) return 0;
    return Math.sqrt(Math.max(0, this.sumOfSquares / this.count - this.mean ** 2));
  }

  /** The smallest value that at least `percent` of the values do not exceed; 0 of none. */
  percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((this.count * percent) / 100 - 1e-9));
    let seen = 0;
    for (let index = 0; index < bucketCount; index += 1) {
      seen += this.buckets[index]!;
      if (seen >= rank) return Math.min(this.max, Math.max(this.min, middleOf(index)));
    }
    return 0;
  }
}

function bucketOf(ms: number): number {
  double[0] = ms;
  const index = (halves[1]! >>> shift) - firstBits;
  return Math.max(0, Math.min(bucketCount - 1, index));
}

function middleOf(index: number): number {
  const edge = 2 ** (lowest + Math.floor(index / perDoubling)) * (1 + (index % perDoubling) / perDoubling);
  const width = 2 ** (lowest + Math.floor(index / perDoubling)) / perDoubling;
  return edge + width / 2;
}
