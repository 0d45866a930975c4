import { expect, test } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { SequenceRig, keysOf } from '../../test/sequence-rig.ts';

test('K10 at most one request of a sequence runs, and the next only after its batch is freed', () => {
  const rig = new SequenceRig({ slots: 4 });
  rig.live('a');
  const [first, second] = [rig.take('a'), rig.take('a')];
  expect(rig.last.parts.map(({ request }) => request)).toEqual([first]);
  const batch = rig.last;
  batch.complete(batch.parts[0]!, 'ran', batch.parts[0]!);
  expect(first.answers).toEqual(['success']);
  expect(rig.last).toBe(batch);
  batch.free();
  expect(rig.last.parts.map(({ request }) => request)).toEqual([second]);
});

test('K11 requests of different sequences of an instance run together, a row each, in the order in which they came', () => {
  const rig = new SequenceRig({ slots: 3 });
  rig.live('a', 'b', 'c');
  rig.take('b');
  const rest = [rig.take('c'), rig.take('a')];
  rig.done();
  expect(keysOf(rig.last)).toEqual(['c', 'a']);
  expect(rig.last.parts.map(({ batchRow, rows, requestRow }) => [batchRow, rows, requestRow])).toEqual([
    [0, 1, 0],
    [1, 1, 0],
  ]);
  rig.done();
  expect(rest.map(({ value }) => value)).toEqual(['ran[0]', 'ran[1]']);
});

test('K12 a sequence has its slot from its first batch to its end, and no other has it meanwhile', () => {
  const rig = new SequenceRig({ slots: 2 });
  rig.live('a', 'b');
  const slots = new Map(rig.batches.map(({ parts }) => [parts[0]!.request.sequence, parts[0]!.slot]));
  expect(new Set(slots.values()).size).toBe(2);
  rig.take('b', { end: true });
  rig.done();
  rig.live('c');
  expect(rig.last.parts[0]!.slot).toBe(slots.get('b'));
  rig.take('a');
  expect(rig.last.parts[0]!.slot).toBe(slots.get('a'));
});

test('K13 a new sequence goes to the instance that has most free slots, and an instance has one batch at a time', () => {
  const rig = new SequenceRig({ slots: 2, instances: 2 });
  for (const key of ['a', 'b', 'c', 'd']) rig.start(key);
  expect(rig.batches.map((batch) => [batch.instance, keysOf(batch)])).toEqual([
    [0, ['a']],
    [1, ['b']],
  ]);
  expect(rig.scheduler.stats()).toMatchObject({ runningBatches: 2, freeInstances: 0, sequences: 4, slots: 4 });
  rig.done(rig.batches[0]);
  rig.done(rig.batches[1]);
  expect(rig.batches.slice(2).map((batch) => [batch.instance, keysOf(batch)])).toEqual([
    [0, ['c']],
    [1, ['d']],
  ]);
});

test('K14 sequences beyond the slots wait, and get one in the order of their starts', () => {
  const rig = new SequenceRig();
  rig.start('a');
  const waiting = ['b', 'c'].map((key) => rig.start(key, { end: true }));
  const behind = rig.refusal('b');
  expect(behind?.kind).toBe('failed-precondition');
  expect(rig.scheduler.stats()).toMatchObject({ sequences: 1, backlog: 2, queuedRequests: 2 });
  rig.done();
  expect(rig.batches).toHaveLength(1);
  rig.take('a', { end: true });
  rig.done();
  expect(keysOf(rig.last)).toEqual(['b']);
  rig.done();
  expect(keysOf(rig.last)).toEqual(['c']);
  rig.done();
  expect(waiting.map(({ answers }) => answers)).toEqual([['success'], ['success']]);
});

test('K15 a batch has requests of one bucket: that of the request that came first', () => {
  const rig = new SequenceRig({ slots: 3 });
  rig.live('a', 'b', 'c');
  rig.take('a');
  rig.take('b', { bucket: 'wide' });
  rig.take('c');
  rig.take('a', { bucket: 'wide' });
  rig.done();
  expect([rig.last.bucket, keysOf(rig.last)]).toEqual(['wide', ['b', 'a']]);
  rig.done();
  expect([rig.last.bucket, keysOf(rig.last)]).toEqual([0, ['c']]);
});

test('K16 with a delay a batch waits for enough slots: one request fewer no, enough yes', () => {
  const rig = new SequenceRig({ slots: 4, maxQueueDelayMicroseconds: 10_000, minimumSlotUtilization: 0.75 });
  rig.start('a');
  rig.start('b');
  expect(rig.batches).toHaveLength(0);
  rig.start('c');
  expect(keysOf(rig.last)).toEqual(['a', 'b', 'c']);
});

test('K17 or until a request has waited that long: one step before it no, at it yes', () => {
  const rig = new SequenceRig({ slots: 4, maxQueueDelayMicroseconds: 10_000, minimumSlotUtilization: 0.75 });
  rig.start('a');
  rig.clock.advance(4);
  rig.start('b');
  rig.clock.advance(5);
  expect(rig.batches).toHaveLength(0);
  rig.clock.advance(1);
  expect(keysOf(rig.last)).toEqual(['a', 'b']);
  rig.done();
  rig.take('a', { deadlineMs: rig.clock.monotonic() + 8 });
  rig.clock.advance(3);
  expect(rig.batches).toHaveLength(1);
  rig.clock.advance(1);
  expect(rig.batches).toHaveLength(2);
});

test('K18 without a utilization any request will do, whatever the delay', () => {
  const rig = new SequenceRig({ slots: 4, maxQueueDelayMicroseconds: 10_000 });
  rig.start('a');
  expect(keysOf(rig.last)).toEqual(['a']);
});

test('K19 with defer, requests of one turn ride together', () => {
  const turns: (() => void)[] = [];
  const rig = new SequenceRig({ slots: 2 }, undefined, (form) => void turns.push(form));
  rig.start('a');
  rig.start('b');
  expect([rig.batches.length, turns.length]).toEqual([0, 1]);
  turns.pop()!();
  expect(keysOf(rig.last)).toEqual(['a', 'b']);
});

test('K20 a runner that throws fails its batch and frees its instance', () => {
  const rig = new SequenceRig();
  rig.broken = new SluiceError('unavailable', 'no room');
  const step = rig.start('a');
  expect(step.answers).toEqual(['unavailable']);
  rig.broken = undefined;
  rig.live('a');
});

test('K21 parts are answered once, and all of them before the batch is freed', () => {
  const rig = new SequenceRig();
  rig.start('a');
  const batch = rig.last;
  const [part] = batch.parts;
  expect(() => batch.free()).toThrow('freed before its parts ended');
  batch.complete(part!, 'ran', part!);
  expect(() => batch.complete(part!, 'ran', part!)).toThrow('answered twice');
  batch.free();
  expect(() => batch.free()).toThrow('freed twice');
});
