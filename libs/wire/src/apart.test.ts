import { FakeClock } from '@sluice/testkit/fake-clock';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { apart } from './apart.ts';
import { Deadlines } from './deadlines.ts';
import { ServerSide } from '../test/connections.ts';
import { request } from '../test/frames.ts';

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

it('a connection that is lost tells all of its streams, and is over, though one of them throws', () => {
  const side = ServerSide.begun();
  side.write(request(1), request(3));
  side.taken[0]!.sink.aborted = failing('of a handler');
  side.connection.lost(undefined);
  expect([thrown, side.taken[1]!.sink.events.at(-1)]).toEqual([['of a handler'], 'aborted NO_ERROR connection']);
  expect([side.over !== undefined, side.connection.streamCount]).toEqual([true, 0]);
});
