import { describe, expect, test } from 'vitest';
import { Rig } from '../test/rig.ts';

describe('forming batches', () => {
  test('B1 rows are counted: one that still fits joins, one row more does not', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    rig.add(1);
    rig.add(5);
    rig.add(3);
    rig.finish(0);
    expect(rig.shapes()).toEqual(['a:1', 'b:5 c:3']);
    rig.add(5);
    rig.add(4);
    rig.finish(1);
    expect(rig.shape(2)).toBe('d:5');
  });

  test('B2 no batch mixes buckets', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    rig.add(1);
    rig.add(2, { bucket: 'x' });
    rig.add(2, { bucket: 'y' });
    rig.add(2, { bucket: 'x' });
    rig.finish(0);
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:1', 'b:2 d:2', 'c:2']);
    expect(rig.batches.map((batch) => batch.bucket)).toEqual(['a', 'x', 'y']);
  });

  test('B3 first in, first out: nobody overtakes a request that does not fit', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    rig.add(1);
    rig.add(5);
    rig.add(4);
    rig.add(1);
    rig.finish(0);
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:1', 'b:5', 'c:4 d:1']);
  });

  test('B4 without a delay a batch leaves as soon as an instance is free', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    rig.add(1);
    expect(rig.shapes()).toEqual(['a:1']);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  test('B5 while every instance is busy the queue fills, and a freed one takes as much as fits', () => {
    const rig = new Rig({ maxBatchSize: 4, instances: 2 });
    for (let i = 0; i < 8; i++) rig.add(1);
    expect(rig.shapes()).toEqual(['a:1', 'b:1']);
    rig.finish(1);
    expect(rig.shape(2)).toBe('c:1 d:1 e:1 f:1');
    rig.finish(0);
    expect(rig.shape(3)).toBe('g:1 h:1');
  });

  test('B6 the delay: one step before it no, at it yes', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicroseconds: 5000 });
    rig.add(1);
    rig.clock.advance(3);
    rig.add(1);
    rig.clock.advance(1.999);
    expect(rig.batches).toHaveLength(0);
    rig.clock.advance(0.001);
    expect(rig.shapes()).toEqual(['a:1 b:1']);
  });

  test('B7 a full batch does not wait: one row short no, at the maximum yes', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicroseconds: 5000 });
    rig.add(7);
    expect(rig.batches).toHaveLength(0);
    rig.add(1);
    expect(rig.shapes()).toEqual(['a:7 b:1']);
  });

  test('B7 a batch that cannot grow because the next request does not fit is full', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicroseconds: 5000 });
    rig.add(7);
    rig.add(2);
    expect(rig.shapes()).toEqual(['a:7']);
  });

  test('B8 a preferred size leaves at once: one short no, exactly yes, one over no', () => {
    const options = { maxBatchSize: 8, preferredBatchSize: [4], maxQueueDelayMicroseconds: 5000 };
    const rig = new Rig(options);
    rig.add(3);
    expect(rig.batches).toHaveLength(0);
    rig.add(1);
    expect(rig.shapes()).toEqual(['a:3 b:1']);

    const over = new Rig(options);
    over.add(3);
    over.add(2);
    expect(over.batches).toHaveLength(0);
    over.clock.advance(5);
    expect(over.shapes()).toEqual(['a:3 b:2']);
  });

  test('B9 of several preferred sizes the largest that can be made is made, and what is over waits', () => {
    const rig = new Rig({ maxBatchSize: 8, preferredBatchSize: [2, 4] });
    rig.add(1);
    for (let i = 0; i < 5; i++) rig.add(1);
    rig.finish(0);
    expect(rig.shape(1)).toBe('b:1 c:1 d:1 e:1');
    rig.finish(1);
    expect(rig.shape(2)).toBe('f:1');
  });

  test('B10 a request waits for company no longer than half the time to its deadline', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicroseconds: 50_000 });
    rig.add(1, { deadlineMs: 20 });
    rig.clock.advance(9.999);
    expect(rig.batches).toHaveLength(0);
    rig.clock.advance(0.001);
    expect(rig.shapes()).toEqual(['a:1']);
  });

  test('B11 a request whose time has come takes along those before it', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicroseconds: 50_000 });
    rig.add(1);
    rig.add(1, { deadlineMs: 4 });
    rig.add(1);
    rig.clock.advance(2);
    expect(rig.shapes()).toEqual(['a:1 b:1 c:1']);
  });

  test('B11 a request whose time has come, but which does not fit yet, lets the batch after leave too', () => {
    const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicroseconds: 50_000 });
    rig.add(8);
    rig.add(6);
    rig.add(6);
    rig.add(1, { deadlineMs: 4 });
    rig.finish(0);
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:8', 'b:6']);
    rig.clock.advance(1.999);
    expect(rig.batches).toHaveLength(2);
    rig.clock.advance(0.001);
    expect(rig.shape(2)).toBe('c:6 d:1');
  });

  test('B12 between buckets the one whose first request came first is served first', () => {
    const rig = new Rig({ maxBatchSize: 2 });
    rig.add(1);
    rig.add(1, { bucket: 'x' });
    rig.add(1, { bucket: 'y' });
    rig.add(1, { bucket: 'y' });
    rig.add(1, { bucket: 'x' });
    rig.add(1, { bucket: 'x' });
    for (let i = 0; i < 4; i++) rig.finish(i);
    expect(rig.shapes()).toEqual(['a:1', 'b:1 e:1', 'c:1 d:1', 'f:1']);
  });

  test('B13 a batch that may leave does not wait for an older bucket that may not', () => {
    const rig = new Rig({ maxBatchSize: 2, maxQueueDelayMicroseconds: 5000 });
    rig.add(1, { bucket: 'x' });
    rig.add(2, { bucket: 'y' });
    expect(rig.shapes()).toEqual(['b:2']);
    rig.finish(0);
    rig.clock.advance(5);
    expect(rig.shape(1)).toBe('a:1');
  });

  test('B14 a request without rows takes no room, is in a batch like any other and is answered', () => {
    const rig = new Rig({ maxBatchSize: 2 });
    const alone = rig.add(0);
    expect(rig.batches[0]!.rows).toBe(0);
    const before = rig.add(2);
    const after = rig.add(0);
    const next = rig.add(1);
    rig.finish(0);
    expect(rig.shape(1)).toBe('b:2 c:0');
    rig.finish(1);
    expect([alone, before, after, next].map((request) => request.outcome)).toEqual(['ok', 'ok', 'ok', 'waiting']);
    expect(after.parts).toMatchObject([{ requestRow: 0, batchRow: 2, rows: 0 }]);
  });

  test('B14 requests without rows alone fill no batch: they leave by the delay', () => {
    const rig = new Rig({ maxBatchSize: 1, maxQueueDelayMicroseconds: 1000 });
    rig.add(0);
    rig.add(0);
    rig.clock.advance(0.999);
    expect(rig.batches).toHaveLength(0);
    rig.clock.advance(0.001);
    expect(rig.shapes()).toEqual(['a:0 b:0']);
  });

  test('B15 without batching every run has one request, whole, in the order of arrival over all buckets', () => {
    const rig = new Rig({ maxBatchSize: 0, maxQueueDelayMicroseconds: 5000 });
    rig.add(100);
    rig.add(0, { bucket: 'x' });
    rig.add(7);
    rig.finish(0);
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:100', 'b:0', 'c:7']);
    expect(rig.batches.map((batch) => [batch.rows, batch.bucket])).toEqual([
      [100, 'a'],
      [0, 'x'],
      [7, 'a'],
    ]);
  });

  test('B16 deferred: requests of one turn ride together, and the turn is deferred once', () => {
    const deferred: (() => void)[] = [];
    const rig = new Rig({ maxBatchSize: 8, instances: 2 }, { defer: (form) => deferred.push(form) });
    rig.add(1);
    rig.add(1);
    expect([rig.batches.length, deferred.length]).toEqual([0, 1]);
    deferred[0]!();
    expect(rig.shapes()).toEqual(['a:1 b:1']);
    rig.add(1);
    expect(deferred).toHaveLength(2);
  });

  test('B16 deferred: a full batch leaves at once, unless an older bucket waits for the end of the turn', () => {
    const deferred: (() => void)[] = [];
    const rig = new Rig({ maxBatchSize: 2, instances: 2 }, { defer: (form) => deferred.push(form) });
    rig.add(1);
    rig.add(1);
    expect(rig.shapes()).toEqual(['a:1 b:1']);
    rig.add(1, { bucket: 'x' });
    rig.add(2, { bucket: 'y' });
    expect(rig.batches).toHaveLength(1);
    deferred[0]!();
    expect(rig.shapes()).toEqual(['a:1 b:1', 'c:1']);
  });

  test('B16 deferred: what is left over by a full batch waits for the end of the turn', () => {
    const deferred: (() => void)[] = [];
    const rig = new Rig({ maxBatchSize: 2, instances: 2 }, { defer: (form) => deferred.push(form) });
    rig.add(3);
    expect(rig.shapes()).toEqual(['a:2']);
    rig.add(1);
    deferred[0]!();
    expect(rig.shapes()).toEqual(['a:2', 'a:1 b:1']);
  });

  test('B17 the parts of a batch stand in order and leave no gap', () => {
    const rig = new Rig({ maxBatchSize: 8 });
    rig.add(1);
    for (const rows of [2, 0, 3, 1]) rig.add(rows);
    rig.finish(0);
    expect(rig.batches[1]!.parts.map((part) => part.batchRow)).toEqual([0, 2, 2, 5]);
    expect(rig.batches[1]!.rows).toBe(6);
  });

  test('B18 when a request leaves, what is left may make a preferred size or stop making it', () => {
    const options = { maxBatchSize: 8, preferredBatchSize: [4], maxQueueDelayMicroseconds: 5000 };
    const makes = new Rig(options);
    makes.add(1);
    const blocker = makes.add(2);
    makes.add(3);
    expect(makes.batches).toHaveLength(0);
    makes.scheduler.cancel(blocker);
    expect(makes.shapes()).toEqual(['a:1 c:3']);

    const breaks = new Rig({ ...options, instances: 1 });
    breaks.add(4, { bucket: 'busy' });
    breaks.add(1);
    const piece = breaks.add(3);
    breaks.scheduler.cancel(piece);
    breaks.finish(0);
    expect(breaks.batches).toHaveLength(1);
    breaks.clock.advance(5);
    expect(breaks.shape(1)).toBe('b:1');
  });
});
