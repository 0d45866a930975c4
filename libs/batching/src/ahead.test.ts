import { expect, test } from 'vitest';
import { PlacingRig } from '../test/placing-rig.ts';
import { Rig } from '../test/rig.ts';
import { Places } from './places.ts';

test('H1 while an instance runs, one batch more stands behind it, and no other', () => {
  const rig = new PlacingRig({ maxBatchSize: 2, ahead: 1, instances: 2 });
  for (let i = 0; i < 6; i++) {
    rig.add(2);
    rig.begin(rig.batches.length - 1);
  }
  // Each goes where there is the least to do.
  expect(rig.batches.map((batch) => batch.instance)).toEqual([0, 1, 0, 1]);
  expect(rig.scheduler.stats()).toMatchObject({ queuedRequests: 2, runningBatches: 4, freeInstances: 0 });
  rig.batches[1]!.free();
  expect([rig.batches.length, rig.batches[4]?.instance]).toEqual([5, 1]);
  expect(new Places(1, 2).free).toBe(3);
});

test('H2 rows join the batch that stands behind, in their order and as long as there is room', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1, maxQueueDelayMicroseconds: 5_000 });
  rig.add(4);
  rig.begin(0);
  const first = rig.add(1);
  // Its delay is for company: the place behind is no reason to leave before.
  expect(rig.batches).toHaveLength(1);
  rig.clock.advance(5);
  expect(rig.shapes()).toEqual(['a:4', 'b:1']);
  rig.add(2);
  rig.add(2);
  expect(rig.shapes()).toEqual(['a:4', 'b:1 c:2']);
  expect(rig.joins).toEqual(['c@1']);
  // What fits comes in its turn: nobody overtakes the one that does not fit.
  rig.add(1);
  expect([rig.rows(1), rig.scheduler.stats().queuedRequests]).toEqual(['b@0 c@1', 2]);
  rig.begin(1);
  rig.finish(0);
  rig.finish(1);
  expect(first.outcome).toBe('ok');
  expect(rig.scheduler.stats()).toMatchObject({ batches: 2, batchedRows: 7, queuedRequests: 2 });
});

test('H2 a request that is split fills the room that is left', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1 });
  rig.add(4);
  rig.begin(0);
  rig.add(1);
  const large = rig.add(9);
  expect(rig.shapes()).toEqual(['a:4', 'b:1 c:3']);
  rig.begin(1);
  for (const index of [0, 1, 2, 3]) {
    rig.begin(index);
    rig.finish(index);
  }
  expect(rig.shapes().slice(2)).toEqual(['c:4', 'c:2']);
  expect(large.outcome).toBe('ok');
});

test('H2 while an instance is idle a batch of its own is formed', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1, instances: 2 });
  rig.add(1);
  rig.add(1);
  expect(rig.shapes()).toEqual(['a:1', 'b:1']);
  rig.add(1);
  expect(rig.shapes()).toEqual(['a:1', 'b:1 c:1']);
});

test('H3 nothing joins a batch that has begun, or has no room, or that a later one of its bucket follows', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 2 });
  rig.add(4);
  rig.begin(0);
  rig.add(1);
  rig.begin(1);
  rig.add(1);
  expect(rig.shapes()).toEqual(['a:4', 'b:1', 'c:1']);
  rig.room = 1;
  rig.add(1);
  expect(rig.shapes()).toEqual(['a:4', 'b:1', 'c:1']);
  // It was asked once: it is not asked again.
  rig.room = 100;
  rig.add(1);
  expect([rig.rows(2), rig.joins]).toEqual(['c@0', []]);

  const other = new PlacingRig({ maxBatchSize: 4, ahead: 2 });
  other.add(4);
  other.begin(0);
  other.add(3);
  other.add(2);
  expect(other.shapes()).toEqual(['a:4', 'b:3', 'c:2']);
  // One row would fit behind b, but c came first.
  other.add(1);
  expect(other.shapes()).toEqual(['a:4', 'b:3', 'c:2 d:1']);
});

