import { describe, expect, test } from 'vitest';
import { Rig, TestRequest } from '../test/rig.ts';

describe('accepting requests', () => {
  test('A1 a refused request stays its caller’s: none of its callbacks is called', async () => {
    const rig = new Rig({ maxBatchSize: 1, maxQueueSize: 1 });
    rig.add(1);
    rig.add(1);
    const refused = new TestRequest('refused', 1);
    expect(rig.scheduler.enqueue(refused)?.kind).toBe('resource-exhausted');
    expect(rig.scheduler.cancel(refused)).toBe(false);
    await rig.scheduler.drain(0);
    expect(refused.outcome).toBe('waiting');
    expect(refused.ticket).toBeUndefined();
  });

  test.each([-1, 1.5, NaN, Infinity])('A2 rows must be a whole number from 0 up, not %d', (rows) => {
    const rig = new Rig({ maxBatchSize: 8 });
    expect(rig.scheduler.enqueue(new TestRequest('a', rows))).toMatchObject({
      kind: 'invalid-argument',
      message: `digits version 3: rows must be a whole number from 0 up, got ${rows}`,
    });
  });

  test('A3 a deadline that is now is refused, one a step later is accepted', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    rig.clock.advance(100);
    expect(rig.scheduler.enqueue(new TestRequest('a', 1, { deadlineMs: 100 }))?.kind).toBe('deadline-exceeded');
    expect(rig.scheduler.enqueue(new TestRequest('b', 1, { deadlineMs: 100.001 }))).toBeUndefined();
    expect(rig.shapes()).toEqual(['b:1']);
  });

  test('A3 a deadline that is no number is refused', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    expect(rig.scheduler.enqueue(new TestRequest('a', 1, { deadlineMs: NaN }))?.kind).toBe('invalid-argument');
  });

  test('A4 a request object is used once', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    const request = rig.add(1);
    expect(rig.scheduler.enqueue(request)?.kind).toBe('internal');
    rig.finish(0);
    expect(rig.scheduler.enqueue(request)?.kind).toBe('internal');
    expect(request.outcome).toBe('ok');
  });

  test('A5 after stop every request is refused unavailable', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    rig.scheduler.stop();
    expect(rig.scheduler.enqueue(new TestRequest('a', 1))).toMatchObject({
      kind: 'unavailable',
      message: 'digits version 3 is stopping',
    });
  });
});

describe('the bound of the queue', () => {
  test('Q1 request number maxQueueSize is accepted, the next is refused and told when to try again', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueSize: 3 });
    rig.add(8);
    for (let i = 0; i < 3; i++) rig.add(1);
    expect(rig.scheduler.enqueue(new TestRequest('late', 1))).toMatchObject({
      kind: 'resource-exhausted',
      retryAfterMs: 1,
      message: 'digits version 3: the queue is full (maxQueueSize is 3 requests); try again in 1 ms',
    });
    expect(rig.scheduler.stats().queuedRequests).toBe(3);
  });

  test('Q2 what runs is not counted, a request that is still being split is', () => {
    const rig = new Rig({ maxBatchSize: 2, maxQueueSize: 1, instances: 2 });
    rig.add(2);
    const split = rig.add(3);
    expect(rig.shapes()).toEqual(['a:2', 'b:2']);
    expect(rig.scheduler.enqueue(new TestRequest('late', 1))?.kind).toBe('resource-exhausted');
    rig.finish(0);
    rig.add(1);
    rig.finish(1);
    rig.finish(2);
    expect(split.outcome).toBe('ok');
  });

  test('Q3 a cancelled or expired request makes room at once, even when its timer is late', () => {
    const rig = new Rig({ maxBatchSize: 1, maxQueueSize: 1 });
    rig.add(1);
    rig.scheduler.cancel(rig.add(1));
    const expiring = rig.add(1, { deadlineMs: 5 });
    expect(rig.scheduler.enqueue(new TestRequest('late', 1))?.kind).toBe('resource-exhausted');
    rig.clock.monotonic = () => 5;
    rig.add(1);
    expect(expiring.outcome).toBe('deadline-exceeded');
  });

  test('Q4 without a bound the queue takes what comes', () => {
    const rig = new Rig({ maxBatchSize: 1 });
    for (let i = 0; i < 10_001; i++) rig.add(1);
    expect(rig.scheduler.stats().queuedRequests).toBe(10_000);
  });

  test('Q5 when forming is deferred, what may leave at once leaves before anybody is refused', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueSize: 2 }, { defer: () => undefined });
    for (let i = 0; i < 4; i++) rig.add(1);
    expect(rig.shapes()).toEqual(['a:1 b:1']);
    expect(rig.scheduler.enqueue(new TestRequest('late', 1))?.kind).toBe('resource-exhausted');
  });

  test('Q6 the time to wait grows with the mean run time and the batches in the queue, over the instances', () => {
    const rig = new Rig({ maxBatchSize: 2, maxQueueSize: 5, instances: 2 });
    rig.add(1);
    rig.add(1);
    rig.clock.advance(40);
    rig.finish(0);
    rig.finish(1);
    for (let i = 0; i < 7; i++) rig.add(1);
    expect(rig.scheduler.enqueue(new TestRequest('late', 1))?.retryAfterMs).toBe(60);
  });
});
