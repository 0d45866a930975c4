import { expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

it('a budget lets as much in as fits, in the order in which it was asked, and one thing of any size alone', async () => {
  const budget = new ByteBudget(10);
  const got: string[] = [];
  const take = (name: string, size: number): void => void budget.take(size).then(() => got.push(name));
  take('a', 6);
  take('b', 4);
  take('c', 1);
  take('large', 50);
  take('d', 1);
  await turns();
  expect([got, budget.held]).toEqual([['a', 'b'], 10]);
  budget.give(1);
  await turns();
  expect([got, budget.held]).toEqual([['a', 'b', 'c'], 10]);
  budget.give(2);
  // There is room for it, but others were first.
  take('e', 1);
  await turns();
  expect([got, budget.held]).toEqual([['a', 'b', 'c'], 8]);
  budget.give(8);
  await turns();
  expect([got, budget.held]).toEqual([['a', 'b', 'c', 'large'], 50]);
  budget.give(50);
  await turns();
  expect([got, budget.held]).toEqual([['a', 'b', 'c', 'large', 'd', 'e'], 2]);
});