test('H3 another shape joins nothing', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1 });
  rig.add(1);
  rig.begin(0);
  rig.add(1);
  rig.add(1, { bucket: 'b' });
  expect(rig.shapes()).toEqual(['a:1', 'b:1']);
});

test('H4 a batch of a preferred size only grows to another', () => {
  const rig = new PlacingRig({ maxBatchSize: 8, preferredBatchSize: [2, 4], ahead: 1 });
  rig.add(8);
  rig.begin(0);
  rig.add(2);
  rig.add(1);
  expect(rig.shapes()).toEqual(['a:8', 'b:2']);
  rig.add(1);
  expect(rig.shapes()).toEqual(['a:8', 'b:2 c:1 d:1']);
  rig.add(3);
  expect(rig.rows(1)).toBe('b@0 c@2 d@3');
});

test('H5 a cancelled request leaves a batch that has not begun, and the rows behind it move up', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1 });
  rig.add(4);
  rig.begin(0);
  const gone = rig.add(2);
  const stays = rig.add(1);
  expect(rig.rows(1)).toBe('b@0 c@2');
  expect(rig.scheduler.cancel(gone)).toBe(true);
  expect([gone.outcome, rig.rows(1), rig.runsWith.get(rig.batches[1]!)]).toEqual(['cancelled', 'c@0', 1]);
  // There is room again, for two.
  rig.add(3);
  expect(rig.rows(1)).toBe('c@0 d@1');
  rig.begin(1);
  expect(rig.scheduler.cancel(stays)).toBe(true);
  expect([stays.outcome, rig.rows(1)]).toEqual(['cancelled', 'c@0 d@1']);
  expect(rig.batches[1]!.wanted(rig.batches[1]!.parts[0]!)).toBe(false);
});

test('H5 a split request that fails takes its other rows out of what has not begun', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1 });
  const large = rig.add(6);
  rig.begin(0);
  rig.add(1);
  expect(rig.rows(1)).toBe('a@0 b@2');
  rig.scheduler.cancel(large);
  expect([large.outcome, rig.rows(1)]).toEqual(['cancelled', 'b@0']);
});

test('H6 at its deadline a request leaves a batch that has not begun: one step before it no, at it yes', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1 });
  rig.add(4);
  rig.begin(0);
  const late = rig.add(1, { deadlineMs: 10 });
  const other = rig.add(1, { deadlineMs: 20 });
  rig.clock.advance(9);
  expect([late.outcome, rig.rows(1)]).toEqual(['waiting', 'b@0 c@1']);
  rig.clock.advance(1);
  expect([late.outcome, rig.rows(1)]).toEqual(['deadline-exceeded', 'c@0']);
  rig.begin(1);
  rig.clock.advance(10);
  expect([other.outcome, rig.rows(1)]).toEqual(['waiting', 'c@0']);
  rig.finish(0);
  rig.finish(1);
  expect(other.outcome).toBe('ok');
  expect(rig.clock.pendingTimers).toBe(0);
});

test('H6 so it does at its time-out, unless that only delays it', () => {
  const reject = new PlacingRig({ maxBatchSize: 4, ahead: 1, defaultTimeoutMicroseconds: 5_000 });
  reject.add(4);
  reject.begin(0);
  const late = reject.add(1);
  reject.clock.advance(5);
  expect(late.outcome).toBe('deadline-exceeded');
  const delay = new PlacingRig({
    ahead: 1,
    maxBatchSize: 4,
    defaultTimeoutMicroseconds: 5_000,
    timeoutAction: 'DELAY',
  });
  delay.add(4);
  delay.begin(0);
  const placed = delay.add(1, { deadlineMs: 8 });
  delay.clock.advance(5);
  expect(placed.outcome).toBe('waiting');
  delay.clock.advance(3);
  expect(placed.outcome).toBe('deadline-exceeded');
  expect(String(placed.answers[0])).toContain('its deadline passed');
});

