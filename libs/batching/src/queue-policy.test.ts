import { describe, expect, test } from 'vitest';
import { Rig, TestRequest } from '../test/rig.ts';
import type { SchedulerOptions } from './options.ts';

/** A rig of single-row batches whose only instance is busy, so that what comes waits. */
function busy(options: Partial<SchedulerOptions>): Rig {
  const rig = new Rig({ maxBatchSize: 1, ...options });
  rig.add(1, { label: 'busy' });
  return rig;
}

/** Labels in the order in which they run from now on. */
function order(rig: Rig): string[] {
  const from = rig.batches.length;
  for (let i = from - 1; i < rig.batches.length; i++) rig.finish(i);
  return rig.batches.slice(from).map((batch) => batch.parts[0]!.request.label);
}

/** When a request that asks for this time-out expires, in milliseconds; `undefined` if it does not within 100. */
function expiry(options: Partial<SchedulerOptions>, timeoutMicroseconds: number, priority = 0): number | undefined {
  const rig = busy(options);
  const request = rig.add(1, { timeoutMicroseconds, priority });
  let at: number | undefined;
  request.onAnswer = () => (at = rig.clock.monotonic());
  rig.clock.advance(100);
  return at;
}

describe('a time-out of the request', () => {
  test('A7 a time-out that is no whole number from 0 up is refused', () => {
    const rig = busy({});
    for (const timeoutMicroseconds of [-1, 0.5, NaN]) {
      expect(rig.scheduler.enqueue(new TestRequest('x', 1, { timeoutMicroseconds }))).toMatchObject({
        kind: 'invalid-argument',
        message: `digits version 3: timeoutMicroseconds must be a whole number from 0 (none) up, got ${timeoutMicroseconds}`,
      });
    }
    // What 64 bits hold is no whole number that is safe to count with, but a time-out.
    expect(rig.scheduler.enqueue(new TestRequest('x', 1, { timeoutMicroseconds: 2 ** 63 }))).toBeUndefined();
  });

  test('T8 with allowTimeoutOverride it counts where there is no default, or it is smaller', () => {
    const allowTimeoutOverride = true;
    expect(expiry({ allowTimeoutOverride }, 2000)).toBe(2);
    expect(expiry({ allowTimeoutOverride }, 0)).toBeUndefined();
    const withDefault = { allowTimeoutOverride, defaultTimeoutMicroseconds: 5000 };
    expect(expiry(withDefault, 4999)).toBe(4.999);
    expect(expiry(withDefault, 5001)).toBe(5);
    expect(expiry(withDefault, 0)).toBe(5);
  });

  test('T8 who expires by it is told so', () => {
    const rig = busy({ allowTimeoutOverride: true, defaultTimeoutMicroseconds: 5000 });
    const request = rig.add(1, { timeoutMicroseconds: 2000 });
    rig.clock.advance(1.999);
    expect(request.outcome).toBe('waiting');
    rig.clock.advance(0.001);
    expect(request.answers).toMatchObject([
      {
        kind: 'deadline-exceeded',
        message:
          'digits version 3: the request waited 2.0 ms in the queue, longer than its own time-out allows (2000 µs)',
      },
    ]);
  });

  test('T9 without allowTimeoutOverride it is ignored', () => {
    expect(expiry({}, 2000)).toBeUndefined();
    expect(expiry({ defaultTimeoutMicroseconds: 5000 }, 2000)).toBe(5);
  });

  test('T10 a level with a policy of its own follows that alone', () => {
    const options: Partial<SchedulerOptions> = {
      priorityLevels: 3,
      defaultPriorityLevel: 2,
      allowTimeoutOverride: true,
      defaultTimeoutMicroseconds: 5000,
      priorityQueuePolicy: { 1: { defaultTimeoutMicroseconds: 7000 }, 3: { allowTimeoutOverride: true } },
    };
    expect([1, 2, 3].map((level) => expiry(options, 2000, level))).toEqual([7, 2, 2]);
    expect([1, 2, 3].map((level) => expiry(options, 0, level))).toEqual([7, 5, undefined]);
  });
});

