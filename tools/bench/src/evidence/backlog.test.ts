import { expect, test } from 'vitest';
import { growthOf, type BacklogSample } from './backlog.ts';

/** A minute of looks, four a second. @param storedPerSecond what feedback takes; it commits by batches of 3,000 */
function minute(perSecond: number, storedPerSecond: number, own: Partial<BacklogSample> = {}): BacklogSample[] {
  return Array.from({ length: 241 }, (_, index) => {
    const stored = Math.floor((index / 4) * storedPerSecond);
    return {
      ...{ atMs: index * 250, kept: 1_000 + (index / 4) * perSecond, stored: stored - (stored % 3_000) },
      ...{ dropped: 7, keepProbability: 1, ...own },
    };
  });
}

test('a spool of which as much is taken as comes does not grow, whatever a batch has', () => {
  expect(growthOf(minute(8_000, 8_000), 8_000)).toBeUndefined();
});

test('one of which less is taken grows, and by how much is said', () => {
  expect(growthOf(minute(8_000, 7_500), 8_000)).toMatch(/^\d+ records more after 40\.\d s$/);
});

test('what a hundredth of the time may hold is no growth, more is', () => {
  // Between the middles of the first and of the last third lie 40 s: 0.5 s and a hundredth of that are 7,200 records.
  const even = (more: number): BacklogSample[] =>
    minute(8_000, 8_000).map((sample, index) => ({ ...sample, stored: sample.kept - (index < 120 ? 0 : more) }));
  expect(growthOf(even(7_100), 8_000)).toBeUndefined();
  expect(growthOf(even(7_400), 8_000)).toMatch('7400 records more');
});

test('one that drops records, or keeps a share of them, is no longer one that holds them', () => {
  const dropping = minute(8_000, 8_000).map((sample, index) => ({ ...sample, dropped: index < 200 ? 7 : 9 }));
  expect(growthOf(dropping, 8_000)).toBe('2 records were dropped');
  expect(growthOf(minute(8_000, 8_000, { keepProbability: 0.9 }), 8_000)).toBe('not all records were kept');
});

test('a few looks say nothing', () => {
  expect(growthOf(minute(8_000, 8_000).slice(0, 5), 8_000)).toBe('it was looked at too seldom to say');
  expect(growthOf(minute(8_000, 8_000).slice(0, 6), 8_000)).toBeUndefined();
});
