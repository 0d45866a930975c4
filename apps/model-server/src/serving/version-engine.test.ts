import { describe, expect, it } from 'vitest';
import { decodeStrings } from '@sluice/inference/bytes-tensor';
import { readInferResponse } from '@sluice/inference/infer-response';
import type { ParameterValue } from '@sluice/inference/parameters';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { end, engineOf, failed, worked } from '../../test/support/puppet-engine.ts';
import { VersionStats } from './version-stats.ts';

describe('a batch that failed', () => {
  it('is answered request by request as each has run, and counts as it ran', () => {
    const { jobs, log, ask, turn, stats, clock } = engineOf();
    ask('a', [1]);
    ask('b', [2]);
    clock.advance(5);
    ask('c', [3, 4]);
    turn();
    expect(jobs.map(({ rows }) => [...rows])).toEqual([[1, 2, 3, 4]]);
    end(jobs[0]!.job, failed);
    expect(log).toEqual([]);
    end(jobs[1]!.job, worked(jobs[1]!));
    expect(log).toEqual(['a=2']);
    end(jobs[2]!.job, failed);
    expect(log).toEqual(['a=2', 'b internal']);
    end(jobs[3]!.job, worked(jobs[3]!));
    expect(log.slice(0, 3)).toEqual(['a=2', 'b internal', 'c=6,8']);
    // The batch held all of them to its end.
    expect(log.slice(3).sort()).toEqual(['a released', 'b released', 'c released']);
    expect(stats).toMatchObject({ successes: 2, inferences: 3, executions: 2, inferUs: 200, inputUs: 2, outputUs: 4 });
    expect(stats.queueUs).toBe(4_897);
    expect(stats.batchRows.cumulative().slice(0, 3)).toEqual([1, 2, 2]);
    expect(stats.failures).toMatchObject({ BACKEND: 1 });
    const phases = { executions: 1, inputUs: 1, inferUs: 100, outputUs: 2 };
    expect(stats.bySize()).toEqual([
      { rows: 1, ...phases },
      { rows: 2, ...phases },
    ]);
    // Each of those that were answered, and the one that failed, from its arrival.
    expect([stats.requestUs, stats.failureUs]).toEqual([5_000, 5_000]);
  });

  it('is answered as a whole where the order of answers is to be kept', () => {
    const { jobs, log, ask, turn } = engineOf({ preserveOrdering: true });
    ask('a', [1]);
    ask('b', [2]);
    turn();
    end(jobs[0]!.job, failed);
    end(jobs[1]!.job, worked(jobs[1]!));
    expect(log).toEqual([]);
    end(jobs[2]!.job, failed);
    expect(log.slice(0, 2)).toEqual(['a=2', 'b internal']);
  });

  it('answers a request that was split when all of it has run', () => {
    const { jobs, log, ask, turn, stats, clock } = engineOf();
    ask('long', [1, 2, 3, 4, 5]);
    ask('short', [6]);
    clock.advance(2);
    turn();
    clock.advance(4);
    end(jobs[0]!.job, worked(jobs[0]!));
    turn();
    expect([...jobs[1]!.rows]).toEqual([5, 6]);
    end(jobs[1]!.job, failed);
    end(jobs[2]!.job, worked(jobs[2]!));
    expect(log).toEqual([]);
    end(jobs[3]!.job, worked(jobs[3]!));
    expect(log[0]).toBe('short=12');
    expect(log).toContain('long=2,4,6,8,10');
    expect(stats).toMatchObject({ successes: 2, inferences: 6, executions: 3 });
    // The long one was in two runs, the short one in one; the long one waited until its first began.
    expect(stats).toMatchObject({ inputUs: 3, inferUs: 300, outputUs: 6, queueUs: 2 * 5_897 });
  });
});

describe('statistics', () => {
  it('count the time of a run for each request that it answered, and once for the run', () => {
    const { jobs, ask, turn, begin, stats, clock } = engineOf();
    ask('a', [1]);
    clock.advance(3);
    ask('b', [2, 3]);
    const cancel = ask('gone', [4]);
    turn();
    begin(0);
    clock.advance(10);
    cancel!();
    end(jobs[0]!.job, worked(jobs[0]!));
    expect(stats).toMatchObject({ successes: 2, inferences: 3, executions: 1, rowsRun: 4, queueUs: 12_897 + 9_897 });
    expect(stats).toMatchObject({ inputUs: 2, inferUs: 200, outputUs: 4, requestUs: 13_000 + 10_000 });
    expect(stats).toMatchObject({ failures: { CANCELED: 1 }, failureUs: 10_000 });
    expect(stats.bySize()).toEqual([{ rows: 4, executions: 1, inputUs: 1, inferUs: 100, outputUs: 2 }]);
  });

  it('count a request as one row where nothing is batched', () => {
    const stats = new VersionStats(0);
    const timing = { inputUs: 1, inferUs: 2, outputUs: 3 };
    stats.batchRan(7, timing);
    stats.succeeded({ rows: 7, run: { beganAtMs: 1, timing } }, 1, 2);
    expect(stats).toMatchObject({ inferences: 1, rowsRun: 7 });
    expect(stats.bySize()).toMatchObject([{ rows: 1, executions: 1 }]);
  });
});

