import { expect, it } from 'vitest';
import { Memory } from './memory.ts';

it('takes up to its limit, and nothing where there is no room', () => {
  const memory = new Memory(10);
  expect([memory.take(9), memory.take(2), memory.used]).toEqual([true, false, 9]);
  expect([memory.take(1), memory.take(1), memory.used]).toEqual([true, false, 10]);
  memory.give(4);
  expect([memory.take(5), memory.take(4), memory.take(0), memory.used]).toEqual([false, true, true, 10]);
});

it('shares a larger bound with others, whose room it leaves when it has none itself', () => {
  const all = new Memory(15);
  const [one, other] = [new Memory(10, all), new Memory(10, all)];
  expect([one.take(11), all.used]).toEqual([false, 0]);
  expect([one.take(10), other.take(6), other.take(5)]).toEqual([true, false, true]);
  expect([one.used, other.used, all.used]).toEqual([10, 5, 15]);
  one.give(10);
  expect([one.used, all.used, other.take(5), all.used]).toEqual([0, 5, true, 10]);
});
