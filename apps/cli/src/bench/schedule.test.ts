import { describe, expect, it } from 'vitest';
import { type Arrivals, rateOf, Schedule, type Share } from './schedule.ts';

function take(arrivals: Arrivals, count: number, share?: Share): number[] {
  const schedule = new Schedule(arrivals, share);
  return Array.from({ length: count }, () => {
    const at = schedule.next;
    schedule.advance();
    return at;
  });
}

describe('a schedule', () => {
  it('of a constant rate has every arrival at its place from the start, after a million of them too', () => {
    const schedule = new Schedule({ kind: 'constant', perSecond: 3000 });
    expect(schedule.next).toBe(0);
    for (let index = 0; index < 1_000_000; index += 1) schedule.advance();
    expect(schedule.next).toBe((1_000_000 * 1000) / 3000);
  });

  it('of Poisson arrivals has exponential gaps of the mean', () => {
    const times = take({ kind: 'poisson', perSecond: 200, seed: 7 }, 40_000);
    const gaps = times.map((at, index) => at - (times[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(mean).toBeCloseTo(5, 0);
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    // An exponential distribution has its mean for a deviation, and exp(-2) of it lies above twice the mean.
    expect(deviation / mean).toBeGreaterThan(0.97);
    expect(deviation / mean).toBeLessThan(1.03);
    expect(gaps.filter((gap) => gap > 2 * mean).length / gaps.length).toBeCloseTo(Math.exp(-2), 2);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  });

  it('is the same for the same seed, and another for another', () => {
    const poisson = (seed: number): Arrivals => ({ kind: 'poisson', perSecond: 10, seed });
    expect(take(poisson(1), 5)).toEqual(take(poisson(1), 5));
    expect(take(poisson(1), 5)).not.toEqual(take(poisson(2), 5));
  });

  it('of given gaps begins again after the last', () => {
    expect(take({ kind: 'intervals', gapsUs: [1000, 2000] }, 5)).toEqual([0, 1, 3, 4, 6]);
    expect(rateOf({ kind: 'intervals', gapsUs: [1000, 3000] })).toBe(500);
  });

  it.each<Arrivals>([
    { kind: 'constant', perSecond: 90 },
    { kind: 'poisson', perSecond: 90, seed: 3 },
    { kind: 'intervals', gapsUs: [100, 700, 50, 3] },
  ])('is divided so that threads send every arrival once: $kind', (arrivals) => {
    const parts = [0, 1, 2].flatMap((index) => take(arrivals, 20, { index, of: 3 }));
    expect(parts.sort((one, other) => one - other)).toEqual(take(arrivals, 60));
  });
});
