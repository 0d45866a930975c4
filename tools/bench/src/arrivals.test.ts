import { expect, test } from 'vitest';
import { poisson, steady } from './arrivals.ts';
import { seededUniform } from './onnx/graph-builder.ts';

const take = (arrivals: { next(): number }, count: number): number[] =>
  Array.from({ length: count }, () => arrivals.next());

test('steady arrivals do not drift: the thousandth is where it belongs', () => {
  expect(take(steady(8), 4)).toEqual([0, 125, 250, 375]);
  expect(take(steady(300), 1001)[1000]).toBeCloseTo(3333.333, 3);
});

test('Poisson arrivals ascend, have the rate, and gaps whose deviation is their mean', () => {
  const times = take(poisson(200, seededUniform(7)), 20_000);
  const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  expect(mean).toBeGreaterThan(4.85);
  expect(mean).toBeLessThan(5.15);
  expect(deviation / mean).toBeGreaterThan(0.95);
  expect(deviation / mean).toBeLessThan(1.05);
});

test('the same seed gives the same arrivals', () => {
  expect(take(poisson(50, seededUniform(3)), 10)).toEqual(take(poisson(50, seededUniform(3)), 10));
});
