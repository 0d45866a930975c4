import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, test } from 'vitest';
import { Rig } from '../test/rig.ts';

describe('splitting large requests', () => {
  test('S1 more rows than the maximum are split into full batches, and what is left shares the last one', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    const large = rig.add(9);
    rig.add(3);
    rig.add(1);
    for (let i = 0; i < 3; i++) rig.finish(i);
    expect(rig.shapes()).toEqual(['a:4', 'a:4', 'a:1 b:3', 'c:1']);
    expect(large.parts.map((part) => [part.requestRow, part.batchRow, part.rows])).toEqual([
      [0, 0, 4],
      [4, 0, 4],
      [8, 0, 1],
    ]);
  });

  test('S2 exactly the maximum is not split, one row more is', () => {
    const rig = new Rig({ maxBatchSize: 4, instances: 3 });
    rig.add(4);
    rig.add(5);
    expect(rig.shapes()).toEqual(['a:4', 'b:4', 'b:1']);
  });

  test('S3 it is answered when its last part is done, in whatever order they end', () => {
    const rig = new Rig({ maxBatchSize: 4, instances: 2 });
    const large = rig.add(8);
    rig.finish(1);
    expect(large.outcome).toBe('waiting');
    rig.finish(0);
    expect(large.outcome).toBe('ok');
    expect(large.parts.map((part) => part.requestRow)).toEqual([4, 0]);
  });

  test('S3 it is not answered while rows of it wait, though all its parts so far are done', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    const large = rig.add(8);
    rig.batches[0]!.complete('result', 4);
    expect(large.outcome).toBe('waiting');
    rig.batches[0]!.free();
    rig.finish(1);
    expect(large.outcome).toBe('ok');
  });

  test('S4 a request that fits in a batch of its own is never split', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    rig.add(3);
    rig.add(4);
    rig.finish(0);
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:4', 'b:3', 'c:4']);
  });

  test('S5 a large request fills the room that is left in a batch', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    rig.add(3);
    rig.add(6);
    rig.finish(0);
    rig.finish(1);
    rig.finish(2);
    expect(rig.shapes()).toEqual(['a:4', 'b:3 c:1', 'c:4', 'c:1']);
  });

  test('S5 nothing overtakes the rows of it that are left, not even a request without rows', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    rig.add(4, { bucket: 'busy' });
    rig.add(5);
    rig.add(0);
    rig.finish(0);
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:4', 'b:4', 'b:1 c:0']);
  });

  test('S6 when one part fails the request fails once, and the rows of it that wait never run', () => {
    const rig = new Rig({ maxBatchSize: 4, instances: 2 });
    const large = rig.add(12);
    rig.batches[0]!.fail(new SluiceError('internal', 'the model ended its runtime'));
    expect(large.outcome).toBe('internal');
    rig.batches[0]!.free();
    rig.finish(1);
    expect(rig.shapes()).toEqual(['a:4', 'a:4']);
    expect(large.parts).toHaveLength(0);
    expect(large.outcome).toBe('internal');
    expect(rig.scheduler.stats()).toMatchObject({ queuedRows: 0, queuedRequests: 0 });
  });

  test('S7 at its deadline the rows that wait expire, those that run are dropped when they end', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    const large = rig.add(8, { deadlineMs: 10 });
    rig.clock.advance(9.999);
    expect(large.outcome).toBe('waiting');
    rig.clock.advance(0.001);
    expect(large.outcome).toBe('deadline-exceeded');
    rig.finish(0);
    expect(rig.shapes()).toEqual(['a:4']);
    expect(large.parts).toHaveLength(0);
  });

  test('S8 cancelled in the middle, the rows that wait leave and the request is answered once', () => {
    const rig = new Rig({ maxBatchSize: 4 });
    const large = rig.add(8);
    const next = rig.add(1);
    expect(rig.scheduler.cancel(large)).toBe(true);
    rig.finish(0);
    expect(rig.shapes()).toEqual(['a:4', 'b:1']);
    rig.finish(1);
    expect([large.outcome, next.outcome]).toEqual(['cancelled', 'ok']);
  });
});
