import { expect, test } from 'vitest';
import { SequenceRig } from '../../test/sequence-rig.ts';

test('K22 a failed run changes nothing: the next request of the sequence runs', () => {
  const rig = new SequenceRig();
  rig.live('a');
  const [failed, next] = [rig.take('a'), rig.take('a')];
  rig.fail();
  expect(failed.answers).toEqual(['model-failed']);
  rig.done();
  expect(next.answers).toEqual(['success']);
});

test('K23 a start that does not succeed leaves no sequence, neither the old one nor a new one', () => {
  const rig = new SequenceRig({ slots: 2 });
  rig.live('a');
  const [start, behind] = [rig.start('a'), rig.take('a')];
  rig.fail();
  expect([start.answers, behind.answers]).toEqual([['model-failed'], ['sequence lost']]);
  expect(rig.scheduler.stats().sequences).toBe(0);
  rig.live('b');
  rig.take('b');
  const running = rig.last;
  const [left, orphan] = [rig.start('b'), rig.take('b')];
  rig.scheduler.cancel(left);
  expect([left.answers, orphan.answers]).toEqual([['cancelled'], ['sequence lost']]);
  expect(rig.scheduler.lives('b')).toBe(false);
  rig.done(running);
  expect(rig.scheduler.stats().sequences).toBe(0);
});

test('K24 what waits behind it up to the next start is lost, and that start goes on', () => {
  const rig = new SequenceRig();
  rig.start('other');
  const first = rig.start('a');
  const lost = [rig.take('a'), rig.take('a')];
  const [again, after] = [rig.start('a'), rig.take('a', { end: true })];
  rig.scheduler.cancel(first);
  expect(lost.map(({ answers }) => answers)).toEqual([['sequence lost'], ['sequence lost']]);
  rig.done();
  rig.take('other', { end: true });
  for (let batch = 0; batch < 3; batch += 1) rig.done();
  expect([again.answers, after.answers]).toEqual([['success'], ['success']]);
});

test('K25 a request that is not a start leaves no trace when it leaves: those behind it run', () => {
  const rig = new SequenceRig();
  rig.live('a');
  rig.take('a');
  const [cancelled, expired, next] = [rig.take('a'), rig.take('a', { deadlineMs: 5 }), rig.take('a')];
  expect(rig.scheduler.cancel(cancelled)).toBe(true);
  expect(rig.scheduler.cancel(cancelled)).toBe(false);
  rig.clock.advance(4);
  expect(expired.answers).toEqual([]);
  rig.clock.advance(1);
  expect([cancelled.answers, expired.answers]).toEqual([['cancelled'], ['deadline-exceeded']]);
  rig.done();
  expect(rig.last.parts[0]!.request).toBe(next);
});

test('K26 an end that leaves or fails does not end its sequence', () => {
  const rig = new SequenceRig();
  rig.live('a');
  rig.take('a', { end: true });
  rig.fail();
  expect(rig.scheduler.lives('a')).toBe(true);
  rig.take('a');
  const end = rig.take('a', { end: true });
  rig.scheduler.cancel(end);
  rig.done();
  expect(rig.scheduler.lives('a')).toBe(true);
});

test('K27 a request that is cancelled while it runs is answered at once, and counts as a step', () => {
  const rig = new SequenceRig();
  const start = rig.start('a');
  const batch = rig.last;
  expect(batch.wanted(batch.parts[0]!)).toBe(true);
  rig.scheduler.cancel(start);
  expect(start.answers).toEqual(['cancelled']);
  expect(batch.wanted(batch.parts[0]!)).toBe(false);
  expect(batch.complete(batch.parts[0]!, 'ran', batch.parts[0]!)).toBe(true);
  batch.free();
  expect([start.answers, start.value]).toEqual([['cancelled'], '']);
  expect(rig.scheduler.lives('a')).toBe(true);
});

test('K28 a request that cannot take its result has failed, and does not count', () => {
  const rig = new SequenceRig();
  rig.live('a');
  const step = rig.take('a');
  step.cannotTake = new Error('no');
  const batch = rig.last;
  expect(batch.complete(batch.parts[0]!, 'ran', batch.parts[0]!)).toBe(false);
  batch.free();
  expect(step.answers).toEqual(['internal']);
  expect(rig.scheduler.lives('a')).toBe(true);
});

test('K29 a deadline does not stop what runs, and an expired request is in no batch, even when the timer is late', () => {
  const rig = new SequenceRig();
  rig.live('a');
  const running = rig.take('a', { deadlineMs: 5 });
  const waiting = rig.take('a', { deadlineMs: 5 });
  const next = rig.take('a');
  rig.clock.advance(5);
  expect(waiting.answers).toEqual(['deadline-exceeded']);
  rig.done();
  expect(running.answers).toEqual(['success']);
  expect(rig.last.parts[0]!.request).toBe(next);
});

test('K30 time-outs end what waits: the default one, or a shorter one where a request may ask', () => {
  const plain = new SequenceRig({ defaultTimeoutMicroseconds: 10_000 });
  plain.start('a');
  const waits = plain.start('b', { timeoutMicroseconds: 2000 });
  plain.clock.advance(9);
  expect(waits.answers).toEqual([]);
  plain.clock.advance(1);
  expect(waits.answers).toEqual(['deadline-exceeded']);
  const own = new SequenceRig({ defaultTimeoutMicroseconds: 10_000, allowTimeoutOverride: true });
  own.start('a');
  const short = own.start('b', { timeoutMicroseconds: 2000 });
  own.clock.advance(2);
  expect(short.answers).toEqual(['deadline-exceeded']);
});

test('K31 request number maxQueueSize waits, the next is refused and told when to try again', () => {
  const rig = new SequenceRig({ maxQueueSize: 2 });
  rig.start('a');
  rig.take('a');
  const waits = rig.start('b');
  expect(rig.refusal('c', { start: true })).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 1 });
  rig.scheduler.cancel(waits);
  rig.start('c');
});

test('K32 who is told that it failed may enqueue again at once', () => {
  const rig = new SequenceRig({ maxQueueSize: 1 });
  rig.start('a');
  const first = rig.start('b', { deadlineMs: 5 });
  let refused: unknown = 'not asked';
  first.onAnswer = () => (refused = rig.refusal('b', { start: true }));
  rig.clock.advance(5);
  expect([first.answers, refused]).toEqual([['deadline-exceeded'], undefined]);
});
