import { describe, expect, test } from 'vitest';
import { Rig, TestRequest } from '../test/rig.ts';
import type { SchedulerOptions } from './options.ts';

const levels = { maxBatchSize: 4, priorityLevels: 3, defaultPriorityLevel: 2 };

/** A rig whose only instance is busy, so that what comes waits. */
function busy(options: Partial<SchedulerOptions>): Rig {
  const rig = new Rig(options);
  rig.add(options.maxBatchSize ?? 1, { bucket: 'busy', label: 'busy', priority: options.priorityLevels ?? 0 });
  return rig;
}

function finishAll(rig: Rig): string[] {
  for (let i = 0; i < rig.batches.length; i++) rig.finish(i);
  return rig.shapes().slice(1);
}

describe('which level a request is of', () => {
  test('A6 a priority beyond the levels is refused, and the levels are named', () => {
    const rig = busy(levels);
    const refusal = (priority: number) => rig.scheduler.enqueue(new TestRequest('x', 1, { priority }));
    expect(refusal(3)).toBeUndefined();
    for (const priority of [4, -1, 1.5, NaN]) {
      expect(refusal(priority)).toMatchObject({
        kind: 'invalid-argument',
        message: `digits version 3: priority must be a level from 1 (highest) to 3, or 0 for the default; got ${priority}`,
      });
    }
    expect(new Rig({}).scheduler.enqueue(new TestRequest('x', 1, { priority: 1 }))).toMatchObject({
      kind: 'invalid-argument',
      message: 'digits version 3: priority must be 0, since there are no priority levels; got 1',
    });
  });

  test('L1 a request that names no level is of the default level', () => {
    const rig = busy({ ...levels, maxBatchSize: 1 });
    for (const priority of [3, 2, 0, 1]) rig.add(1, { priority });
    const nameless = new TestRequest('nameless', 1);
    expect(rig.scheduler.enqueue(Object.assign(nameless, { priority: undefined }))).toBeUndefined();
    expect(finishAll(rig)).toEqual(['d:1', 'b:1', 'c:1', 'nameless:1', 'a:1']);
  });
});

describe('levels', () => {
  test('L2 the bucket whose first request is of the highest level is served first, however late it came', () => {
    const rig = busy(levels);
    rig.add(1, { bucket: 'x', priority: 3 });
    rig.add(1, { bucket: 'y', priority: 2 });
    rig.add(1, { bucket: 'z', priority: 1 });
    rig.add(1, { bucket: 'w', priority: 1 });
    expect(finishAll(rig)).toEqual(['c:1', 'd:1', 'b:1', 'a:1']);
  });

  test('L2 a batch that may leave does not wait for a higher level that may not', () => {
    const rig = new Rig({ ...levels, maxQueueDelayMicroseconds: 5000 });
    rig.add(1, { bucket: 'x', priority: 1 });
    rig.add(4, { bucket: 'y', priority: 3 });
    expect(rig.shapes()).toEqual(['b:4']);
  });

  test('L3 a batch has higher levels first and takes lower ones along while they fit', () => {
    const rig = busy(levels);
    for (const priority of [3, 2, 1, 3, 1, 2]) rig.add(1, { priority });
    expect(finishAll(rig)).toEqual(['c:1 e:1 b:1 f:1', 'a:1 d:1']);
  });

  test('L3 the first request that does not fit closes the batch, whatever comes behind it', () => {
    const rig = busy(levels);
    rig.add(1, { priority: 3 });
    rig.add(3, { priority: 2 });
    rig.add(2, { priority: 1 });
    expect(finishAll(rig)).toEqual(['c:2', 'b:3 a:1']);
  });

  test('L3 preferred sizes are made of the requests in the order in which they are served', () => {
    const options = { ...levels, maxBatchSize: 8, preferredBatchSize: [3], maxQueueDelayMicroseconds: 5000 };
    const rig = new Rig(options);
    rig.add(1, { priority: 2 });
    rig.add(1, { priority: 2 });
    rig.add(2, { priority: 1 });
    expect(rig.shapes()).toEqual(['c:2 a:1']);
  });

  test('L4 within a level and a bucket nobody overtakes', () => {
    const rig = busy({ ...levels, maxBatchSize: 2 });
    for (const priority of [3, 1, 3, 1, 3, 1]) rig.add(1, { priority });
    expect(finishAll(rig)).toEqual(['b:1 d:1', 'f:1 a:1', 'c:1 e:1']);
  });

  test('L5 a higher level goes before the rows that are left of a divided request, which keep their place', () => {
    const rig = new Rig(levels);
    rig.add(6, { priority: 2 });
    rig.add(3, { priority: 1 });
    rig.add(1, { priority: 2 });
    rig.finish(0);
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:4', 'b:3 a:1', 'a:1 c:1']);
  });

  test('L5 with nothing above them, the rows that are left go before all others of their level', () => {
    const rig = new Rig(levels);
    rig.add(5, { priority: 2 });
    rig.add(1, { priority: 3 });
    rig.add(1, { priority: 2 });
    rig.finish(0);
    expect(rig.shapes()).toEqual(['a:4', 'a:1 c:1 b:1']);
  });
});

