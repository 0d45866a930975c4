import { expect, test } from 'vitest';
import { ideal } from './durable.ts';

test('what a group commit allows is all in flight over a sync and the latency without one', () => {
  // 64 in flight at 6,400/s are answered in 10 ms each; with a sync of 6 ms, in 16.
  expect(ideal(6, 6_400)).toBeCloseTo(4_000, 6);
  expect(ideal(0, 6_400)).toBeCloseTo(6_400, 6);
});
