import { expect, test } from 'vitest';
import type { DrainReport } from '../contract.ts';
import { CreepingClock, ticks } from '../../test/creeping-clock.ts';
import { SequenceRig } from '../../test/sequence-rig.ts';

/** Notes how a drain ended. */
function draining(rig: SequenceRig, withinMs: number): { report: DrainReport | undefined } {
  const noted: { report: DrainReport | undefined } = { report: undefined };
  void rig.scheduler.drain(withinMs).then((report) => (noted.report = report));
  return noted;
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('K38 a drain takes no start, serves the sequences that live, and ends with the last of them', async () => {
  const rig = new SequenceRig({ slots: 2, maxSequenceIdleMicroseconds: 10_000 });
  rig.live('a', 'b');
  const drain = draining(rig, 60_000);
  expect(rig.refusal('c', { start: true })?.kind).toBe('unavailable');
  const step = rig.take('a', { end: true });
  rig.done();
  await turn();
  expect([step.answers, drain.report]).toEqual([['success'], undefined]);
  rig.clock.advance(10);
  await turn();
  expect(drain.report).toEqual({ failed: 0, runningBatches: 0 });
});

test('K39 at its time what waits fails, every sequence is over, and what runs goes on', async () => {
  const rig = new SequenceRig();
  rig.live('a');
  const [running, waiting] = [rig.take('a'), rig.take('a')];
  const drain = draining(rig, 20);
  rig.clock.advance(19);
  await turn();
  expect([waiting.answers, drain.report]).toEqual([[], undefined]);
  rig.clock.advance(1);
  await turn();
  expect([waiting.answers, drain.report]).toEqual([['unavailable'], { failed: 1, runningBatches: 1 }]);
  expect(rig.refusal('a')?.kind).toBe('unavailable');
  expect(rig.scheduler.lives('a')).toBe(false);
  rig.done();
  expect(running.answers).toEqual(['success']);
  expect(rig.scheduler.stats().sequences).toBe(0);
});

test('K47 a drain ends whenever its time comes, also between two looks at the clock', async () => {
  for (const tick of ticks) {
    const rig = new SequenceRig({}, new CreepingClock(tick, 0.5));
    rig.live('a');
    const drain = draining(rig, 20);
    rig.clock.advance(40);
    await turn();
    expect([tick, drain.report, rig.scheduler.stats().sequences]).toEqual([tick, { failed: 0, runningBatches: 0 }, 0]);
  }
});

test('K40 endIdle ends who has no request at once, and the others when they have none', async () => {
  const rig = new SequenceRig({ slots: 2 });
  rig.live('a', 'b');
  const step = rig.take('b');
  const drain = draining(rig, 60_000);
  rig.scheduler.endIdle();
  expect([rig.scheduler.lives('a'), rig.scheduler.lives('b')]).toEqual([false, true]);
  rig.done();
  await turn();
  expect([step.answers, drain.report]).toEqual([['success'], { failed: 0, runningBatches: 0 }]);
});

test('K41 end ends a sequence after the requests that it has', () => {
  const rig = new SequenceRig({ slots: 2 });
  rig.live('a', 'b');
  rig.scheduler.end('a');
  expect([rig.scheduler.lives('a'), rig.scheduler.stats().sequences]).toEqual([false, 1]);
  const [running, waiting] = [rig.take('b'), rig.take('b')];
  rig.scheduler.end('b');
  expect(rig.refusal('b')?.kind).toBe('failed-precondition');
  rig.done();
  rig.done();
  expect([running.answers, waiting.answers]).toEqual([['success'], ['success']]);
  expect(rig.scheduler.stats().sequences).toBe(0);
  rig.scheduler.end('nobody');
});

test('K42 the options are checked, and each message names its knob', () => {
  const wrong = (options: object) => () => new SequenceRig(options);
  expect(wrong({ slots: 0 })).toThrow('slots must be a whole number from 1');
  expect(wrong({ instances: 0 })).toThrow('instances must be');
  expect(wrong({ maxSequenceIdleMicroseconds: 0 })).toThrow(
    'maxSequenceIdleMicroseconds must be a whole number from 1',
  );
  expect(wrong({ minimumSlotUtilization: 1.1 })).toThrow(
    'minimumSlotUtilization must be a number from 0 to 1, got 1.1',
  );
  expect(wrong({ minimumSlotUtilization: NaN })).toThrow('minimumSlotUtilization');
  expect(wrong({ maxQueueDelayMicroseconds: -1 })).toThrow('maxQueueDelayMicroseconds must be');
  expect(wrong({ maxQueueSize: 0.5 })).toThrow('maxQueueSize must be');
});

test('K43 stats count what was accepted, what became of it, and what is there now', () => {
  const rig = new SequenceRig({ slots: 1 });
  rig.live('a');
  rig.take('a');
  rig.take('a', { bucket: 'other' });
  const gone = rig.start('b');
  rig.refusal('c');
  rig.scheduler.cancel(gone);
  expect(rig.scheduler.stats()).toMatchObject({
    ...{ queuedRequests: 1, queuedRows: 1, queuedBuckets: 1, runningBatches: 1, runningRows: 1, freeInstances: 0 },
    ...{ accepted: 4, succeeded: 1, batches: 2, batchedRows: 2, slots: 1, sequences: 1, backlog: 0, idledOut: 0 },
    lost: { refused: 1, expired: 0, cancelled: 1, stopped: 0, 'batch-failed': 0 },
  });
});

test('K46 stats look at no request, however many wait', () => {
  const rig = new SequenceRig({ slots: 1 });
  let looks = 0;
  for (let number = 0; number < 100; number += 1) {
    const bucket = `bucket ${number % 3}`;
    const step = rig.start(`s${number}`, { bucket });
    Object.defineProperty(step, 'bucket', { get: () => ((looks += 1), bucket) });
  }
  looks = 0;
  expect(rig.scheduler.stats()).toMatchObject({ queuedRequests: 99, queuedBuckets: 3, backlog: 99 });
  expect(looks).toBe(0);
  void rig.scheduler.drain(0);
  expect(rig.scheduler.stats()).toMatchObject({ queuedRequests: 0, queuedBuckets: 0 });
});
