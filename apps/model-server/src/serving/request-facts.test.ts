import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { end, engineOf, failed, worked } from '../../test/support/puppet-engine.ts';
import { propertyRuns } from '../../test/support/property-runs.ts';
import type { BatchOutcome } from '../runtime/session-thread.ts';

/** Failed in a run that took 50 µs, on 2 threads. */
const failedRun: BatchOutcome = {
  ok: false,
  error: new SluiceError('model-failed', 'the model failed'),
  sessionLost: false,
  ran: { timing: { inputUs: 0, inferUs: 50, outputUs: 0 }, threads: 2 },
};
/** But for what the last bits of times make of it. */
const about = (micros: number): number => expect.closeTo(micros, 6) as number;
const nothingRan = { runMicros: 0, batchRows: 0, costMicros: 0 };

describe('what is said of a request beside its answer', () => {
  it('is its wait, its run and its share of that by rows, all shares together the whole', () => {
    const { ask, turn, clock, jobs, said } = engineOf({ allowedBatchSizes: [1, 4, 8], maxBatchSize: 8 });
    ask('a', [1]);
    clock.advance(2);
    ask('b', [2, 3]);
    ask('c', [4, 5, 6]);
    turn();
    clock.advance(4);
    end(jobs[0]!.job, worked(jobs[0]!, 3));
    // 6 rows on 3 threads for 100 µs, and two rows of padding that nobody asked for.
    const run = { runMicros: 100, batchRows: 8 };
    expect(said['a']).toEqual({ ...run, queueMicros: about(6_000 - 103), totalMicros: 6_000, costMicros: 50, rows: 1 });
    expect(said['b']).toEqual({
      ...run,
      queueMicros: about(4_000 - 103),
      totalMicros: 4_000,
      costMicros: 100,
      rows: 2,
    });
    expect(said['c']).toEqual({
      ...run,
      queueMicros: about(4_000 - 103),
      totalMicros: 4_000,
      costMicros: 150,
      rows: 3,
    });
  });

  it('is of a request that was split the wait until its first batch, the sum of its runs and the largest of its batches', () => {
    const { ask, turn, clock, jobs, said } = engineOf();
    ask('long', [1, 2, 3, 4, 5]);
    ask('short', [6]);
    clock.advance(2);
    turn();
    clock.advance(1);
    end(jobs[0]!.job, worked(jobs[0]!, 2));
    turn();
    clock.advance(5);
    end(jobs[1]!.job, worked(jobs[1]!, 2));
    const [first, second] = [200, 100];
    expect(said['long']).toEqual({
      ...{ queueMicros: about(3_000 - 103), runMicros: 200, totalMicros: 8_000 },
      ...{ batchRows: 4, costMicros: first + second, rows: 5 },
    });
    expect(said['short']).toEqual({
      ...{ queueMicros: about(8_000 - 103), runMicros: 100, totalMicros: 8_000 },
      ...{ batchRows: 2, costMicros: second, rows: 1 },
    });
  });

  it('has a run once where two parts of the request were in it, and the cost of both', () => {
    const { ask, turn, begin, clock, jobs, said } = engineOf();
    ask('runs', [9, 9, 9, 9]);
    turn();
    begin(0);
    const cancel = ask('gone', [1, 2, 3]);
    ask('long', [4, 5, 6, 7, 8]);
    turn();
    cancel!();
    turn();
    expect([...jobs[1]!.rows]).toEqual([4, 5, 6, 7]);
    for (const index of [0, 1, 2]) {
      begin(index);
      clock.advance(1);
      end(jobs[index]!.job, worked(jobs[index]!));
      turn();
    }
    expect(said['gone']).toEqual({ ...nothingRan, queueMicros: 0, totalMicros: 0, rows: 3 });
    expect(said['long']).toMatchObject({ runMicros: 200, costMicros: 200, batchRows: 4, rows: 5 });
    expect(said['long']!.queueMicros).toBeCloseTo(2_000 - 103);
  });

  it('is of one that failed what is known of the run that it failed in', () => {
    const { ask, turn, clock, jobs, said, stats } = engineOf();
    ask('a', [1, 2]);
    clock.advance(1);
    turn();
    clock.advance(1);
    end(jobs[0]!.job, failedRun);
    expect(said['a']).toEqual({
      ...{ queueMicros: about(2_000 - 50), runMicros: 50, totalMicros: 2_000 },
      ...{ batchRows: 2, costMicros: 100, rows: 2 },
    });
    expect(stats).toMatchObject({ executions: 0, failures: { BACKEND: 1 } });
    ask('b', [3]);
    turn();
    clock.advance(1);
    end(jobs[1]!.job, failed);
    expect(said['b']).toEqual({ ...nothingRan, queueMicros: 1_000, totalMicros: 1_000, rows: 1 });
  });

  it('is of those of a batch that failed their own runs after it', () => {
    const { ask, turn, clock, jobs, said, stats } = engineOf({ allowedBatchSizes: [2, 4] });
    ask('good', [1]);
    ask('bad', [2, 3, 4]);
    turn();
    clock.advance(1);
    end(jobs[0]!.job, failedRun);
    clock.advance(1);
    end(jobs[1]!.job, worked(jobs[1]!, 2));
    clock.advance(1);
    end(jobs[2]!.job, failedRun);
    expect(said['good']).toEqual({
      ...{ queueMicros: about(2_000 - 103), runMicros: 100, totalMicros: 2_000 },
      ...{ batchRows: 2, costMicros: 200, rows: 1 },
    });
    expect(said['bad']).toEqual({
      ...{ queueMicros: about(3_000 - 50), runMicros: 50, totalMicros: 3_000 },
      ...{ batchRows: 4, costMicros: 100, rows: 3 },
    });
    expect(stats).toMatchObject({ executions: 1, successes: 1, queueUs: said['good']!.queueMicros });
  });

  it('is of one that never ran how long it waited, and of one that was not taken its rows', () => {
    const { ask, turn, begin, clock, said, engine } = engineOf({ maxQueueSize: 1 });
    ask('runs', [1, 2, 3, 4]);
    turn();
    begin(0);
    ask('place', [1, 2, 3, 4]);
    turn();
    ask('late', [1, 2], undefined, 7);
    ask('many', [1, 2, 3]);
    expect(said['many']).toEqual({ ...nothingRan, queueMicros: 0, totalMicros: 0, rows: 3 });
    clock.advance(7);
    expect(said['late']).toEqual({ ...nothingRan, queueMicros: 7_000, totalMicros: 7_000, rows: 2 });
    ask('waits', [1]);
    clock.advance(2);
    engine.hang(new SluiceError('internal', 'a run does not end'));
    expect(said['waits']).toEqual({ ...nothingRan, queueMicros: 2_000, totalMicros: 2_000, rows: 1 });
  });

  it('is of requests without rows an equal share each where they run, and nothing where no run is needed', () => {
    const runs = engineOf({}, { width: -1 });
    runs.ask('a', []);
    runs.ask('b', []);
    runs.turn();
    runs.clock.advance(1);
    const job = runs.jobs[0]!;
    end(job.job, worked({ rows: new Uint8Array(0) }));
    const half = { runMicros: 100, totalMicros: 1_000, batchRows: 0, costMicros: 50, rows: 0 };
    expect(runs.said).toEqual({
      a: { ...half, queueMicros: about(1_000 - 103) },
      b: { ...half, queueMicros: about(1_000 - 103) },
    });
    const known = engineOf();
    known.ask('a', []);
    expect(known.said['a']).toEqual({ ...nothingRan, queueMicros: 0, totalMicros: 0, rows: 0 });
  });

  it('begins with what it had waited before its engine got it, which the statistics do not count', () => {
    const { ask, turn, clock, jobs, said, stats } = engineOf({}, { waitedMs: 30 });
    ask('none', []);
    expect(said['none']).toEqual({ ...nothingRan, queueMicros: 30_000, totalMicros: 30_000, rows: 0 });
    ask('a', [1]);
    turn();
    clock.advance(1);
    end(jobs[0]!.job, worked(jobs[0]!));
    expect(said['a']).toMatchObject({ queueMicros: about(31_000 - 103), totalMicros: 31_000 });
    expect([stats.queueUs, stats.requestUs]).toEqual([1_000 - 103, 1_000]);
  });

  it('adds up, whatever comes in whatever order: costs to those of the runs, times to those of the statistics', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), rows: fc.integer({ min: 1, max: 9 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), threads: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('turn', 'wait') }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.constantFrom([], [1, 3, 4]), (steps, sizes) => {
        const { ask, turn, begin, clock, jobs, said, stats, log } = engineOf({ allowedBatchSizes: sizes });
        let [asked, ended, cost] = [0, 0, 0];
        const endNext = (threads: number): void => {
          const next = jobs[ended];
          if (next === undefined) return;
          begin(ended++);
          clock.advance(0.103);
          cost += 100 * threads;
          end(next.job, worked(next, threads));
        };
        for (const each of steps) {
          if (each.do === 'ask') ask(`r${asked++}`, new Array<number>(each.rows).fill(1));
          else if (each.do === 'end') endNext(each.threads);
          else if (each.do === 'turn') turn();
          else clock.advance(0.25);
        }
        turn();
        while (ended < jobs.length) {
          endNext(1);
          turn();
        }
        const facts = Object.values(said);
        expect(facts.length).toBe(asked);
        expect(log.filter((line) => line.includes('=')).length).toBe(asked);
        const sum = (read: (one: (typeof facts)[number]) => number): number =>
          facts.reduce((total, one) => total + read(one), 0);
        expect(sum((one) => one.costMicros)).toBeCloseTo(cost, 4);
        expect(sum((one) => one.queueMicros)).toBeCloseTo(stats.queueUs, 4);
        expect(sum((one) => one.runMicros)).toBeCloseTo(stats.inferUs, 4);
        expect(sum((one) => one.totalMicros)).toBeCloseTo(stats.requestUs, 4);
        expect(sum((one) => one.rows)).toBe(stats.inferences);
        for (const one of facts) {
          expect(one.queueMicros + one.runMicros).toBeLessThanOrEqual(one.totalMicros + 0.001);
          expect(one.queueMicros).toBeGreaterThan(-0.001);
          if (sizes.length > 0) expect(sizes).toContain(one.batchRows);
        }
      }),
      { ...propertyRuns, numRuns: Math.ceil(propertyRuns.numRuns / 10) },
    );
  });
});
