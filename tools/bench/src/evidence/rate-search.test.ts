import { describe, expect, test } from 'vitest';
import { RateSearch } from './rate-search.ts';

const options = { start: 8_000, least: 500, most: 100_000, tolerance: 1.05 };

/** Searches where all up to `limit` holds. @returns what was tried, and what was found */
function search(limit: number): { tried: number[]; best: number | undefined } {
  const found = new RateSearch(options);
  const tried: number[] = [];
  for (let rate = found.next(); rate !== undefined; rate = found.next()) {
    tried.push(rate);
    found.tell(rate, rate <= limit);
  }
  return { tried, best: found.best };
}

describe('the highest rate that holds', () => {
  test.each([700, 3_333, 7_999, 8_000, 12_345, 60_000])('is found within a twentieth: %d', (limit) => {
    const { tried, best } = search(limit);
    expect(best).toBeLessThanOrEqual(limit);
    expect(best! * options.tolerance).toBeGreaterThanOrEqual(limit);
    expect(tried.length).toBeLessThan(13);
  });

  test('is looked for from the start on, upwards in strides', () => {
    expect(search(20_000).tried.slice(0, 4)).toEqual([8_000, 12_000, 18_000, 27_000]);
  });

  test('is in the middle of the ratio of one that held and one that did not', () => {
    expect(search(9_000).tried[2]).toBeCloseTo(Math.sqrt(8_000 * 12_000), 6);
  });

  test('is the upper bound where everything holds', () => {
    expect(search(Infinity).best).toBe(100_000);
  });

  test('is none where nothing holds, and the lower bound is tried before that is said', () => {
    const { tried, best } = search(100);
    expect(best).toBeUndefined();
    expect(tried.at(-1)).toBe(500);
  });

  test('is below one that failed later, and near it', () => {
    const found = new RateSearch(options);
    found.tell(8_000, true);
    found.tell(8_300, false);
    expect(found.next()).toBeUndefined();
    found.tell(8_000, false);
    expect(found.best).toBeUndefined();
    expect(found.next()).toBeCloseTo(8_000 / 1.15, 6);
  });
});
