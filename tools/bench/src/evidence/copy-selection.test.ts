import { expect, test } from 'vitest';
import { copySelection, slotOf } from './copy-selection.ts';

const base = Date.UTC(2026, 10, 28, 12);

test('slices go to the days by turns, and within a day each comes after the one before', () => {
  const slots = Array.from({ length: 12 }, (_, index) => slotOf(base, 5, index));
  expect(slots.slice(0, 6).map(({ fromMs }) => (fromMs - base) / 1000)).toEqual([
    0, -86_400, -172_800, -259_200, -345_600, 10,
  ]);
  for (const [index, { fromMs }] of slots.entries()) {
    const before = slots[index - 5];
    if (before) expect(fromMs).toBeGreaterThanOrEqual(before.fromMs + before.spanMs);
  }
});

test('of all columns only the id and its time are moved', () => {
  const selection = copySelection(['class', 'prediction_id', 'received_at', 'response'], -86_400_000);
  expect(selection.startsWith('class, (lpad(')).toBe(true);
  expect(selection).toContain('+ -86400000), 12');
  expect(selection).toContain("received_at + -86400000 * interval '1 millisecond' AS received_at");
  expect(selection.endsWith(', response')).toBe(true);
});
