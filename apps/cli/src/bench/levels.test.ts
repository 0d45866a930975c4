import { describe, expect, it } from 'vitest';
import { levelsOf, parseRange } from './ranges.ts';
import { search } from './search.ts';
import { isStable, isTooSlow } from './stability.ts';

describe('a range', () => {
  it.each([
    ['8', [8]],
    ['1:4', [1, 2, 3, 4]],
    ['1:10:4', [1, 5, 9]],
    ['100:100:7', [100]],
  ])('%s has its levels', (text, levels) => {
    expect(levelsOf(parseRange(text, true))).toEqual(levels);
  });

  it('of rates may have fractions, which add up', () => {
    expect(levelsOf(parseRange('0.1:0.5:0.1', false))).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
  });

  it('without an end goes on', () => {
    expect(levelsOf(parseRange('2:0:3', true)).slice(0, 3)).toEqual([2, 5, 8]);
  });

  it.each([
    ['', /START:END:STEP/],
    ['1:2:3:4', /START:END:STEP/],
    ['1.5', /whole numbers/],
    ['-1', /START:END:STEP/],
    ['x', /START:END:STEP/],
    ['0', /above 0/],
    ['1:5:0', /above 0/],
    ['5:1', /below START/],
    ['1:1001', /1000 levels/],
    ['1000001', /at most 1000000/],
  ])('%s is refused', (text, message) => {
    expect(() => parseRange(text, true)).toThrow(message);
  });
});

describe('the search', () => {
  const range = parseRange('1:100', true);
  /** A server whose latency is its load in milliseconds. */
  const run = async (plan: Partial<Parameters<typeof search>[0]>, stopAt = Infinity) =>
    (
      await search({ range, thresholdMs: undefined, binary: false, ...plan }, async (level) => ({
        level,
        latencyMs: level,
        interrupted: level >= stopAt,
      }))
    ).map(({ level }) => level);

  it('goes level by level, and ends with the first that is too slow', async () => {
    expect(await run({})).toHaveLength(100);
    expect(await run({ thresholdMs: 3 })).toEqual([1, 2, 3, 4]);
    expect(await run({}, 2)).toEqual([1, 2]);
  });

  it('by halves comes to the highest level that holds and the one above it', async () => {
    const levels = await run({ thresholdMs: 42, binary: true });
    expect(levels.slice(0, 3)).toEqual([1, 100, 50]);
    expect(levels).toContain(42);
    expect(levels).toContain(43);
    expect(levels.length).toBeLessThan(10);
    expect(new Set(levels).size).toBe(levels.length);
  });

  it('by halves ends early where there is nothing to find, and when it is stopped', async () => {
    expect(await run({ thresholdMs: 0.5, binary: true })).toEqual([1]);
    expect(await run({ thresholdMs: 100, binary: true })).toEqual([1, 100]);
    expect(await run({ thresholdMs: 42, binary: true }, 100)).toEqual([1, 100]);
  });

  it('takes a level without an answer for too slow', async () => {
    const rows = await search({ range, thresholdMs: 5, binary: false }, async () => ({
      latencyMs: undefined,
      interrupted: false,
    }));
    expect(rows).toHaveLength(1);
  });
});

describe('stability', () => {
  const windows = (...pairs: readonly (readonly [number, number])[]) =>
    pairs.map(([inferencesPerSecond, latencyMs]) => ({ inferencesPerSecond, latencyMs }));

  it('needs three windows, of throughput and of latency, at exactly the percentage', () => {
    expect(isStable(windows([100, 1], [100, 1]), 10)).toBe(false);
    expect(isStable(windows([100, 1], [110, 1.1], [105, 1]), 10)).toBe(true);
    expect(isStable(windows([100, 1], [111, 1], [105, 1]), 10)).toBe(false);
    expect(isStable(windows([100, 1], [100, 1.11], [100, 1]), 10)).toBe(false);
  });

  it('looks at the last three alone', () => {
    expect(isStable(windows([5, 90], [100, 1], [100, 1], [100, 1]), 10)).toBe(true);
    expect(isStable(windows([100, 1], [100, 1], [100, 1], [5, 90]), 10)).toBe(false);
  });

  it('is nothing that windows without an answer have', () => {
    expect(isStable(windows([0, 0], [0, 0], [0, 0]), 10)).toBe(false);
  });

  it('is not waited for when three windows are too slow', () => {
    const slow = windows([1, 9], [1, 8], [1, 7]);
    expect([isTooSlow(slow, 6), isTooSlow(slow, 7), isTooSlow(slow, undefined)]).toEqual([true, false, false]);
    expect(isTooSlow(slow.slice(1), 6)).toBe(false);
  });
});
