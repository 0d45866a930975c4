import { describe, expect, it } from 'vitest';
import { histogramError, LatencyHistogram } from './latency-histogram.ts';
import { SeededRandom } from './seeded-random.ts';

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('a histogram of latencies', () => {
  it('has percentiles within its error of the exact ones, from a microsecond to an hour', () => {
    const random = new SeededRandom(5);
    const values = Array.from({ length: 20_000 }, () => 2 ** (random.uniform() * 30 - 9));
    const histogram = histogramOf(values);
    const sorted = values.toSorted((one, other) => one - other);
    for (const percent of [0.01, 1, 50, 90, 95, 99, 99.9, 99.99, 100]) {
      const exact = sorted[Math.ceil((sorted.length * percent) / 100 - 1e-9) - 1]!;
      expect(Math.abs(histogram.percentile(percent) / exact - 1), `p${percent}`).toBeLessThanOrEqual(histogramError);
    }
  });

  it('takes the value of the rank, not the one beside it', () => {
    const hundred = histogramOf(Array.from({ length: 100 }, (_, index) => index + 1));
    for (const percent of [1, 50, 90, 99, 100]) expect(Math.round(hundred.percentile(percent))).toBe(percent);
    expect(histogramOf([7]).percentile(50)).toBe(7);
    expect(histogramOf([1, 1, 1, 9]).percentile(75)).toBeCloseTo(1, 2);
    expect(Math.round(histogramOf([1, 1, 1, 9]).percentile(76))).toBe(9);
  });

  it('keeps count, mean, deviation, least and greatest exactly', () => {
    const histogram = histogramOf([1, 2, 3, 6]);
    expect([histogram.count, histogram.mean, histogram.min, histogram.max]).toEqual([4, 3, 1, 6]);
    expect(histogram.standardDeviation).toBeCloseTo(Math.sqrt(3.5), 12);
    const none = new LatencyHistogram();
    expect([none.mean, none.standardDeviation, none.percentile(99)]).toEqual([0, 0, 0]);
  });

  it('counts what lies outside its range at its ends', () => {
    const histogram = histogramOf([0, 1e9]);
    expect([histogram.count, histogram.min, histogram.max]).toEqual([2, 0, 1e9]);
    expect(histogram.percentile(50)).toBeLessThan(0.001);
    expect(histogram.percentile(100)).toBeGreaterThan(4_000_000);
  });

  it('adds another as if all had been recorded in one', () => {
    const [left, right] = [histogramOf([1, 5]), histogramOf([3])];
    left.add(right);
    expect(left).toEqual(histogramOf([1, 5, 3]));
  });
});
