import { expect, test } from 'vitest';
import { SequenceRig, keysOf } from '../../test/sequence-rig.ts';

const idle = { maxSequenceIdleMicroseconds: 10_000 };

test('K33 a sequence without a request is over at its idle time: one step before it no, at it yes', () => {
  const rig = new SequenceRig(idle);
  rig.live('a');
  rig.clock.advance(9);
  expect(rig.scheduler.lives('a')).toBe(true);
  rig.take('a');
  rig.done();
  rig.clock.advance(9);
  expect(rig.scheduler.stats()).toMatchObject({ sequences: 1, idledOut: 0 });
  rig.clock.advance(1);
  expect(rig.scheduler.stats()).toMatchObject({ sequences: 0, idledOut: 1 });
  expect(rig.refusal('a')?.kind).toBe('failed-precondition');
});

test('K34 it is not idle while a request of it waits or runs, and from the end of the last on, however that ended', () => {
  const rig = new SequenceRig(idle);
  rig.live('a');
  rig.take('a');
  rig.clock.advance(50);
  expect(rig.scheduler.lives('a')).toBe(true);
  rig.fail();
  rig.clock.advance(9);
  expect(rig.scheduler.lives('a')).toBe(true);
  rig.clock.advance(1);
  expect(rig.scheduler.lives('a')).toBe(false);
});

test('K35 its slot goes to the next that waits', () => {
  const rig = new SequenceRig(idle);
  rig.live('a');
  rig.start('b');
  rig.clock.advance(9);
  expect(keysOf(rig.last)).toEqual(['a']);
  rig.clock.advance(1);
  expect(keysOf(rig.last)).toEqual(['b']);
});

test('K36 a request at the idle time is too late, even when the timer is late', () => {
  const rig = new SequenceRig({ ...idle, slots: 2 });
  rig.live('a', 'b');
  // The clock moves, and no timer has fired yet.
  const late = rig.clock.monotonic() + 10;
  rig.clock.monotonic = () => late;
  expect(rig.scheduler.lives('a')).toBe(false);
  expect(rig.refusal('a')?.kind).toBe('failed-precondition');
  rig.live('a');
});

test('K37 one clock timer serves all idle times, deadlines and delays', () => {
  const rig = new SequenceRig({ ...idle, slots: 4, maxQueueDelayMicroseconds: 5000, minimumSlotUtilization: 1 });
  for (const key of ['a', 'b', 'c']) rig.start(key, { deadlineMs: 1000 });
  expect(rig.clock.pendingTimers).toBe(1);
  rig.clock.advance(5);
  rig.done();
  rig.take('a', { deadlineMs: 1000 });
  expect(rig.clock.pendingTimers).toBe(1);
  rig.clock.advance(5);
  expect(keysOf(rig.last)).toEqual(['a']);
});
