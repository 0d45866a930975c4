import { expect, test } from 'vitest';
import { evidenceSizes, slicePlan } from './sizes.ts';

test('the usual run has a million rows and short holds, the full one what the targets name', () => {
  expect(evidenceSizes({ kind: 'usual' })).toMatchObject({ rows: 1_000_000, holdSeconds: 20, awaySeconds: 90 });
  expect(evidenceSizes({ kind: 'full' })).toEqual({
    ...{ rows: 10_000_000, holdSeconds: 60, awaySeconds: 300, probeSeconds: 8, settledSeconds: 60 },
  });
});

test('what is said wins, and the rest follows from it', () => {
  const sizes = evidenceSizes({ kind: 'usual', rows: 5_000, holdSeconds: 3, awaySeconds: 12 });
  expect(sizes).toEqual({ rows: 5_000, holdSeconds: 3, awaySeconds: 12, probeSeconds: 3, settledSeconds: 4 });
});

test('memory settles within the first minute, however long the database is away', () => {
  expect(evidenceSizes({ kind: 'usual' }).settledSeconds).toBe(30);
  expect(evidenceSizes({ kind: 'usual', awaySeconds: 600 }).settledSeconds).toBe(60);
});

test('each group has as many slices of one size, and together they have all rows', () => {
  expect(slicePlan(1_000_000, 5)).toEqual({ groups: 5, slicesPerGroup: 4, rowsPerSlice: 50_000 });
  const odd = slicePlan(1_000_001, 5);
  expect(odd.slicesPerGroup).toBe(5);
  expect(odd.groups * odd.slicesPerGroup * odd.rowsPerSlice).toBeGreaterThanOrEqual(1_000_001);
  expect(odd.rowsPerSlice).toBeLessThanOrEqual(50_000);
});

test('few rows are one slice for each group, and none is too small to say anything', () => {
  expect(slicePlan(20_000, 1)).toEqual({ groups: 1, slicesPerGroup: 1, rowsPerSlice: 20_000 });
  expect(slicePlan(100, 5)).toEqual({ groups: 5, slicesPerGroup: 1, rowsPerSlice: 1_000 });
});
