import { FakeClock } from '@sluice/testkit/fake-clock';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { apart } from './apart.ts';
import { Deadlines } from './deadlines.ts';

/** What is thrown apart, which would end this process. */
let thrown: string[] = [];
beforeEach(() => {
  thrown = [];
  vi.stubGlobal('queueMicrotask', (fn: () => void) => {
    try {
      fn();
    } catch (error) {
      thrown.push((error as Error).message);
    }
  });
});
afterEach(() => void vi.unstubAllGlobals());

const failing = (message: string) => (): never => {
  throw new Error(message);
};

it('what somebody else throws is thrown, and not through us', () => {
  let ran = false;
  apart(failing('mine'));
  apart(() => void (ran = true));
  expect([thrown, ran]).toEqual([['mine'], true]);
});

it('a deadline whose owner throws holds up no other', () => {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const ended: number[] = [];
  for (const deadlineAt of [1, 2, 5]) {
    const expire = deadlineAt === 1 ? failing('of the first') : () => void ended.push(deadlineAt);
    deadlines.add({ deadlineAt, heapIndex: -1, expire });
  }
  clock.advance(10);
  expect([thrown, ended]).toEqual([['of the first'], [2, 5]]);
});