test('H7 a batch that everybody has left does not run: it is over as soon as it is freed', async () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1 });
  rig.add(4);
  rig.begin(0);
  rig.scheduler.cancel(rig.add(2));
  expect([rig.batches[1]!.parts, rig.runsWith.get(rig.batches[1]!)]).toEqual([[], 0]);
  expect(rig.scheduler.stats()).toMatchObject({ runningBatches: 2, runningRows: 4 });
  // Its place is not free before the runner says so.
  rig.add(1);
  expect(rig.batches).toHaveLength(2);
  rig.finish(0);
  rig.batches[1]!.free();
  expect(rig.shapes()).toEqual(['a:4', '', 'c:1']);
  rig.begin(2);
  rig.finish(2);
  expect(await rig.scheduler.drain(0)).toEqual({ failed: 0, runningBatches: 0 });
});

test('H8 padding follows what joins and leaves', () => {
  const rig = new PlacingRig({ maxBatchSize: 8, allowedBatchSizes: [2, 4, 8], ahead: 1 });
  rig.add(8);
  rig.begin(0);
  const first = rig.add(1);
  expect(rig.runsWith.get(rig.batches[1]!)).toBe(2);
  rig.add(2);
  expect(rig.runsWith.get(rig.batches[1]!)).toBe(4);
  rig.scheduler.cancel(first);
  expect([rig.runsWith.get(rig.batches[1]!), rig.batches[1]!.paddedRows]).toEqual([2, 2]);
  expect(rig.scheduler.stats()).toMatchObject({ batchedRows: 10, paddingRows: 0, runningRows: 10 });
});

test('H9 when the time of a drain is up, requests leave batches that have not begun', async () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1 });
  const runs = rig.add(4);
  rig.begin(0);
  const waits = rig.add(1);
  expect(await rig.scheduler.drain(0)).toEqual({ failed: 1, runningBatches: 2 });
  expect([runs.outcome, waits.outcome]).toEqual(['waiting', 'unavailable']);
});

test('H10 the time that a batch stands behind another is no part of the mean run time', () => {
  const rig = new PlacingRig({ maxBatchSize: 1, ahead: 1, maxQueueSize: 1 });
  rig.add(1);
  rig.begin(0);
  rig.add(1);
  rig.begin(1);
  rig.clock.advance(10);
  rig.finish(0);
  rig.clock.advance(10);
  rig.finish(1);
  rig.add(1);
  rig.begin(2);
  rig.add(1);
  rig.begin(3);
  rig.add(1);
  expect(() => rig.add(1)).toThrow(expect.objectContaining({ retryAfterMs: 10 }));
});

test('H11 what stands behind goes to an instance that becomes idle, before anything that came later', () => {
  const rig = new PlacingRig({ maxBatchSize: 1, ahead: 1, instances: 2 });
  rig.add(1);
  rig.begin(0);
  rig.add(1);
  rig.begin(1);
  const [first, second] = [rig.add(1), rig.add(1)];
  rig.add(1);
  expect(rig.batches.map((batch) => batch.instance)).toEqual([0, 1, 0, 1]);
  // The first stands behind a long run, the second begins. Nobody may stand behind that: he would be served before the first.
  rig.finish(1);
  rig.begin(3);
  expect(rig.shapes()).toEqual(['a:1', 'b:1', 'c:1', 'd:1']);
  rig.finish(3);
  expect(second.outcome).toBe('ok');
  expect(rig.shapes()).toEqual(['a:1', 'b:1', '', 'd:1', 'c:1', 'e:1']);
  expect(rig.batches[4]!.instance).toBe(1);
  rig.begin(4);
  rig.finish(4);
  expect([first.outcome, rig.runsWith.get(rig.batches[2]!)]).toEqual(['ok', 0]);
  expect(rig.scheduler.stats()).toMatchObject({ batchedRows: 5 });
});

