/** The value in the middle; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The smallest value that at least `share` of all values do not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return NaN;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** Lowest and highest of the repeated runs. */
export type Spread = readonly [low: number, high: number];

export function spreadOf(values: readonly number[]): Spread {
  return values.length === 0 ? [NaN, NaN] : [Math.min(...values), Math.max(...values)];
}

/** What a figure must be. */
export interface Target {
  readonly is: 'at least' | 'at most';
  readonly value: number;
}

export type Verdict = 'met' | 'missed' | 'inconclusive' | 'invalid';

/**
 * Judges repeated runs by their target. A target that lies inside the spread is `inconclusive`: the runs do not agree.
 * An invalid row is never met.
 */
export function judge(values: readonly number[], target: Target, valid: boolean): Verdict {
  if (!valid || values.length === 0 || values.some((value) => !Number.isFinite(value))) return 'invalid';
  const [low, high] = spreadOf(values);
  const good = (value: number): boolean => (target.is === 'at least' ? value >= target.value : value <= target.value);
  if (good(low) && good(high)) return 'met';
  return good(low) || good(high) ? 'inconclusive' : 'missed';
}
