import { expect, test } from 'vitest';
import type { Measure } from './measure.ts';
import { joinSlices, slicesOf } from './slices.ts';

const slice = (changes: Partial<Measure>): Measure => ({
  requestsPerSecond: 100,
  seconds: 1,
  sent: 100,
  p50Ms: 1,
  p99Ms: 2,
  cpuUs: { server: 50 },
  threadCpuUs: {},
  averageBatch: 4,
  generatorShare: 0.1,
  generatorCeiling: 1000,
  generatorProblems: [],
  checkProblems: [],
  ...changes,
});

test('a run is cut only into slices that go several times through what is in flight', () => {
  expect(slicesOf(100_000, 64)).toBe(4);
  expect(slicesOf(2 * 4 * 64, 64)).toBe(2);
  expect(slicesOf(2 * 4 * 64 - 1, 64)).toBe(1);
  expect(slicesOf(10, 64)).toBe(1);
});

test('slices count by their length and by their requests', () => {
  const joined = joinSlices([
    slice({ requestsPerSecond: 100, seconds: 1, sent: 100, cpuUs: { server: 50 }, p50Ms: 1 }),
    slice({ requestsPerSecond: 200, seconds: 3, sent: 600, cpuUs: { server: 57 }, p50Ms: 5, p99Ms: 8 }),
    slice({ requestsPerSecond: 100, seconds: 1, sent: 100, p50Ms: 2, checkProblems: ['one wrong'] }),
  ]);
  expect(joined).toMatchObject({ requestsPerSecond: 160, seconds: 5, sent: 800, p50Ms: 2, p99Ms: 2, averageBatch: 4 });
  expect(joined.cpuUs['server']).toBeCloseTo(55.25);
  expect(joined.checkProblems).toEqual(['one wrong']);
});

test('one slice is the run', () => {
  const only = slice({});
  expect(joinSlices([only])).toBe(only);
});