test('H5 those who leave in one turn leave together: the batch is written anew once', () => {
  const leaves: number[] = [];
  let turn: (() => void) | undefined;
  const rig = new Rig(
    { maxBatchSize: 8, ahead: 1 },
    {
      defer: (form) => (turn = form),
      run: (batch) => {
        rig.batches.push(batch);
        if (rig.batches.length === 1) return;
        batch.place({ open: true, join: () => true, leave: (stay) => leaves.push(stay.length) > 0 });
      },
    },
  );
  rig.add(8);
  const [stays, ...gone] = [rig.add(1), rig.add(1), rig.add(1), rig.add(1)];
  turn!();
  for (const request of gone) expect(rig.scheduler.cancel(request)).toBe(true);
  expect(gone.map((request) => request.outcome)).toEqual(['cancelled', 'cancelled', 'cancelled']);
  expect(leaves).toEqual([]);
  turn!();
  expect([leaves, rig.shape(1)]).toEqual([[1], `${stays.label}:1`]);
});

test('H6 those who are late together leave together', () => {
  const leaves: number[] = [];
  const rig = new Rig(
    { maxBatchSize: 8, ahead: 1 },
    {
      run: (batch) => {
        rig.batches.push(batch);
        if (rig.batches.length === 1) return;
        batch.place({ open: true, join: () => true, leave: (stay) => leaves.push(stay.length) > 0 });
      },
    },
  );
  rig.add(8);
  for (let i = 0; i < 4; i++) rig.add(1, { deadlineMs: 5 });
  rig.add(1);
  rig.clock.advance(5);
  expect(leaves).toEqual([1]);
});

test('H3 a runner that throws when it is asked to change a batch has not changed it', () => {
  const rig: Rig = new Rig(
    { maxBatchSize: 4, ahead: 1 },
    {
      run: (batch) => {
        rig.batches.push(batch);
        const torn = (): never => {
          throw new Error('no memory');
        };
        batch.place({ open: true, join: torn, leave: torn });
      },
    },
  );
  rig.add(4);
  const placed = rig.add(1);
  const waits = rig.add(1);
  expect([rig.shapes(), rig.defects.length]).toEqual([['a:4', 'b:1'], 1]);
  expect(rig.scheduler.cancel(placed)).toBe(true);
  expect([placed.outcome, rig.defects.length]).toEqual(['cancelled', 2]);
  rig.finish(0);
  rig.finish(1);
  rig.finish(2);
  expect(waits.outcome).toBe('ok');
});

test('H1 without places behind nothing joins and nothing leaves, whatever the runner offers', () => {
  const rig = new PlacingRig({ maxBatchSize: 4 });
  const first = rig.add(1);
  rig.add(1);
  rig.scheduler.cancel(first);
  expect([rig.shapes(), rig.joins, rig.scheduler.stats().queuedRequests]).toEqual([['a:1'], [], 1]);
});

test('M2 statistics tell what waits in each level, and what stands in place and has not begun', () => {
  const rig = new PlacingRig({ maxBatchSize: 4, ahead: 1, priorityLevels: 2, defaultPriorityLevel: 2 });
  rig.add(4);
  expect(rig.scheduler.stats()).toMatchObject({ runningBatches: 1, openBatches: 1, openRows: 4, openRequests: 1 });
  rig.begin(0);
  expect(rig.scheduler.stats()).toMatchObject({ runningBatches: 1, openBatches: 0, openRows: 0, openRequests: 0 });
  const leaving = rig.add(1);
  rig.add(1);
  rig.add(9);
  rig.add(1, { priority: 1 });
  // Of the one with nine rows two stand in place and seven wait: it counts where it waits.
  expect(rig.rows(1)).toBe('b@0 c@1 d@2');
  const levels = [
    { requests: 1, rows: 1 },
    { requests: 1, rows: 7 },
  ];
  const open = { openBatches: 1, openRows: 4, openRequests: 2 };
  expect(rig.scheduler.stats()).toMatchObject({ queuedRequests: 2, queuedRows: 8, levels, runningBatches: 2, ...open });
  rig.room = 0;
  rig.scheduler.cancel(leaving);
  expect(rig.scheduler.stats()).toMatchObject({ openRows: 3, openRequests: 1 });
});
