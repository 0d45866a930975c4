import { expect } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { type ServingConfig, servingDefaults, type Signature } from '@sluice/domain/signature';
import type { RuntimeFacts } from '@sluice/evidence/runtime-facts';
import { readInferResponse } from '@sluice/inference/infer-response';
import type { ParameterValue } from '@sluice/inference/parameters';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Fill, HandedBatch } from '../../src/runtime/handed-batch.ts';
import type { SessionPool } from '../../src/runtime/session-pool.ts';
import type { BatchJob, BatchOutcome } from '../../src/runtime/session-thread.ts';
import { VersionEngine } from '../../src/serving/version-engine.ts';
import { VersionStats } from '../../src/serving/version-stats.ts';

const tensor = (name: string, width: number) => ({
  name,
  datatype: 'UINT8' as const,
  shape: [-1, width],
  dimNames: ['', ''],
  features: [],
});
const signatureOf = (width: number): Signature => ({
  inputs: [tensor('x', 1)],
  outputs: [tensor('y', width)],
  batched: true,
});
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

interface PuppetOptions {
  /** Of a row of the output; -1 where only the run knows. */
  readonly width?: number;
  /** Milliseconds that requests waited before the engine got them. */
  readonly waitedMs?: number;
}

/** An engine whose session is the test: `jobs` are the batches that were handed to it, with the rows of each. */
export function engineOf(more: Partial<ServingConfig> = {}, { width = 1, waitedMs = 0 }: PuppetOptions = {}) {
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
    signature: signatureOf(width),
    serving: { ...serving, ...more },
    pool: { threads: 1, submit } as unknown as SessionPool,
    knownOutputs: [width > 0],
    stats,
    clock,
    defer: (fn) => void deferred.push(fn),
    onDefect: (thrown) => expect.unreachable(String(thrown)),
  });
  const log: string[] = [];
  /** What was said of each request beside its answer. */
  const said: Record<string, RuntimeFacts> = {};
  const note = (name: string, { queueMicros, runMicros, totalMicros, batchRows, costMicros, rows }: RuntimeFacts) =>
    (said[name] = { queueMicros, runMicros, totalMicros, batchRows, costMicros, rows });
  /** Requests whose bytes may be overwritten. */
  const unused: string[] = [];
  const ask = (
    name: string,
    values: readonly number[],
    parameters?: ReadonlyMap<string, ParameterValue>,
    deadlineMs = Infinity,
  ) => {
    const inputs = [
      { name: 'x', datatype: 'UINT8' as const, shape: [values.length, 1], data: Uint8Array.from(values) },
    ];
    return engine.infer(
      buildInferRequest({ modelName: 'm', id: name, inputs, ...(parameters && { parameters }) }),
      deadlineMs,
      {
        respond: (bytes, facts) => {
          note(name, facts);
          log.push(`${name}=${[...readInferResponse(bytes).outputs[0]!.data].join()}`);
        },
        fail: ({ kind }, facts) => {
          note(name, facts);
          log.push(`${name} ${kind}`);
        },
        waitedMs,
        released: (isUnused) => {
          log.push(`${name} released`);
          if (isUnused) unused.push(name);
        },
      },
    );
  };
  const turn = (): void => deferred.splice(0).forEach((fn) => fn());
  const begin = (index: number): void => void begun.add(jobs[index]!.job);
  return { engine, stats, clock, jobs, log, said, unused, ask, turn, begin };
}

/** Doubles the rows; each run takes 100 µs, and 3 more before and after it. */
export function worked({ rows }: { readonly rows: Uint8Array }, threads = 1): BatchOutcome {
  const output = { name: 'y', datatype: 'UINT8' as const, dims: [1], bytes: rows.map((row) => 2 * row), rowBytes: 1 };
  const timing = { inputUs: 1, inferUs: 100, outputUs: 2 };
  const outputs = { rows: rows.length, outputs: [{ ...output, rowStarts: undefined }] };
  return { ok: true, outputs, timing, threads };
}
export const failed: BatchOutcome = {
  ok: false,
  error: new SluiceError('internal', 'the model failed'),
  sessionLost: false,
};

export function end(job: BatchJob, outcome: BatchOutcome): void {
  job.done(outcome);
  job.freed?.();
}
