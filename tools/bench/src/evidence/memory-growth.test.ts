import { expect, test } from 'vitest';
import { growthAfter, type MemorySample } from './memory-growth.ts';

const samples = (bytesAt: (seconds: number) => number): MemorySample[] =>
  Array.from({ length: 400 }, (_, index) => ({ seconds: index / 4, bytes: bytesAt(index / 4) }));

test('what grew before it had settled is not counted, what grew afterwards is', () => {
  expect(
    growthAfter(
      samples((seconds) => Math.min(seconds, 30)),
      30,
      100,
    ),
  ).toBe(0);
  expect(
    growthAfter(
      samples((seconds) => seconds),
      30,
      100,
    ),
  ).toBeCloseTo(60, 6);
  expect(
    growthAfter(
      samples((seconds) => -seconds),
      30,
      100,
    ),
  ).toBeCloseTo(-60, 6);
});

test('a single look that is high counts for nothing', () => {
  expect(
    growthAfter(
      samples((seconds) => (seconds === 99 ? 1e9 : 5)),
      30,
      100,
    ),
  ).toBe(0);
});

test('without looks at one of the two times there is no figure', () => {
  expect(growthAfter(samples(() => 5).slice(0, 20), 30, 100)).toBeNaN();
});
