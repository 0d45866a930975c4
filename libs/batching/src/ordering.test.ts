import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, test } from 'vitest';
import { Rig, type TestRequest } from '../test/rig.ts';
import type { SchedulerOptions } from './options.ts';

const broken = new SluiceError('unavailable', 'the worker is gone');

/** A rig with two instances that keeps the order, and its requests, whose answers `told` lists as they come. */
function ordered(requests: number, options: Partial<SchedulerOptions> = {}) {
  const rig = new Rig({ maxBatchSize: 1, instances: 3, preserveOrdering: true, ...options });
  const told: string[] = [];
  const add = (rows: number, more: Parameters<Rig['add']>[1] = {}): TestRequest => {
    const request = rig.add(rows, more);
    request.onAnswer = () => told.push(`${request.label} ${request.outcome}`);
    return request;
  };
  return { rig, told, add, all: Array.from({ length: requests }, () => add(1)) };
}

describe('preserveOrdering', () => {
  test('G1 answers are told in the order in which the requests were accepted, each as soon as it may be', () => {
    const { rig, told } = ordered(4);
    rig.finish(2);
    rig.finish(1);
    expect(told).toEqual([]);
    rig.finish(0);
    expect(told).toEqual(['a ok', 'b ok', 'c ok']);
    rig.finish(3);
    expect(told.at(-1)).toBe('d ok');
  });

  test('G1 a request that waits still holds up those that came after it', () => {
    const { rig, told, add } = ordered(0, { instances: 1, priorityLevels: 2, defaultPriorityLevel: 1 });
    add(1, { label: 'first' });
    add(1, { label: 'low', priority: 2 });
    add(1, { label: 'high', priority: 1 });
    rig.finish(0);
    rig.finish(1);
    expect([rig.shapes(), told]).toEqual([['first:1', 'high:1', 'low:1'], ['first ok']]);
    rig.finish(2);
    expect(told).toEqual(['first ok', 'low ok', 'high ok']);
  });

  test('G1 without it each is answered when its batch is', () => {
    const { rig, told } = ordered(2, { preserveOrdering: false });
    rig.finish(1);
    expect(told).toEqual(['b ok']);
  });

  test('G2 rows are handed over when their batch completes: only the answer is held back', () => {
    const { rig, all } = ordered(2);
    rig.finish(1);
    expect([all[1]!.parts.length, all[1]!.outcome]).toEqual([1, 'waiting']);
    expect(rig.scheduler.stats()).toMatchObject({ succeeded: 0, runningBatches: 1, freeInstances: 2 });
    rig.finish(0);
    expect(all[1]!.parts).toHaveLength(1);
    expect(rig.scheduler.stats()).toMatchObject({ succeeded: 2, runningBatches: 0, freeInstances: 3 });
  });

  test('G3 the failure of a request that ran is held back as well', () => {
    const { rig, told, all } = ordered(4);
    rig.batches[1]!.fail(broken);
    all[2]!.onRows = () => {
      throw new SluiceError('resource-exhausted', 'the answer is too large');
    };
    rig.finish(2);
    expect(told).toEqual([]);
    expect(rig.scheduler.stats().lost['batch-failed']).toBe(0);
    rig.finish(0);
    expect(told).toEqual(['a ok', 'b unavailable', 'c resource-exhausted']);
    expect(rig.scheduler.stats().lost['batch-failed']).toBe(2);
  });

  test('G3 so is that of a divided request, whose waiting rows leave at once', () => {
    const { rig, told, add } = ordered(0, { maxBatchSize: 2, instances: 2 });
    add(1);
    const divided = add(6);
    rig.batches[1]!.fail(broken);
    expect([told, rig.scheduler.stats().queuedRequests]).toEqual([[], 0]);
    expect(rig.batches[1]!.wanted(rig.batches[1]!.parts[0]!)).toBe(false);
    rig.finish(0);
    expect([told, divided.answers]).toEqual([['a ok', 'b unavailable'], [broken]]);
  });

  test('G4 who leaves before its turn to run is answered at once, and holds nobody up', async () => {
    const late = ordered(0, { instances: 1 });
    late.add(1);
    late.add(1, { deadlineMs: 5 });
    late.rig.scheduler.cancel(late.add(1));
    late.rig.clock.advance(5);
    late.add(1);
    expect(late.told).toEqual(['c cancelled', 'b deadline-exceeded']);
    await late.rig.scheduler.drain(0);
    expect(late.told.at(-1)).toBe('d unavailable');
    late.rig.finish(0);
    expect(late.told.at(-1)).toBe('a ok');
  });

  test('G4 whom it held up is answered as soon as it has left', () => {
    const { rig, told, all } = ordered(3);
    rig.finish(1);
    rig.finish(2);
    rig.scheduler.cancel(all[0]!);
    expect(told).toEqual(['a cancelled', 'b ok', 'c ok']);

    const waits = ordered(0, { instances: 1, priorityLevels: 2, defaultPriorityLevel: 1 });
    waits.add(1);
    waits.add(1, { priority: 2, deadlineMs: 5 });
    waits.add(1, { priority: 1 });
    waits.add(1, { priority: 1 });
    waits.rig.finish(0);
    waits.rig.finish(1);
    expect(waits.told).toEqual(['a ok']);
    waits.rig.clock.advance(5);
    expect(waits.told).toEqual(['a ok', 'b deadline-exceeded', 'c ok']);
  });

  test('G5 a request whose answer is held back can be cancelled, once, and is answered at once', () => {
    const { rig, told, all } = ordered(3);
    rig.finish(1);
    rig.batches[2]!.fail(broken);
    expect([1, 1, 2].map((i) => rig.scheduler.cancel(all[i]!))).toEqual([true, false, true]);
    expect(told).toEqual(['b cancelled', 'c cancelled']);
    rig.finish(0);
    expect(told).toEqual(['b cancelled', 'c cancelled', 'a ok']);
    expect(rig.scheduler.stats()).toMatchObject({ succeeded: 1, lost: { cancelled: 2, 'batch-failed': 0 } });
  });

  test('G6 a deadline does nothing to an answer that is held back', () => {
    const { rig, told, add } = ordered(1);
    add(1, { deadlineMs: 5 });
    rig.finish(1);
    rig.clock.advance(10);
    rig.finish(0);
    expect(told).toEqual(['a ok', 'b ok']);
  });

  test('G7 a drain ends after the last answer that was held back', async () => {
    const { rig, told } = ordered(2);
    rig.finish(1);
    const drained = rig.scheduler.drain(1000).then(() => told.push('drained'));
    rig.finish(0);
    await drained;
    expect(told).toEqual(['a ok', 'b ok', 'drained']);
  });

  test('G8 a request that an answered caller sends is in a batch at once, if an instance is free', () => {
    const { rig, told, all } = ordered(2);
    all[1]!.onAnswer = () => void rig.add(1, { label: 'new' });
    rig.finish(1);
    expect(rig.batches).toHaveLength(2);
    rig.finish(0);
    expect([told, rig.shape(2)]).toEqual([['a ok'], 'new:1']);
  });

  test('G8 who is answered may call the scheduler, and what it asks for happens after the answers that are due', () => {
    const { rig, told, all, add } = ordered(3);
    all[0]!.onAnswer = () => {
      told.push('a');
      rig.scheduler.cancel(all[1]!);
      add(1, { label: 'new' });
    };
    rig.finish(2);
    rig.finish(1);
    rig.finish(0);
    expect(told).toEqual(['a', 'c ok', 'b cancelled']);
    expect(rig.shape(3)).toBe('new:1');
    rig.finish(3);
    expect(told.at(-1)).toBe('new ok');
  });
});
