import { describe, expect, it } from 'vitest';
import { inferenceService } from '@sluice/contracts/services';
import { readInferResponse } from '@sluice/inference/infer-response';
import { InferJob, type InferAnswer } from './infer-job.ts';
import { SequenceJob } from './sequences/sequence-job.ts';
import { end, engineOf, failed, worked } from '../../test/support/puppet-engine.ts';

describe("a request's bytes", () => {
  it('count as held until its batch is over, although its caller went away', () => {
    const { jobs, log, ask, turn, begin } = engineOf();
    const cancel = ask('a', [1]);
    turn();
    begin(0);
    cancel!();
    expect(log).toEqual(['a cancelled']);
    end(jobs[0]!.job, worked(jobs[0]!));
    expect(log).toEqual(['a cancelled', 'a released']);
  });

  it('are unused when it went the ordinary way, also beside others and where it waited for their answers', () => {
    for (const preserveOrdering of [false, true]) {
      const { jobs, unused, ask, turn } = engineOf({ preserveOrdering });
      ask('a', [1]);
      ask('b', [2, 3]);
      turn();
      jobs[0]!.job.done(worked(jobs[0]!));
      // Until the batch is freed its rows may be written anew.
      expect(unused).toEqual([]);
      jobs[0]!.job.freed?.();
      expect(unused).toEqual(['a', 'b']);
    }
  });

  it('are left to the collector when its caller went away, it was split, or its batch failed or was run again', () => {
    const cancelled = engineOf();
    const cancel = cancelled.ask('a', [1]);
    cancelled.turn();
    cancelled.begin(0);
    cancel!();
    end(cancelled.jobs[0]!.job, worked(cancelled.jobs[0]!));

    const split = engineOf();
    split.ask('a', [1, 2, 3, 4, 5]);
    for (let index = 0; index < 2; index++) {
      split.turn();
      end(split.jobs[index]!.job, worked(split.jobs[index]!));
    }

    const alone = engineOf();
    alone.ask('a', [1]);
    alone.ask('b', [2]);
    alone.turn();
    end(alone.jobs[0]!.job, failed);
    end(alone.jobs[1]!.job, worked(alone.jobs[1]!));
    end(alone.jobs[2]!.job, failed);

    const inOrder = engineOf({ preserveOrdering: true });
    inOrder.ask('a', [1]);
    inOrder.ask('b', [2]);
    inOrder.turn();
    end(inOrder.jobs[0]!.job, failed);
    for (const index of [1, 2]) end(inOrder.jobs[index]!.job, worked(inOrder.jobs[index]!));

    const empty = engineOf();
    empty.ask('a', []);
    for (const { log, unused } of [cancelled, split, alone, inOrder, empty])
      expect([log.filter((line) => line.endsWith('released')).length > 0, unused]).toEqual([true, []]);
  });

  it('are left to the collector where they are no bytes of a tensor as it goes into the batch', () => {
    const { engine, jobs, turn } = engineOf();
    const said: unknown[] = [];
    const typed = inferenceService.definition['ModelInfer']!.requestSerialize({
      modelName: 'm',
      inputs: [{ name: 'x', datatype: 'UINT8', shape: ['1', '1'], contents: { uintContents: [7] } }],
    });
    engine.infer(typed, Infinity, {
      respond: (bytes) => said.push([...readInferResponse(bytes).outputs[0]!.data]),
      fail: (error) => said.push(error),
      waitedMs: 0,
      released: (isUnused) => said.push(isUnused),
    });
    turn();
    end(jobs[0]!.job, worked(jobs[0]!));
    expect(said).toEqual([[14], false]);
  });

  it('are released at once when it leaves the queue, and when it never enters it', () => {
    const { log, ask, engine } = engineOf();
    ask('a', [1])!();
    ask('none', []);
    void engine.drain(0);
    ask('late', [1]);
    expect(log).toEqual(['a cancelled', 'a released', 'none=', 'none released', 'late unavailable', 'late released']);
  });

  it('are left to the collector where they are of a sequence', () => {
    const inputs = [{ raw: Buffer.alloc(4), datatype: 'FP32' }];
    const what = {
      request: { rows: 1, inputs, outputs: [0], id: '' },
      plan: { batched: true },
      wishes: {},
      by: { model: 'm', version: '1' },
    };
    const unused: boolean[] = [];
    const answer: InferAnswer = {
      ...{ respond: () => undefined, fail: (error) => expect.unreachable(error.message) },
      waitedMs: 0,
      released: (isUnused) => unused.push(isUnused),
    };
    const parts = [what as unknown as ConstructorParameters<typeof InferJob>[0], answer, () => undefined] as const;
    new InferJob(...parts).succeed();
    new SequenceJob({ id: 1n, start: true, end: true }, ...parts).succeed();
    expect(unused).toEqual([true, false]);
  });
});
