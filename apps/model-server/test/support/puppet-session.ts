import { expect } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { type ServingConfig, servingDefaults, type Signature } from '@sluice/domain/signature';
import { readInferResponse } from '@sluice/inference/infer-response';
import type { ParameterValue } from '@sluice/inference/parameters';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { SessionPool } from '../../src/runtime/session-pool.ts';
import type { Fill, HandedBatch } from '../../src/runtime/handed-batch.ts';
import type { BatchJob, BatchOutcome } from '../../src/runtime/session-thread.ts';
import { VersionEngine } from '../../src/serving/version-engine.ts';
import { VersionStats } from '../../src/serving/version-stats.ts';

const tensor = (name: string) => ({
  name,
  datatype: 'UINT8' as const,
  shape: [-1, 1],
  dimNames: ['', ''],
  features: [],
});
const signature: Signature = { inputs: [tensor('x')], outputs: [tensor('y')], batched: true };
const serving: ServingConfig = {
  ...servingDefaults,
  maxBatchSize: 4,
  preferredBatchSize: [],
  maxQueueDelayMicroseconds: 0,
  maxQueueSize: 0,
  defaultTimeoutMicroseconds: 0,
  instanceCount: 1,
  intraOpThreads: 1,
  device: 'cpu',
  warmupCount: 0,
  batchingOffReason: '',
};

/** An engine whose session is the test: `jobs` are the batches that were handed to it, with the rows of each. */
export function engineOf(more: Partial<ServingConfig> = {}) {
  const clock = new FakeClock();
  const stats = new VersionStats(serving.maxBatchSize);
  const jobs: { readonly job: BatchJob; rows: Uint8Array }[] = [];
  const begun = new Set<BatchJob>();
  const submit = (job: BatchJob): HandedBatch => {
    const room = new Uint8Array(job.maxRows);
    job.fill([room]);
    const entry = { job, rows: room.slice(0, job.rows) };
    jobs.push(entry);
    const change = (rows: number, fill: Fill): boolean => {
      if (begun.has(job)) return false;
      fill([room]);
      entry.rows = room.slice(0, rows);
      return true;
    };
    return {
      get open() {
        return !begun.has(job);
      },
      grow: change,
      rewrite: (rows, _stringBytes, fill) => change(rows, fill),
      withdraw: () => change(0, () => undefined),
    };
  };
  const deferred: (() => void)[] = [];
  const engine = new VersionEngine({
    model: 'm',
    version: 1,
    signature,
    serving: { ...serving, ...more },
    pool: { threads: 1, submit } as unknown as SessionPool,
    knownOutputs: [true],
    stats,
    clock,
    defer: (fn) => void deferred.push(fn),
    onDefect: (thrown) => expect.unreachable(String(thrown)),
  });
  const log: string[] = [];
  /** Requests whose bytes may be overwritten. */
  const unused: string[] = [];
  const ask = (name: string, values: readonly number[], parameters?: ReadonlyMap<string, ParameterValue>) => {
    const inputs = [
      { name: 'x', datatype: 'UINT8' as const, shape: [values.length, 1], data: Uint8Array.from(values) },
    ];
    return engine.infer(
      buildInferRequest({ modelName: 'm', id: name, inputs, ...(parameters && { parameters }) }),
      Infinity,
      {
        respond: (bytes) => void log.push(`${name}=${[...readInferResponse(bytes).outputs[0]!.data].join()}`),
        fail: ({ kind }) => void log.push(`${name} ${kind}`),
        released: (isUnused) => {
          log.push(`${name} released`);
          if (isUnused) unused.push(name);
        },
      },
    );
  };
  const turn = (): void => deferred.splice(0).forEach((fn) => fn());
  const begin = (index: number): void => void begun.add(jobs[index]!.job);
  return { engine, stats, clock, jobs, log, unused, ask, turn, begin };
}

/** Doubles the rows, 100 µs each. */
export function worked({ rows }: { readonly rows: Uint8Array }): BatchOutcome {
  const output = { name: 'y', datatype: 'UINT8' as const, dims: [1], bytes: rows.map((row) => 2 * row), rowBytes: 1 };
  const timing = { inputUs: 1, inferUs: 100, outputUs: 2 };
  return { ok: true, outputs: { rows: rows.length, outputs: [{ ...output, rowStarts: undefined }] }, timing };
}
/** The model failed. */
export const failed: BatchOutcome = {
  ok: false,
  error: new SluiceError('internal', 'the model failed'),
  sessionLost: false,
};

/** Ends a batch's run. */
export function end(job: BatchJob, outcome: BatchOutcome): void {
  job.done(outcome);
  job.freed?.();
}
