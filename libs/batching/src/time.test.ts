import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, test } from 'vitest';
import { Rig } from '../test/rig.ts';

/** A clock whose timers never fire by themselves, as those of a busy event loop. */
class LateClock extends FakeClock {
  readonly late: (() => void)[] = [];
  readonly delays: number[] = [];

  override schedule(ms: number, fn: () => void): { cancel: () => void } {
    this.late.push(fn);
    this.delays.push(ms);
    return { cancel: () => undefined };
  }
}

describe('deadlines and time-outs', () => {
  test('T1 the deadline of a waiting request: one step before it no, at it yes', () => {
    const rig = new Rig({ maxBatchSize: 1 });
    rig.add(1);
    const request = rig.add(1, { deadlineMs: 10 });
    rig.clock.advance(9.999);
    expect(request.outcome).toBe('waiting');
    rig.clock.advance(0.001);
    expect(request.answers).toMatchObject([
      {
        kind: 'deadline-exceeded',
        message:
          'digits version 3: the request waited 10.0 ms in the queue and its deadline passed; give it more time or lower the load',
      },
    ]);
    rig.finish(0);
    expect(rig.batches).toHaveLength(1);
  });

  test('T2 the time-out of the queue: one step before it no, at it yes', () => {
    const rig = new Rig({ maxBatchSize: 1, defaultTimeoutMicroseconds: 3000 });
    rig.add(1);
    rig.clock.advance(100);
    const request = rig.add(1);
    rig.clock.advance(2.999);
    expect(request.outcome).toBe('waiting');
    rig.clock.advance(0.001);
    expect(request.answers).toMatchObject([
      {
        kind: 'deadline-exceeded',
        message:
          'digits version 3: the request waited 3.0 ms in the queue, longer than defaultTimeoutMicroseconds allows (3000 µs)',
      },
    ]);
  });

  test('T2 of deadline and time-out the earlier one counts', () => {
    const rig = new Rig({ maxBatchSize: 1, defaultTimeoutMicroseconds: 3000 });
    rig.add(1);
    const own = rig.add(1, { deadlineMs: 2 });
    const queue = rig.add(1, { deadlineMs: 4 });
    rig.clock.advance(2);
    expect([own.outcome, queue.outcome]).toEqual(['deadline-exceeded', 'waiting']);
    rig.clock.advance(1);
    expect(queue.outcome).toBe('deadline-exceeded');
  });

  test('T3 one clock timer serves all deadlines, delays and the drain, and deadlines need not come in order', () => {
    const rig = new Rig({ maxBatchSize: 1000, maxQueueDelayMicroseconds: 1_000_000, defaultTimeoutMicroseconds: 5e6 });
    rig.add(1000);
    const requests = [7, 3, 9, 1, 5].map((deadlineMs) => rig.add(1, { deadlineMs }));
    for (let i = 0; i < 100; i++) rig.add(1);
    void rig.scheduler.drain(100);
    expect(rig.clock.pendingTimers).toBe(1);
    const expired = (): number[] => requests.filter(({ outcome }) => outcome !== 'waiting').map((r) => r.deadlineMs);
    const seen: number[][] = [];
    for (let t = 0; t < 10; t++) {
      rig.clock.advance(1);
      seen.push(expired());
      expect(rig.clock.pendingTimers).toBe(1);
    }
    expect(seen.map((list) => list.length)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
  });

  test('T4 an expired request is in no batch, even when the timer is late', () => {
    const clock = new LateClock();
    const rig = new Rig({ maxBatchSize: 8 }, { clock });
    rig.add(1);
    const expired = rig.add(1, { deadlineMs: 10 });
    rig.add(1);
    clock.advance(10);
    rig.finish(0);
    expect(rig.shapes()).toEqual(['a:1', 'c:1']);
    expect(expired.outcome).toBe('deadline-exceeded');
  });

  test('T5 a deadline does not stop what runs already', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    const request = rig.add(1, { deadlineMs: 10 });
    rig.clock.advance(20);
    rig.finish(0);
    expect(request.outcome).toBe('ok');
  });

  test('T6 a timer is set for an hour at most, so that no deadline is too far for the clock', () => {
    const clock = new LateClock();
    const rig = new Rig({ maxBatchSize: 1 }, { clock });
    rig.add(1);
    const request = rig.add(1, { deadlineMs: 3_600_001 });
    clock.advance(3_600_000);
    clock.late[0]!();
    expect(request.outcome).toBe('waiting');
    clock.advance(1);
    clock.late[1]!();
    expect(request.outcome).toBe('deadline-exceeded');
    expect(clock.delays).toEqual([3_600_000, 1]);
  });

  test('T7 who is told that it expired may enqueue again: its place is free by then', () => {
    const rig = new Rig({ maxBatchSize: 1, maxQueueSize: 1 });
    rig.add(1);
    const expiring = rig.add(1, { deadlineMs: 10 });
    expiring.onAnswer = () => void rig.add(1, { label: 'again' });
    rig.clock.advance(10);
    rig.finish(0);
    expect(rig.shape(1)).toBe('again:1');
  });

  test('T7 what is enqueued while a failure is told is not forgotten: a full batch leaves at once', () => {
    const rig = new Rig({ maxBatchSize: 4, maxQueueDelayMicroseconds: 5000 });
    const cancelled = rig.add(1);
    cancelled.onAnswer = () => void rig.add(4, { label: 'full' });
    rig.scheduler.cancel(cancelled);
    expect(rig.shapes()).toEqual(['full:4']);
  });
});

describe('cancelling', () => {
  test('C1 a waiting request leaves the queue and is answered at once, once', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4);
    const cancelled = rig.add(3);
    rig.add(2);
    rig.add(2);
    expect(rig.scheduler.cancel(cancelled)).toBe(true);
    expect(cancelled.outcome).toBe('cancelled');
    rig.finish(0);
    expect(rig.shape(1)).toBe('c:2 d:2');
    expect(cancelled.outcome).toBe('cancelled');
  });

  test('C2 a running request is answered at once, its rows are dropped, and the runner can know', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    const cancelled = rig.add(1);
    const kept = rig.add(1);
    rig.finish(0);
    const batch = rig.batches[1]!;
    expect(batch.parts.map((part) => batch.wanted(part))).toEqual([true, true]);
    expect(rig.scheduler.cancel(cancelled)).toBe(true);
    expect(batch.parts.map((part) => batch.wanted(part))).toEqual([false, true]);
    expect(cancelled.outcome).toBe('cancelled');
    rig.finish(1);
    expect([cancelled.outcome, cancelled.parts.length, kept.outcome]).toEqual(['cancelled', 0, 'ok']);
  });

  test('C3 a request that was answered, or never accepted, cannot be cancelled', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    const request = rig.add(1);
    rig.finish(0);
    expect(rig.scheduler.cancel(request)).toBe(false);
    expect(request.outcome).toBe('ok');
    const twice = rig.add(1);
    expect([rig.scheduler.cancel(twice), rig.scheduler.cancel(twice)]).toEqual([true, false]);
    expect(twice.outcome).toBe('cancelled');
  });

  test('C4 a request may cancel itself while it takes its rows', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    const request = rig.add(1);
    request.onRows = () => void rig.scheduler.cancel(request);
    rig.finish(0);
    expect(request.outcome).toBe('cancelled');
  });
});
