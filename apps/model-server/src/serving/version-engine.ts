import type { Batch, DrainReport, RequestPart, SchedulerStats } from '@sluice/batching/contract';
import { BatchScheduler } from '@sluice/batching/scheduler';
import type { Clock } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import type { ServingConfig, Signature } from '@sluice/domain/signature';
import { classifyOutputs } from '@sluice/inference/classification';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { parseInferRequest, type InferRequest } from '@sluice/inference/infer-request';
import type { BatchTiming } from '../runtime/control-block.ts';
import { slotsPerSession } from '../runtime/control-block.ts';
import type { BatchJob, HandedBatch } from '../runtime/session-thread.ts';
import type { SessionPool } from '../runtime/session-pool.ts';
import { Buckets, hasFixedRows, rowDims, type KnownOutputs } from './buckets.ts';
import type { Cancel, Engine } from './engine.ts';
import { BatchFill } from './fill.ts';
import { InferJob, type BatchResult, type InferAnswer } from './infer-job.ts';
import { PlacedInMemory } from './placed-batch.ts';
import { runAlone, type AlonePorts } from './run-alone.ts';
import { paddedRows, schedulingOf, wishesOf } from './scheduling.ts';
import type { FailureReason, VersionStats } from './version-stats.ts';

/** What an engine serves. */
export interface EngineOptions {
  readonly model: string;
  readonly version: number;
  readonly signature: Signature;
  readonly serving: ServingConfig;
  readonly pool: SessionPool;
  /** Outputs whose shape the warm-up found to be what the signature states. */
  readonly knownOutputs: KnownOutputs;
  /** Outlives the engine: a version that is loaded again goes on counting. */
  readonly stats: VersionStats;
  readonly clock: Clock;
  /** Puts work off to the end of the turn: `setImmediate` in a server. */
  readonly defer: (fn: () => void) => void;
  /** Told how long each run took that worked, in microseconds. */
  readonly ran?: (inferUs: number) => void;
  /** Told of each request that the model failed on. */
  readonly modelFailed?: (error: SluiceError) => void;
  /** A defect of ours that no answer can carry. */
  readonly onDefect: (thrown: unknown) => void;
}

/** What a failure counts as. */
export const reasonOf: Partial<Record<SluiceError['kind'], FailureReason>> = {
  'resource-exhausted': 'REJECTED',
  'deadline-exceeded': 'REJECTED',
  unavailable: 'REJECTED',
  cancelled: 'CANCELED',
  'model-failed': 'BACKEND',
  internal: 'BACKEND',
};

/**
 * One loaded version whose requests each stand for themselves. What they say of a sequence means nothing to it, as with
 * Triton: without a state every answer is right.
 */
export class VersionEngine implements Engine {
  readonly stats: VersionStats;
  lastRequestMs = 0;
  readonly #options: EngineOptions;
  readonly #buckets: Buckets;
  readonly #scheduler: BatchScheduler<InferJob, BatchResult>;
  readonly #by: { readonly model: string; readonly version: string };
  /** Every output's rows have the shape that the signature states, so an answer without rows needs no run. */
  readonly #emptyRowsKnown: boolean;
  #pool: SessionPool;
  /** What everything that waits is answered with once a run does not end. */
  #hung: SluiceError | undefined;

