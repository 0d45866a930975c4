import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/property-runs.ts';
import { keepAllBelow, keepLeastFrom, keepProbability, leastProbability } from './keep-probability.ts';

describe('the keep-probability', () => {
  it('P1 is 1 while half is free, and never under a hundredth', () => {
    expect([0, 0.3, keepAllBelow].map(keepProbability)).toEqual([1, 1, 1]);
    expect(keepProbability(keepAllBelow + 0.001)).toBeLessThan(1);
    expect(keepProbability(keepLeastFrom - 0.001)).toBeGreaterThan(leastProbability);
    expect([keepLeastFrom, 0.95, 1].map(keepProbability)).toEqual([0.01, 0.01, 0.01]);
  });

  it('P2 falls by the same factor for each step, without a jump', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, (one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        const [before, after] = [keepProbability(less), keepProbability(more)];
        expect(after).toBeLessThanOrEqual(before);
        const steepest = leastProbability ** ((more - less) / (keepLeastFrom - keepAllBelow));
        expect(after / before).toBeGreaterThanOrEqual(steepest * (1 - 1e-9));
      }),
      propertyRuns,
    );
    const middle = (keepAllBelow + keepLeastFrom) / 2;
    expect(keepProbability(middle)).toBeCloseTo(0.1, 10);
  });
});
