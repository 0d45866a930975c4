import { median } from '../statistics.ts';

/** What a process occupied at a time. */
export interface MemorySample {
  /** Since the beginning. */
  readonly seconds: number;
  readonly bytes: number;
}

/** Of the time; single looks come before or after a collection. */
const windowShare = 0.1;

/**
 * By how many bytes a process is larger at the end than when it had settled: both the median over a tenth of the time, the one behind
 * `settledSeconds`, the other before `endSeconds`. Less is negative.
 */
export function growthAfter(samples: readonly MemorySample[], settledSeconds: number, endSeconds: number): number {
  const window = endSeconds * windowShare;
  const between = (from: number, to: number): number =>
    median(samples.filter(({ seconds }) => seconds >= from && seconds < to).map(({ bytes }) => bytes));
  return between(endSeconds - window, Infinity) - between(settledSeconds, settledSeconds + window);
}