describe('time-outs that delay', () => {
  const delay = { timeoutAction: 'DELAY', allowTimeoutOverride: true } as const;

  test('T11 at its time-out a request goes behind those of its level that have not timed out: one step before it no', () => {
    for (const [wait, expected] of [
      [1.999, ['late', 'next', 'other']],
      [2, ['next', 'other', 'late']],
    ] as const) {
      const rig = busy(delay);
      const late = rig.add(1, { label: 'late', timeoutMicroseconds: 2000 });
      rig.add(1, { label: 'next' });
      rig.add(1, { label: 'other', bucket: 'x' });
      rig.clock.advance(wait);
      expect(order(rig)).toEqual(expected);
      expect(late.outcome).toBe('ok');
    }
  });

  test('T11 those that come later go before it too', () => {
    const rig = busy(delay);
    rig.add(1, { label: 'late', timeoutMicroseconds: 2000 });
    rig.clock.advance(2);
    rig.add(1, { label: 'new' });
    expect(order(rig)).toEqual(['new', 'late']);
  });

  test('T11 it goes before those of lower levels', () => {
    const rig = busy({ ...delay, priorityLevels: 2, defaultPriorityLevel: 1 });
    rig.add(1, { label: 'low', priority: 2 });
    rig.add(1, { label: 'late', timeoutMicroseconds: 2000 });
    rig.add(1, { label: 'high' });
    rig.clock.advance(2);
    expect(order(rig)).toEqual(['high', 'late', 'low']);
  });

  test('T12 delayed ones are served in the order of their time-outs, and of their coming where these are equal', () => {
    const rig = busy(delay);
    for (const [i, timeoutMicroseconds] of [3000, 1000, 2000, 1000, 3000, 1000].entries()) {
      rig.add(1, { label: `${i}`, timeoutMicroseconds });
    }
    rig.add(1, { label: 'in time' });
    // As by a late timer: all of them are seen to have timed out at once.
    rig.clock.monotonic = () => 3;
    expect(order(rig)).toEqual(['in time', '1', '3', '5', '2', '0', '4']);
  });

  test('T12 so they are between buckets', () => {
    const rig = busy(delay);
    rig.add(1, { label: 'first', bucket: 'x', timeoutMicroseconds: 3000 });
    rig.add(1, { label: 'second', bucket: 'y', timeoutMicroseconds: 1000 });
    rig.add(1, { label: 'third', bucket: 'z', timeoutMicroseconds: 2000 });
    rig.clock.advance(3);
    expect(order(rig)).toEqual(['second', 'third', 'first']);
  });

  test('T13 its deadline ends it: at its time-out, or after it', () => {
    const rig = busy(delay);
    const delayed = rig.add(1, { timeoutMicroseconds: 2000, deadlineMs: 5 });
    const both = rig.add(1, { timeoutMicroseconds: 2000, deadlineMs: 2 });
    rig.clock.advance(2);
    expect([delayed.outcome, both.outcome]).toEqual(['waiting', 'deadline-exceeded']);
    rig.clock.advance(2.999);
    expect(delayed.outcome).toBe('waiting');
    rig.clock.advance(0.001);
    expect(delayed.outcome).toBe('deadline-exceeded');
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('T14 a divided request keeps its place at its time-out', () => {
    const rig = new Rig({ ...delay, maxBatchSize: 2 });
    const divided = rig.add(3, { label: 'divided', timeoutMicroseconds: 2000, deadlineMs: 10 });
    rig.add(1, { label: 'next' });
    rig.clock.advance(2);
    rig.finish(0);
    expect(rig.shape(1)).toBe('divided:1 next:1');
    rig.finish(1);
    expect(divided.outcome).toBe('ok');
  });

  test('T14 its deadline ends it all the same', () => {
    const rig = new Rig({ ...delay, maxBatchSize: 2 });
    const divided = rig.add(3, { timeoutMicroseconds: 2000, deadlineMs: 10 });
    rig.clock.advance(9.999);
    expect(divided.outcome).toBe('waiting');
    rig.clock.advance(0.001);
    expect(divided.outcome).toBe('deadline-exceeded');
  });

  test('T15 a delayed request keeps its place in the bound', () => {
    const rig = busy({ ...delay, maxQueueSize: 1 });
    rig.add(1, { timeoutMicroseconds: 2000 });
    rig.clock.advance(2);
    expect(rig.scheduler.enqueue(new TestRequest('x', 1))?.kind).toBe('resource-exhausted');
    expect(rig.scheduler.stats().queuedRequests).toBe(1);
  });

  test('T16 delays make preferred sizes, and need no timer of their own', () => {
    const options = { ...delay, maxBatchSize: 8, preferredBatchSize: [3], maxQueueDelayMicroseconds: 1_000_000 };
    const rig = new Rig({ ...options, instances: 1 });
    rig.add(8, { label: 'busy' });
    rig.add(2, { label: 'late', timeoutMicroseconds: 2000 });
    rig.add(3, { label: 'three', deadlineMs: 1000 });
    expect(rig.clock.pendingTimers).toBe(1);
    rig.clock.advance(2);
    expect(rig.clock.pendingTimers).toBe(1);
    rig.finish(0);
    expect(rig.shape(1)).toBe('three:3');
  });
});
