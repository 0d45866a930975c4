import { expect, test } from 'vitest';
import { windowOf } from './open-loop-job.ts';

const result = {
  dueAtMs: [900, 1000, 1100, 1200, 1999, 2000],
  tookMs: [1, 10, 2, 30, null, 1],
  kinds: ['ok', 'ok', 'resource-exhausted', 'ok', 'open', 'ok'],
  worstLateMs: 0,
  cpuSeconds: 0,
  seconds: 1,
};

test('a window has the requests that were due in it, by how they ended', () => {
  expect(windowOf(result, 1000, 2000)).toEqual({
    due: 4,
    goodPerSecond: 2,
    goodP99Ms: 30,
    refused: 1,
    refusedP99Ms: 2,
    others: { open: 1 },
  });
});

test('a window without requests has none, and no times', () => {
  const { due, goodPerSecond, refusedP99Ms } = windowOf(result, 5000, 6000);
  expect([due, goodPerSecond, refusedP99Ms]).toEqual([0, 0, NaN]);
});
