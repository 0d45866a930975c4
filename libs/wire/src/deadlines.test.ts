import { FakeClock } from '@sluice/testkit/fake-clock';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';
import type { Dated } from './deadlines.ts';

function world() {
  const clock = new FakeClock();
  const deadlines = new Deadlines(clock);
  const ended: [number, number][] = [];
  const item = (deadlineAt: number): Dated => ({
    ...{ deadlineAt, heapIndex: -1 },
    expire: () => ended.push([deadlineAt, clock.monotonic()]),
  });
  return { clock, deadlines, ended, item };
}

it('end each at its own time, with one timer', () => {
  const { clock, deadlines, ended, item } = world();
  for (const at of [300, 100, 200, 100]) deadlines.add(item(at));
  expect(clock.pendingTimers).toBe(1);
  clock.advance(99);
  expect(ended).toEqual([]);
  clock.advance(1);
  expect(ended).toEqual([
    [100, 100],
    [100, 100],
  ]);
  clock.advance(1_000);
  expect(ended.slice(2)).toEqual([
    [200, 200],
    [300, 300],
  ]);
  expect(clock.pendingTimers).toBe(0);
});

it('have no timer for what never ends, and none after a stop', () => {
  const { clock, deadlines, ended, item } = world();
  deadlines.add(item(Infinity));
  expect(clock.pendingTimers).toBe(0);
  const stopped = item(10);
  deadlines.add(stopped);
  deadlines.stop();
  deadlines.remove(stopped);
  clock.advance(100);
  expect([clock.pendingTimers, ended]).toEqual([0, []]);
});

it('of whatever is added and removed, exactly what is left ends, in order', () => {
  const steps = fc.array(fc.record({ at: fc.integer({ min: 0, max: 500 }), removed: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (list) => {
      const { clock, deadlines, ended, item } = world();
      const items = list.map(({ at }) => item(at));
      for (const each of items) deadlines.add(each);
      list.forEach(({ removed }, index) => removed && deadlines.remove(items[index]!));
      clock.advance(500);
      const left = list.filter(({ removed }) => !removed).map(({ at }) => at);
      expect(ended).toEqual(left.sort((a, b) => a - b).map((at) => [at, at]));
      expect(items.every(({ heapIndex }) => heapIndex === -1)).toBe(true);
    }),
  );
});

it('ask for no timer that is longer than timers can be, and end at their time all the same', () => {
  const { clock, deadlines, ended, item } = world();
  const asked: number[] = [];
  const schedule = clock.schedule.bind(clock);
  clock.schedule = (ms, fn) => {
    asked.push(ms);
    return schedule(ms, fn);
  };
  const far = 2 ** 33;
  deadlines.add(item(far));
  clock.advance(far - 1);
  expect([ended, Math.max(...asked)]).toEqual([[], 2 ** 31 - 1]);
  clock.advance(1);
  expect(ended).toEqual([[far, far]]);
});