  constructor(options: EngineOptions) {
    const { model, version, serving, signature } = options;
    this.#options = options;
    this.#pool = options.pool;
    this.stats = options.stats;
    this.#by = { model, version: String(version) };
    this.#buckets = new Buckets(signature, options.knownOutputs);
    this.#emptyRowsKnown = signature.batched && signature.outputs.every((output) => hasFixedRows(signature, output));
    this.#scheduler = BatchScheduler.create<InferJob, BatchResult>(
      {
        ...schedulingOf(signature, serving),
        name: `${model} version ${version}`,
        instances: options.pool.threads,
        ahead: slotsPerSession - 1,
      },
      {
        clock: options.clock,
        run: (batch) => this.#run(batch),
        defer: options.defer,
        onDefect: options.onDefect,
      },
    );
  }

  usePool(pool: SessionPool): void {
    this.#pool = pool;
  }

  get signature(): Signature {
    return this.#options.signature;
  }

  infer(bytes: Buffer, deadlineMs: number, answer: InferAnswer): Cancel | undefined {
    let request: InferRequest;
    let job: InferJob;
    try {
      request = parseInferRequest(bytes, this.#options.signature);
      const { key, plan } = this.#buckets.planFor(request);
      const wishes = wishesOf(request.parameters, this.#options.serving.priorityLevels);
      const what = { request, plan, bucket: key, deadlineMs, wishes, by: this.#by };
      job = new InferJob(what, answer, this.#ended);
    } catch (error) {
      this.stats.refused('OTHER');
      throw error;
    }
    if (request.rows === 0 && this.#emptyRowsKnown) {
      answer.respond(this.#withoutRows(request));
      answer.released();
      this.stats.answeredAtOnce();
      return undefined;
    }
    const refusal = this.#scheduler.enqueue(job);
    if (!refusal) return () => this.#scheduler.cancel(job);
    this.stats.refused(reasonOf[refusal.kind] ?? 'OTHER');
    answer.fail(refusal);
    answer.released();
    return undefined;
  }

  #withoutRows(request: InferRequest): Buffer {
    const { signature } = this.#options;
    const outputs = request.outputs.map((index) => {
      const { name, datatype, shape } = signature.outputs[index]!;
      return { name, datatype, shape: [0, ...rowDims(signature, shape)], data: new Uint8Array(0) };
    });
    const { model: modelName, version: modelVersion } = this.#by;
    const classified = classifyOutputs(outputs, request.classes, true);
    return buildInferResponse({ modelName, modelVersion, id: request.id, outputs: classified });
  }

  readonly #ended = (job: InferJob, thrown: SluiceError | undefined): SluiceError | undefined => {
    const { clock } = this.#options;
    const { enqueuedAtMs } = job.ticket!;
    if (thrown) {
      const error = this.#hung !== undefined && thrown.kind === 'unavailable' ? this.#hung : thrown;
      this.stats.failed(reasonOf[error.kind] ?? 'OTHER', enqueuedAtMs, clock.monotonic());
      if (error.kind === 'model-failed') this.#options.modelFailed?.(error);
      return error;
    }
    this.stats.succeeded(job, enqueuedAtMs, clock.monotonic());
    this.stats.lastInferenceMs = clock.now();
    return undefined;
  };

  #run(batch: Batch<InferJob, BatchResult>): void {
    const { plan } = batch.parts[0]!.request;
    const rows = plan.batched ? batch.paddedRows : 1;
    const maxRows = Math.max(1, this.#options.serving.maxBatchSize);
    const over = (): void => batch.parts.forEach((part) => part.request.leaveBatch());
    const submit = (job: BatchJob): HandedBatch => this.#pool.submit(job);
    let alone = false;
    for (const part of batch.parts) part.request.enterBatch();
    try {
      const fill = new BatchFill(plan, batch.parts, rows);
      const handed = submit({
        plan,
        rows,
        maxRows,
        stringBytes: fill.stringBytes,
        fill: (targets) => fill.write(targets),
        done: (outcome) => {
          if (outcome.ok) {
            this.#ran(batch.parts, plan.batched ? batch.rows : 1, outcome.timing);
            batch.complete({ kind: 'whole', outputs: outcome.outputs }, batch.paddedRows);
          } else if (batch.parts.length > 1 && !outcome.sessionLost) alone = true;
          else batch.fail(outcome.error);
        },
        freed: () => {
          if (alone) {
            const ran: AlonePorts['ran'] = (part, its, timing) => this.#ran([part], its, timing);
            const padded = (its: number): number => paddedRows(this.#options.serving.allowedBatchSizes, its);
            const atOnce = !this.#options.serving.preserveOrdering;
            runAlone(batch, { maxRows, padded, atOnce, submit, ran, over });
            return;
          }
          over();
          batch.free();
        },
      });
      batch.place(new PlacedInMemory(handed, plan, batch.parts));
    } catch (error) {
      over();
      throw error;
    }
  }

  /** Counts one execution with all the requests that were in it. */
  #ran(parts: readonly RequestPart<InferJob>[], rows: number, timing: BatchTiming): void {
    this.#options.ran?.(timing.inferUs);
    this.stats.batchRan(rows, timing);
    // It was formed before, and rows joined it: they waited until it began. That is so long ago as it took.
    const ms = (timing.inputUs + timing.inferUs + timing.outputUs) / 1000;
    const run = { beganAtMs: this.#options.clock.monotonic() - ms, timing };
    // One that was split may have two parts in a batch, and was in one run all the same.
    for (const job of new Set(parts.map((part) => part.request))) job.ran(run);
  }

  queue(): SchedulerStats {
    return this.#scheduler.stats();
  }

  hang(error: SluiceError): void {
    this.#hung = error;
    void this.#scheduler.drain(0);
  }

  drain(withinMs: number): Promise<DrainReport> {
    return this.#scheduler.drain(withinMs);
  }
}