describe('classification', () => {
  it('is of each request alone, in one batch, of one that was split, and without rows', () => {
    const { jobs, engine, turn } = engineOf();
    const said: string[] = [];
    const ask = (values: readonly number[], k: number): void => {
      const shape = [values.length, 1];
      const inputs = [{ name: 'x', datatype: 'UINT8' as const, shape, data: Uint8Array.from(values) }];
      // Of an output that is named, with the parameter: field 6 of the request.
      const wanted = [
        0x32,
        0x19,
        0x0a,
        1,
        0x79,
        0x12,
        0x14,
        0x0a,
        14,
        ...Buffer.from('classification'),
        0x12,
        2,
        0x10,
        k,
      ];
      const request = Buffer.concat([buildInferRequest({ modelName: 'm', inputs }), Buffer.from(wanted)]);
      engine.infer(request, Infinity, {
        respond: (bytes) => {
          const [output] = readInferResponse(bytes).outputs;
          said.push(`${output!.datatype} [${output!.shape.join()}] ${decodeStrings(output!.data).join(' ')}`);
        },
        fail: ({ message }) => void said.push(message),
        waitedMs: 0,
        released: () => undefined,
      });
    };
    ask([1], 1);
    ask([2, 3], 9);
    ask([4, 5], 1);
    turn();
    end(jobs[0]!.job, worked(jobs[0]!));
    turn();
    end(jobs[1]!.job, worked(jobs[1]!));
    ask([], 1);
    expect(said).toEqual(['BYTES [1,1] 2:0', 'BYTES [2,1] 4:0 6:0', 'BYTES [2,1] 8:0 10:0', 'BYTES [0,1] ']);
  });
});

describe('a batch that has not begun', () => {
  it('is left by who is cancelled, and joined by who comes', () => {
    const { jobs, log, ask, turn, begin, stats } = engineOf();
    const cancel = ask('a', [1, 2]);
    ask('b', [3]);
    turn();
    cancel!();
    expect(log).toEqual(['a cancelled']);
    turn();
    expect([[...jobs[0]!.rows], log]).toEqual([[3], ['a cancelled', 'a released']]);
    ask('c', [4, 5]);
    ask('d', [6, 7]);
    turn();
    // No room for d: it gets the place behind.
    expect(jobs.map(({ rows }) => [...rows])).toEqual([
      [3, 4, 5],
      [6, 7],
    ]);
    begin(0);
    end(jobs[0]!.job, worked(jobs[0]!));
    expect(log.slice(2)).toEqual(['b=6', 'c=8,10', 'b released', 'c released']);
    expect(stats).toMatchObject({ executions: 1, inferences: 3 });
  });

  it('counts a run once for a request that has two parts in it', () => {
    const { jobs, ask, turn, begin, stats, log } = engineOf();
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
      end(jobs[index]!.job, worked(jobs[index]!));
      turn();
    }
    expect(log).toContain('long=8,10,12,14,16');
    // One run for the first, two for the long one.
    expect(stats).toMatchObject({ successes: 2, executions: 3, inferUs: 300 });
  });

  it('does not run when everybody has left it', () => {
    const { jobs, log, ask, turn, stats } = engineOf();
    const cancel = ask('a', [1]);
    turn();
    cancel!();
    turn();
    expect(log).toEqual(['a cancelled', 'a released']);
    jobs[0]!.job.freed?.();
    expect(stats).toMatchObject({ executions: 0, inferences: 0 });
    ask('b', [2]);
    turn();
    end(jobs[1]!.job, worked(jobs[1]!));
    expect(log.slice(2)).toEqual(['b=4', 'b released']);
  });
});

describe('a request of a sequence', () => {
  const id = (value: ParameterValue) => new Map([['sequence_id', value]]);

  it.each<ParameterValue>([
    { kind: 'uint64', value: 7n },
    { kind: 'int64', value: -1n },
    { kind: 'string', value: 's' },
    { kind: 'uint64', value: 0n },
    { kind: 'string', value: '' },
  ])('is one like all others to a model without sequences: %o', (value) => {
    const { ask, jobs, turn } = engineOf();
    ask('a', [1], id(value));
    turn();
    expect(jobs).toHaveLength(1);
  });
});
