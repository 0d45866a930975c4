import { describe, expect, test } from 'vitest';
import { judge, median, percentile, spreadOf } from './statistics.ts';

describe('statistics', () => {
  test('the median of an odd and of an even number of runs', () => {
    expect(median([5, 1, 9])).toBe(5);
    expect(median([5, 1, 9, 7])).toBe(6);
    expect(median([])).toBeNaN();
  });

  test('percentiles are values that occurred: nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('the spread is the lowest and the highest run', () => {
    expect(spreadOf([3, 1, 2])).toEqual([1, 3]);
  });
});

describe('verdicts', () => {
  const atLeast = { is: 'at least', value: 0.9 } as const;

  test('all runs at or over the target meet it; one just under makes it inconclusive; all under miss it', () => {
    expect(judge([0.9, 0.95, 0.92], atLeast, true)).toBe('met');
    expect(judge([0.899, 0.95, 0.92], atLeast, true)).toBe('inconclusive');
    expect(judge([0.5, 0.6, 0.899], atLeast, true)).toBe('missed');
  });

  test('an upper target is judged the other way round', () => {
    const atMost = { is: 'at most', value: 150 } as const;
    expect(judge([150, 100], atMost, true)).toBe('met');
    expect(judge([150.1, 100], atMost, true)).toBe('inconclusive');
    expect(judge([150.1, 151], atMost, true)).toBe('missed');
  });

  test('an invalid row is never met, whatever its figures', () => {
    expect(judge([1, 1, 1], atLeast, false)).toBe('invalid');
    expect(judge([], atLeast, true)).toBe('invalid');
    expect(judge([1, NaN], atLeast, true)).toBe('invalid');
  });
});
