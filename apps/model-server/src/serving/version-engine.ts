import type { Batch, DrainReport, SchedulerStats } from '@sluice/batching/contract';
import { BatchScheduler } from '@sluice/batching/scheduler';
import type { SluiceError } from '@sluice/domain/errors';
import type { Signature } from '@sluice/domain/signature';
import { classifyOutputs } from '@sluice/inference/classification';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { parseInferRequest, type InferRequest } from '@sluice/inference/infer-request';
import { slotsPerSession } from '../runtime/control-block.ts';
import type { HandedBatch } from '../runtime/handed-batch.ts';
import type { BatchJob } from '../runtime/session-thread.ts';
import type { SessionPool } from '../runtime/session-pool.ts';
import { Buckets, hasFixedRows, rowDims } from './buckets.ts';
import type { Cancel, Engine, EngineOptions } from './engine.ts';
import { BatchFill } from './fill.ts';
import { InferJob, type BatchResult, type InferAnswer } from './infer-job.ts';
import { Outcomes } from './outcomes.ts';
import { PlacedInMemory } from './placed-batch.ts';
import { runAlone, type AlonePorts } from './run-alone.ts';
import { paddedRows, schedulingOf, wishesOf } from './scheduling.ts';
import type { VersionStats } from './version-stats.ts';

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
  readonly #outcomes: Outcomes;
  #pool: SessionPool;

  constructor(options: EngineOptions) {
    const { model, version, serving, signature } = options;
    this.#options = options;
    this.#pool = options.pool;
    this.stats = options.stats;
    this.#outcomes = new Outcomes(options);
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
      job = new InferJob(what, answer, this.#outcomes.ended);
    } catch (error) {
      this.stats.refused('OTHER');
      throw error;
    }
    if (request.rows === 0 && this.#emptyRowsKnown) {
      answer.respond(this.#withoutRows(request), job);
      answer.released(false);
      this.stats.answeredAtOnce();
      return undefined;
    }
    const refusal = this.#scheduler.enqueue(job);
    if (!refusal) return () => this.#scheduler.cancel(job);
    this.#outcomes.refused(refusal, answer, job);
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
          alone = !outcome.ok && batch.parts.length > 1 && !outcome.sessionLost;
          if (alone) return;
          this.#outcomes.ran(batch.parts, plan.batched ? batch.paddedRows : 1, outcome);
          if (outcome.ok) batch.complete({ kind: 'whole', outputs: outcome.outputs }, batch.paddedRows);
          else batch.fail(outcome.error);
        },
        freed: () => {
          if (alone) {
            const ran: AlonePorts['ran'] = (part, its, outcome) => this.#outcomes.ran([part], its, outcome);
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

  queue(): SchedulerStats {
    return this.#scheduler.stats();
  }

  hang(error: SluiceError): void {
    this.#outcomes.hang(error);
    void this.#scheduler.drain(0);
  }

  drain(withinMs: number): Promise<DrainReport> {
    return this.#scheduler.drain(withinMs);
  }
}
