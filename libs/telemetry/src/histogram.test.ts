import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram, powersOfTwo } from './histogram.ts';

describe('a histogram of powers of two', () => {
  it('has a value at a bound in the bucket of that bound, and one above it in the next', () => {
    const buckets = powersOfTwo(1, 4);
    expect(buckets.bounds).toEqual([2, 4, 8, 16]);
    const histogram = new Histogram(buckets);
    for (const value of [0, 1, 2, 2.001, 4, 4.5, 8, 16]) histogram.record(value);
    expect(histogram.cumulative()).toEqual([3, 5, 7, 8, 8]);
    for (const value of [16.000_1, 2 ** 33, Infinity]) histogram.record(value);
    expect(histogram.cumulative()).toEqual([3, 5, 7, 8, 11]);
    expect([histogram.count, histogram.sum]).toEqual([11, Infinity]);
  });

  it('counts what is no time as none', () => {
    const histogram = new Histogram(powersOfTwo(0, 3));
    for (const value of [-5, NaN, -Infinity, 0]) histogram.record(value);
    expect([histogram.cumulative(), histogram.sum]).toEqual([[4, 4, 4, 4, 4], 0]);
  });

  it('says the same as a search among its bounds, whatever the bounds and the values are', () => {
    const bounds = fc.tuple(fc.nat(31), fc.nat(31)).map(([one, other]) => [Math.min(one, other), Math.max(one, other)]);
    const near = fc.tuple(fc.nat(33), fc.constantFrom(-1, -1e-6, 0, 1e-6, 1)).map(([power, by]) => 2 ** power + by);
    const value = fc.oneof(near, fc.double({ min: 0, max: 1e12, noNaN: true }), fc.nat(100));
    fc.assert(
      fc.property(bounds, fc.array(value, { maxLength: 50 }), ([lowest, highest], values) => {
        const buckets = powersOfTwo(lowest!, highest!);
        const histogram = new Histogram(buckets);
        for (const each of values) histogram.record(each);
        const searched = buckets.bounds.map((bound) => values.filter((each) => each <= bound).length);
        expect(histogram.cumulative()).toEqual([...searched, values.length]);
        expect(histogram.count).toBe(values.length);
        expect(histogram.sum).toBeCloseTo(
          values.reduce((sum, each) => sum + Math.max(0, each), 0),
          3,
        );
      }),
    );
  });

  it('counts beyond what 32 bits hold, in the memory that it had from the start', () => {
    const histogram = new Histogram(powersOfTwo(0, 0));
    const { bytes } = histogram;
    for (let count = 0; count < 1_000; count++) histogram.record(2 ** 40);
    expect([histogram.sum, histogram.bytes]).toEqual([1_000 * 2 ** 40, bytes]);
    expect(bytes).toBe(3 * 8);
  });

  it('has bounds that 32 bits hold', () => {
    for (const [lowest, highest] of [
      [-1, 4],
      [4, 3],
      [0, 32],
      [NaN, 4],
    ] as const)
      expect(() => powersOfTwo(lowest, highest)).toThrow('expected 0 ≤ lowest ≤ highest ≤ 31');
  });
});
