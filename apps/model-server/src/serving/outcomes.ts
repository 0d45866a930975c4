import type { SluiceError } from '@sluice/domain/errors';
import type { BatchOutcome, SessionRun } from '../runtime/session-thread.ts';
import type { EngineOptions } from './engine.ts';
import type { InferAnswer, InferJob } from './infer-job.ts';
import type { FailureReason } from './version-stats.ts';

/** What a failure counts as. */
const reasons: Partial<Record<SluiceError['kind'], FailureReason>> = {
  'resource-exhausted': 'REJECTED',
  'deadline-exceeded': 'REJECTED',
  unavailable: 'REJECTED',
  cancelled: 'CANCELED',
  'model-failed': 'BACKEND',
  internal: 'BACKEND',
};
const reasonOf = ({ kind }: SluiceError): FailureReason => reasons[kind] ?? 'OTHER';

/** Rows of a request in a batch. */
interface Part {
  readonly request: InferJob;
  readonly rows: number;
}

/** What became of the requests of an engine, counted: the same with sequences and without. */
export class Outcomes {
  readonly #options: Pick<EngineOptions, 'stats' | 'clock' | 'ran' | 'modelFailed'>;
  /** What everything that waits is answered with once a run does not end. */
  #hung: SluiceError | undefined;

  constructor(options: Pick<EngineOptions, 'stats' | 'clock' | 'ran' | 'modelFailed'>) {
    this.#options = options;
  }

  /** A run does not end: who waits and is turned away from now on is told so. */
  hang(error: SluiceError): void {
    this.#hung = error;
  }

  /** The scheduler did not take a request. */
  refused(refusal: SluiceError, answer: InferAnswer, job: InferJob): void {
    this.#options.stats.refused(reasonOf(refusal));
    answer.fail(refusal, job);
    answer.released(false);
  }

  /** A request that was taken has ended. @returns what it is told, when it has failed */
  readonly ended = (job: InferJob, thrown: SluiceError | undefined): SluiceError | undefined => {
    const { stats, clock, modelFailed } = this.#options;
    const { enqueuedAtMs } = job.ticket!;
    const nowMs = clock.monotonic();
    job.endedAtMs = nowMs;
    if (thrown) {
      const error = this.#hung !== undefined && thrown.kind === 'unavailable' ? this.#hung : thrown;
      stats.failed(reasonOf(error), enqueuedAtMs, nowMs);
      if (error.kind === 'model-failed') modelFailed?.(error);
      return error;
    }
    stats.succeeded(job, enqueuedAtMs, nowMs);
    stats.lastInferenceMs = clock.now();
    return undefined;
  };

  /**
   * One execution, with the rows of each request that was in it: told before they are. One that failed does not count as
   * one, and what it took is known of its requests all the same.
   * @param paddedRows rows that it had, padding included
   */
  ran(parts: readonly Part[], paddedRows: number, outcome: BatchOutcome): void {
    let rows = 0;
    for (const part of parts) rows += part.rows;
    if (outcome.ok) {
      const { stats, ran } = this.#options;
      ran?.(outcome.timing.inferUs);
      stats.batchRan(rows, outcome.timing);
      this.#divide(parts, rows, paddedRows, outcome);
    } else if (outcome.ran) this.#divide(parts, rows, paddedRows, outcome.ran);
  }

  /** What a run cost is shared by rows, without padding: the shares of its requests are all of it. */
  #divide(parts: readonly Part[], rows: number, paddedRows: number, { timing, threads }: SessionRun): void {
    // It was formed before, and rows joined it: they waited until it began. That is so long ago as it took.
    const ms = (timing.inputUs + timing.inferUs + timing.outputUs) / 1000;
    const run = { beganAtMs: this.#options.clock.monotonic() - ms, timing, rows: paddedRows };
    const coreUs = timing.inferUs * threads;
    for (const part of parts) part.request.ran(run, rows > 0 ? (coreUs * part.rows) / rows : coreUs / parts.length);
  }
}
