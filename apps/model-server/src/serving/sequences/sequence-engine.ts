import type { DrainReport } from '@sluice/batching/contract';
import type { SequenceStats } from '@sluice/batching/sequences/contract';
import { SequenceScheduler } from '@sluice/batching/sequences/sequence-scheduler';
import { invalidArgument, type SluiceError } from '@sluice/domain/errors';
import type { SequenceBatching } from '@sluice/domain/sequence-batching';
import type { Signature } from '@sluice/domain/signature';
import { parseInferRequest, type InferRequest } from '@sluice/inference/infer-request';
import { scanInferRequest } from '@sluice/inference/scan';
import { sequenceOf, type SequenceId, type SequenceMark } from '@sluice/inference/sequence';
import type { SessionPool } from '../../runtime/session-pool.ts';
import { Buckets } from '../buckets.ts';
import type { Cancel, Engine, EngineOptions, LiveSequences } from '../engine.ts';
import type { BatchResult, InferAnswer } from '../infer-job.ts';
import { Outcomes } from '../outcomes.ts';
import { paddedRows, wishesOf } from '../scheduling.ts';
import type { VersionStats } from '../version-stats.ts';
import { checkSequenceId } from './controls.ts';
import { SequenceJob } from './sequence-job.ts';
import { SequencePlans } from './sequence-plans.ts';
import { SequenceRunner } from './sequence-runner.ts';

/** What an engine of sequences serves. */
export interface SequenceEngineOptions extends EngineOptions {
  readonly sequences: SequenceBatching;
}

/** The sequences of an engine, as others see them. */
class ScheduledSequences implements LiveSequences {
  readonly #scheduler: SequenceScheduler<SequenceJob, BatchResult>;
  readonly #runner: SequenceRunner;

  constructor(scheduler: SequenceScheduler<SequenceJob, BatchResult>, runner: SequenceRunner) {
    this.#scheduler = scheduler;
    this.#runner = runner;
  }

  get count(): number {
    return this.#scheduler.stats().sequences;
  }
  get backlog(): number {
    return this.#scheduler.stats().backlog;
  }
  get stateBytes(): number {
    return this.#runner.states.bytes;
  }

  lives(id: SequenceId): boolean {
    return this.#scheduler.lives(id);
  }
  end(id: SequenceId): void {
    this.#scheduler.end(id);
  }
  endIdle(): void {
    this.#scheduler.endIdle();
  }
}

/** One loaded version whose requests belong to sequences. */
export class SequenceEngine implements Engine {
  readonly stats: VersionStats;
  readonly sequences: LiveSequences;
  lastRequestMs = 0;
  readonly #options: SequenceEngineOptions;
  readonly #buckets: Buckets;
  readonly #scheduler: SequenceScheduler<SequenceJob, BatchResult>;
  readonly #by: { readonly model: string; readonly version: string };
  readonly #outcomes: Outcomes;
  #pool: SessionPool;

  constructor(options: SequenceEngineOptions) {
    const { model, version, signature, serving, sequences, knownOutputs } = options;
    this.#options = options;
    this.#pool = options.pool;
    this.stats = options.stats;
    this.#outcomes = new Outcomes(options);
    this.#by = { model, version: String(version) };
    this.#buckets = new Buckets(signature, knownOutputs);
    const slots = signature.batched ? Math.max(1, serving.maxBatchSize) : 1;
    const runner = new SequenceRunner({
      sequences,
      plans: new SequencePlans(signature, sequences, knownOutputs),
      maxRows: slots,
      padded: (rows) => paddedRows(serving.allowedBatchSizes, rows),
      submit: (job) => void this.#pool.submit(job),
      ran: (parts, rows, outcome) => this.#outcomes.ran(parts, rows, outcome),
    });
    const { maxQueueSize, defaultTimeoutMicroseconds, allowTimeoutOverride } = serving;
    const { maxSequenceIdleMicroseconds, maxQueueDelayMicroseconds, minimumSlotUtilization } = sequences;
    this.#scheduler = SequenceScheduler.create<SequenceJob, BatchResult>(
      {
        name: `${model} version ${version}`,
        ...{ instances: options.pool.threads, slots },
        ...{ maxSequenceIdleMicroseconds, maxQueueDelayMicroseconds, minimumSlotUtilization },
        ...{ maxQueueSize, defaultTimeoutMicroseconds, allowTimeoutOverride },
      },
      {
        clock: options.clock,
        run: (batch) => runner.run(batch),
        defer: options.defer,
        onDefect: options.onDefect,
      },
    );
    const scheduler = this.#scheduler;
    this.sequences = new ScheduledSequences(scheduler, runner);
  }

  usePool(pool: SessionPool): void {
    this.#pool = pool;
  }

  get signature(): Signature {
    return this.#options.signature;
  }

  infer(bytes: Buffer, deadlineMs: number, answer: InferAnswer): Cancel | undefined {
    let job: SequenceJob;
    try {
      const request = parseInferRequest(bytes, this.signature);
      const mark = this.#markOf(request);
      const { key, plan } = this.#buckets.planFor(request);
      const wishes = wishesOf(request.parameters, 0);
      const what = { request, plan, bucket: key, deadlineMs, wishes, by: this.#by };
      job = new SequenceJob(mark, what, answer, this.#outcomes.ended);
    } catch (error) {
      this.stats.refused('OTHER');
      this.#refused(bytes);
      throw error;
    }
    const refusal = this.#scheduler.enqueue(job);
    if (!refusal) return () => this.#scheduler.cancel(job);
    this.#outcomes.refused(refusal, answer, job);
    return undefined;
  }

  /** @throws SluiceError invalid-argument unless it is one row of a sequence whose id the model can take */
  #markOf({ modelName, parameters, rows }: InferRequest): SequenceMark {
    const mark = sequenceOf(parameters);
    if (!mark) {
      throw invalidArgument(
        `model '${modelName}' serves sequences: parameter "sequence_id" must be an integer other than 0, or a text that is not empty`,
      );
    }
    if (rows !== 1) {
      throw invalidArgument(`model '${modelName}' serves sequences: a request must have 1 row, got ${rows}`);
    }
    checkSequenceId(mark.id, this.#options.sequences.controlInputs);
    return mark;
  }

  /** A start that cannot be read is a start all the same: what was sent behind it must not meet the sequence before it. */
  #refused(bytes: Buffer): void {
    try {
      const mark = sequenceOf(scanInferRequest(bytes).parameters);
      if (mark?.start) this.#scheduler.end(mark.id);
    } catch {
      // Nothing in it says which sequence it means.
    }
  }

  queue(): SequenceStats {
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