describe('a limit to starvation', () => {
  /** Adds requests that fill a batch each, of level 1, and lets so many batches run. */
  const flood = (rig: Rig, batches: number, rows: number, bucket = 'a'): void => {
    for (let i = 0; i < batches; i++) {
      rig.add(rows, { bucket, priority: 1, label: 'high' });
      rig.finish(rig.batches.length - 1);
    }
  };

  test('L6 after 16 batches that passed it over, not after 15, the request that waits longest below is served', () => {
    const rig = busy({ ...levels, maxBatchSize: 1 });
    rig.add(1, { priority: 3, label: 'lowest' });
    rig.add(1, { priority: 2, label: 'middle' });
    rig.add(1, { priority: 1, label: 'high' });
    flood(rig, 20, 1);
    const shapes = rig.shapes().slice(1);
    expect(shapes.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 'high:1'));
    expect(shapes.slice(16, 18)).toEqual(['lowest:1', 'high:1']);
  });

  test('L6 each turn of a lower level is followed by at most 16 batches without one', () => {
    const rig = busy({ ...levels, maxBatchSize: 1 });
    for (let i = 0; i < 3; i++) rig.add(1, { priority: 3, label: 'low', bucket: `x${i}` });
    rig.add(1, { priority: 1, label: 'high' });
    flood(rig, 60, 1);
    const turns = rig.shapes().flatMap((shape, i) => (shape === 'low:1' ? [i] : []));
    expect(turns).toEqual([17, 34, 51]);
  });

  test('L7 only a batch that leaves behind a lower level that could leave counts, and the count begins anew after one that does not', () => {
    const rig = new Rig({ ...levels, maxBatchSize: 2, maxQueueDelayMicroseconds: 1000 });
    rig.add(2, { priority: 1, bucket: 'busy' });
    // Too few for a batch, and they have not waited long enough: they could not leave.
    rig.add(1, { priority: 3, label: 'low', bucket: 'x' });
    rig.add(2, { priority: 1, label: 'high' });
    flood(rig, 30, 2);
    expect(rig.shapes()).not.toContain('low:1');
    rig.clock.advance(1);
    flood(rig, 15, 2);
    expect(rig.shapes()).not.toContain('low:1');
    flood(rig, 2, 2);
    expect(rig.shapes().at(-1)).toBe('low:1');
  });

  test('L7 a batch that takes the lower levels along passes nobody over', () => {
    const rig = busy({ ...levels, maxBatchSize: 2 });
    for (let i = 0; i < 40; i++) {
      rig.add(1, { priority: 1, label: 'high' });
      rig.add(1, { priority: 3, label: 'low' });
      rig.finish(rig.batches.length - 1);
    }
    expect(new Set(rig.shapes().slice(1))).toEqual(new Set(['high:1 low:1']));
  });

  test('L8 a turn goes on with its own level and those below, and then with the highest', () => {
    const rig = busy({ ...levels, maxBatchSize: 4 });
    rig.add(1, { priority: 3, label: 'lowest' });
    rig.add(1, { priority: 2, label: 'later' });
    rig.add(1, { priority: 3, label: 'last' });
    rig.add(4, { priority: 1, label: 'high' });
    flood(rig, 15, 4);
    rig.add(1, { priority: 1, label: 'small' });
    rig.finish(rig.batches.length - 1);
    rig.finish(rig.batches.length - 1);
    expect(rig.shapes().slice(15)).toEqual(['high:4', 'high:4', 'lowest:1 last:1 small:1 later:1']);
  });
});

describe('bounds and time-outs of levels', () => {
  test('Q7 each level has its own bound, that of its policy', () => {
    const rig = busy({ ...levels, maxQueueSize: 2, priorityQueuePolicy: { 1: { maxQueueSize: 1 }, 3: {} } });
    const add = (priority: number) => rig.scheduler.enqueue(new TestRequest('x', 1, { priority }));
    expect([add(1), add(2), add(2)]).toEqual([undefined, undefined, undefined]);
    expect(add(1)).toMatchObject({
      kind: 'resource-exhausted',
      message:
        'digits version 3: the queue of priority level 1 is full (maxQueueSize is 1 requests); try again in 1 ms',
    });
    expect(add(0)?.message).toContain('of priority level 2 is full (maxQueueSize is 2 requests)');
    for (let i = 0; i < 100; i++) expect(add(3)).toBeUndefined();
  });

  test('Q8 the time to wait counts what waits in the level and above it', () => {
    const policies = { 1: { maxQueueSize: 3 }, 2: { maxQueueSize: 3 } };
    const rig = new Rig({ ...levels, maxBatchSize: 1, priorityQueuePolicy: policies });
    rig.add(1);
    rig.clock.advance(10);
    rig.finish(0);
    rig.add(1);
    for (const priority of [1, 2, 3]) for (let i = 0; i < 3; i++) rig.add(1, { priority });
    const wait = (priority: number) => rig.scheduler.enqueue(new TestRequest('x', 1, { priority }))?.retryAfterMs;
    expect([wait(1), wait(2)]).toEqual([30, 60]);
  });

  test('Q8 of a divided request only the rows that wait still', () => {
    const rig = new Rig({ ...levels, maxBatchSize: 2, maxQueueSize: 1 });
    rig.add(1);
    rig.clock.advance(10);
    rig.finish(0);
    rig.add(6);
    expect(rig.scheduler.enqueue(new TestRequest('x', 1))?.retryAfterMs).toBe(20);
    rig.finish(1);
    rig.finish(2);
    rig.add(1);
    expect(rig.scheduler.enqueue(new TestRequest('x', 1))?.retryAfterMs).toBe(7);
  });
});
