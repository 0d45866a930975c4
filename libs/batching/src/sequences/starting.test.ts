import { expect, test } from 'vitest';
import { SequenceRig, TestStep, keysOf } from '../../test/sequence-rig.ts';

test('K1 a request that starts none needs a sequence that lives under its key', () => {
  const rig = new SequenceRig();
  expect(rig.refusal('a')).toMatchObject({
    kind: 'failed-precondition',
    message: expect.stringMatching(/sequence lost: "a".*send sequence_start again/) as string,
  });
  expect(rig.refusal(7n)).toMatchObject({ message: expect.stringContaining('sequence lost: 7 ') as string });
  rig.live('a');
  const step = rig.take('a');
  rig.done();
  expect(step.answers).toEqual(['success']);
});

test('K2 a number and a text are never the same key', () => {
  const rig = new SequenceRig({ slots: 2 });
  rig.live('7');
  expect(rig.refusal(7n)?.kind).toBe('failed-precondition');
  rig.live(7n);
  expect(rig.scheduler.stats().sequences).toBe(2);
});

test('K3 a request has one row, an object of its own and a deadline to come', () => {
  const rig = new SequenceRig();
  expect(rig.refusal('a', { start: true, rows: 2 })).toMatchObject({
    kind: 'invalid-argument',
    message: expect.stringContaining('must have 1 row, got 2') as string,
  });
  expect(rig.refusal('a', { start: true, rows: 0 })?.kind).toBe('invalid-argument');
  expect(rig.refusal('a', { start: true, deadlineMs: NaN })?.kind).toBe('invalid-argument');
  expect(rig.refusal('a', { start: true, deadlineMs: 0 })?.kind).toBe('deadline-exceeded');
  const step = rig.start('a', { deadlineMs: 1 });
  expect(rig.scheduler.enqueue(step)?.kind).toBe('internal');
});

test('K4 a refused request is not told anything, and none is a sequence for it', () => {
  const rig = new SequenceRig({ maxQueueSize: 1 });
  rig.start('a');
  const waits = rig.start('b');
  const refused = new TestStep('c', { start: true });
  expect(rig.scheduler.enqueue(refused)?.kind).toBe('resource-exhausted');
  expect(refused.answers).toEqual([]);
  expect(rig.scheduler.lives('c')).toBe(false);
  expect(waits.answers).toEqual([]);
});

test('K45 a start that is refused ends what lives under its key, after what came before it', () => {
  const rig = new SequenceRig({ maxQueueSize: 1 });
  rig.live('a');
  const running = rig.take('a');
  const waiting = rig.take('a');
  expect(rig.refusal('a', { start: true })?.kind).toBe('resource-exhausted');
  expect(rig.refusal('a')).toMatchObject({ kind: 'failed-precondition' });
  rig.done();
  rig.done();
  expect([running.answers, waiting.answers]).toEqual([['success'], ['success']]);
  expect(rig.scheduler.stats().sequences).toBe(0);
});

test('K5 a start on a key that lives begins anew, after what came before it', () => {
  const rig = new SequenceRig({ slots: 2 });
  rig.live('a');
  const before = rig.take('a');
  const again = rig.start('a');
  const after = rig.take('a');
  rig.done();
  expect([before.answers, again.answers]).toEqual([['success'], []]);
  expect(rig.last.parts[0]!.request).toBe(again);
  rig.done();
  rig.done();
  expect([again.answers, after.answers]).toEqual([['success'], ['success']]);
  expect(rig.scheduler.stats().sequences).toBe(1);
});

test('K6 an end is the last: its slot is free when it is answered, and only a start can follow it', () => {
  const rig = new SequenceRig();
  rig.live('a');
  rig.take('a', { end: true });
  expect(rig.refusal('a')?.kind).toBe('failed-precondition');
  expect(rig.scheduler.stats().sequences).toBe(1);
  rig.done();
  expect(rig.scheduler.stats().sequences).toBe(0);
  expect(rig.refusal('a')?.kind).toBe('failed-precondition');
});

test('K7 a start that is an end too is a sequence of one request', () => {
  const rig = new SequenceRig();
  const only = rig.start('a', { end: true });
  rig.done();
  expect(only.answers).toEqual(['success']);
  expect(rig.scheduler.stats()).toMatchObject({ sequences: 0, succeeded: 1 });
});

test('K8 a start behind an end waits for a slot like all others, and keeps the one there is if nobody waits', () => {
  const rig = new SequenceRig();
  rig.start('a', { end: true });
  const again = rig.start('a', { end: true });
  const other = rig.start('b', { end: true });
  rig.done();
  expect(keysOf(rig.last)).toEqual(['b']);
  rig.done();
  expect(rig.last.parts[0]!.request).toBe(again);
  rig.start('a', { end: true });
  rig.done();
  expect(keysOf(rig.last)).toEqual(['a']);
  expect(other.answers).toEqual(['success']);
});

test('K9 lives says whether a request that starts none would be taken', () => {
  const rig = new SequenceRig();
  expect(rig.scheduler.lives('a')).toBe(false);
  rig.start('a');
  const waits = rig.start('b');
  expect([rig.scheduler.lives('a'), rig.scheduler.lives('b')]).toEqual([true, true]);
  rig.done();
  rig.take('a', { end: true });
  expect(rig.scheduler.lives('a')).toBe(false);
  rig.scheduler.cancel(waits);
  expect(rig.scheduler.lives('b')).toBe(false);
});
