import { describe, expect, test } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { CreepingClock, ticks } from '../test/creeping-clock.ts';
import { Rig } from '../test/rig.ts';

describe('stopping', () => {
  test('D1 after stop nothing waits for company, only for an instance', () => {
    const rig = new Rig({ maxBatchSize: 2, preferredBatchSize: [2], maxQueueDelayMicroseconds: 5000 });
    rig.add(1);
    rig.add(1, { bucket: 'x' });
    rig.scheduler.stop();
    expect(rig.shapes()).toEqual(['a:1']);
    rig.finish(0);
    expect(rig.shape(1)).toBe('b:1');
  });

  test('D2 a drain ends when the last batch is answered and its instance is free', async () => {
    const rig = new Rig({ maxBatchSize: 1 });
    const requests = [rig.add(1), rig.add(1)];
    let report: unknown = 'draining';
    void rig.scheduler.drain(1000).then((value) => (report = value));
    rig.finish(0);
    rig.batches[1]!.complete('result', 1);
    await Promise.resolve();
    expect(report).toBe('draining');
    rig.batches[1]!.free();
    await Promise.resolve();
    expect(report).toEqual({ failed: 0, runningBatches: 0 });
    expect(requests.map((request) => request.outcome)).toEqual(['ok', 'ok']);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('D6 whenever its time comes, also between two looks at the clock, nothing waits when a drain ends', async () => {
    for (const tick of ticks) {
      const rig = new Rig({ maxBatchSize: 1 }, {}, new CreepingClock(tick, 0.5));
      const [running, waiting] = [rig.add(1), rig.add(1)];
      let atEnd: unknown;
      void rig.scheduler.drain(20).then((report) => (atEnd = [report, waiting.outcome]));
      rig.clock.advance(40);
      await Promise.resolve();
      expect([tick, atEnd]).toEqual([tick, [{ failed: 1, runningBatches: 1 }, 'unavailable']]);
      expect(running.outcome).toBe('waiting');
    }
  });

  test('D2 a drain of an idle scheduler ends at once', async () => {
    const rig = new Rig({ maxBatchSize: 1 });
    expect(await rig.scheduler.drain(1000)).toEqual({ failed: 0, runningBatches: 0 });
  });

  test('D3 the time of a drain: one step before it what waits goes on waiting, at it it fails', async () => {
    const rig = new Rig({ maxBatchSize: 1 });
    const [running, waiting] = [rig.add(1), rig.add(1)];
    const drained = rig.scheduler.drain(100);
    rig.clock.advance(99.999);
    expect(waiting.outcome).toBe('waiting');
    rig.clock.advance(0.001);
    expect(waiting.outcome).toBe('unavailable');
    expect(await drained).toEqual({ failed: 1, runningBatches: 1 });
    rig.finish(0);
    expect(running.outcome).toBe('ok');
  });

  test('D3 the time of a drain ends it though nothing waits and a batch never ends', async () => {
    const rig = new Rig({ maxBatchSize: 1 });
    rig.add(1);
    let report: unknown = 'draining';
    void rig.scheduler.drain(100).then((value) => (report = value));
    rig.clock.advance(99.999);
    await Promise.resolve();
    expect(report).toBe('draining');
    rig.clock.advance(0.001);
    await Promise.resolve();
    expect(report).toEqual({ failed: 0, runningBatches: 1 });
  });

  test('D4 a drain without time fails what waits at once', async () => {
    const rig = new Rig({ maxBatchSize: 1 });
    rig.add(1);
    const waiting = [rig.add(1), rig.add(1, { bucket: 'x' })];
    expect(await rig.scheduler.drain(0)).toEqual({ failed: 2, runningBatches: 1 });
    expect(waiting.map((request) => request.outcome)).toEqual(['unavailable', 'unavailable']);
  });

  test('D5 a second drain may bring the time forward, never back, and both end together', async () => {
    const rig = new Rig({ maxBatchSize: 1 });
    rig.add(1);
    rig.add(1);
    const both = Promise.all([rig.scheduler.drain(1000), rig.scheduler.drain(10), rig.scheduler.drain(500)]);
    rig.clock.advance(10);
    expect(await both).toEqual(Array.from({ length: 3 }, () => ({ failed: 1, runningBatches: 1 })));
  });
});

describe('statistics', () => {
  test('M1 they count what was accepted, what became of it, and what is there now', async () => {
    const rig = new Rig({ maxBatchSize: 4, maxQueueSize: 5, instances: 1 });
    rig.add(4);
    rig.add(2);
    rig.add(3, { bucket: 'x', deadlineMs: 10 });
    rig.scheduler.cancel(rig.add(1));
    rig.clock.advance(2);
    expect(rig.scheduler.stats()).toEqual({
      queuedRequests: 2,
      queuedRows: 5,
      levels: [{ requests: 2, rows: 5 }],
      queuedBuckets: 2,
      runningBatches: 1,
      runningRows: 4,
      openBatches: 0,
      openRows: 0,
      openRequests: 0,
      freeInstances: 0,
      accepted: 4,
      succeeded: 0,
      lost: { refused: 0, expired: 0, cancelled: 1, stopped: 0, 'batch-failed': 0 },
      batches: 1,
      batchedRows: 4,
      paddingRows: 0,
    });
    rig.clock.advance(8);
    rig.finish(0);
    rig.batches[1]!.fail(new SluiceError('internal', 'no'));
    rig.batches[1]!.free();
    rig.add(1);
    rig.add(1);
    await rig.scheduler.drain(0);
    expect(() => rig.add(1)).toThrow('stopping');
    expect(rig.scheduler.stats()).toMatchObject({
      accepted: 6,
      succeeded: 1,
      lost: { refused: 1, expired: 1, cancelled: 1, stopped: 1, 'batch-failed': 1 },
      batches: 3,
      batchedRows: 7,
    });
  });
});
