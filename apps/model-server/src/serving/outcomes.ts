import type { SluiceError } from '@sluice/domain/errors';
import type { BatchTiming } from '../runtime/control-block.ts';
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
  refused(refusal: SluiceError, answer: InferAnswer): void {
    this.#options.stats.refused(reasonOf(refusal));
    answer.fail(refusal);
    answer.released(false);
  }

  /** A request that was taken has ended. @returns what it is told, when it has failed */
  readonly ended = (job: InferJob, thrown: SluiceError | undefined): SluiceError | undefined => {
    const { stats, clock, modelFailed } = this.#options;
    const { enqueuedAtMs } = job.ticket!;
    if (thrown) {
      const error = this.#hung !== undefined && thrown.kind === 'unavailable' ? this.#hung : thrown;
      stats.failed(reasonOf(error), enqueuedAtMs, clock.monotonic());
      if (error.kind === 'model-failed') modelFailed?.(error);
      return error;
    }
    stats.succeeded(job, enqueuedAtMs, clock.monotonic());
    stats.lastInferenceMs = clock.now();
    return undefined;
  };

  /** One execution, with each request that was in it. */
  ran(jobs: Iterable<InferJob>, rows: number, timing: BatchTiming): void {
    const { stats, clock, ran } = this.#options;
    ran?.(timing.inferUs);
    stats.batchRan(rows, timing);
    // It was formed before, and rows joined it: they waited until it began. That is so long ago as it took.
    const ms = (timing.inputUs + timing.inferUs + timing.outputUs) / 1000;
    const run = { beganAtMs: clock.monotonic() - ms, timing };
    for (const job of jobs) job.ran(run);
  }
}
