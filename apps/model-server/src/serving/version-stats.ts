import { Histogram, powersOfTwo } from '@sluice/telemetry/histogram';
import type { ReadHistogram } from '@sluice/telemetry/exposition';
import type { BatchTiming } from '../runtime/control-block.ts';

/** Why a request failed, as Triton labels it. */
export const failureReasons = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
export type FailureReason = (typeof failureReasons)[number];

/** What a request's time goes into: the phases of its run, and all of it from its arrival to its answer. */
export const phases = ['queue', 'input', 'infer', 'output', 'total'] as const;
export type Phase = (typeof phases)[number];

/** Of durations, in microseconds: from 2 µs to 67 s. */
export const durationBuckets = powersOfTwo(1, 26);
/** Of the rows of batches: from 1 to 1,024. */
export const rowBuckets = powersOfTwo(0, 10);

/** Triton's bounds of its histogram of first responses, in milliseconds. */
export const firstResponseBoundsMs = [100, 500, 2_000, 5_000] as const;

/** One execution as the statistics of its requests see it. */
export interface BatchRun {
  /** `Clock.monotonic()` when it began, in milliseconds. */
  readonly beganAtMs: number;
  readonly timing: BatchTiming;
  /** Rows that it had, padding included; of several the most that one had. */
  readonly rows: number;
}

/** What a request that was split had of its runs: it waited until the first, and was worked on in all. */
export function joinedRuns(one: BatchRun, other: BatchRun): BatchRun {
  return {
    beganAtMs: Math.min(one.beganAtMs, other.beganAtMs),
    timing: {
      inputUs: one.timing.inputUs + other.timing.inputUs,
      inferUs: one.timing.inferUs + other.timing.inferUs,
      outputUs: one.timing.outputUs + other.timing.outputUs,
    },
    rows: Math.max(one.rows, other.rows),
  };
}

/** What is kept of the executions of one size. */
export interface BatchSizeStats {
  readonly rows: number;
  readonly executions: number;
  readonly inputUs: number;
  readonly inferUs: number;
  readonly outputUs: number;
}

const slotsPerSize = 4;

/** Where the counts that no histogram has stand; the failures are the first, in the order of their reasons. */
const slot = { inferences: failureReasons.length, failureUs: failureReasons.length + 1 } as const;

/**
 * What a version has done since the process began, also before it was withdrawn and placed again. All of it stands in
 * slots that are allocated with the version: metrics read them when somebody scrapes. Durations are in microseconds. As
 * in Triton, what is said of requests counts those that were answered, each as often as it was asked: in a batch of
 * three requests the time of its run counts three times. What is said of executions counts each batch that ran once.
 */
export class VersionStats {
  /** Of requests that were answered, all of them in each phase. One that needed no run spent no time in one. */
  readonly phases: Readonly<Record<Phase, Histogram>> = {
    queue: new Histogram(durationBuckets),
    input: new Histogram(durationBuckets),
    infer: new Histogram(durationBuckets),
    output: new Histogram(durationBuckets),
    total: new Histogram(durationBuckets),
  };
  /** Of batches that ran: their rows, also those whose request had been cancelled meanwhile. */
  readonly batchRows = new Histogram(rowBuckets);
  /** Milliseconds since the epoch of the last answer; 0 before the first. */
  lastInferenceMs = 0;
  readonly #counts = new Float64Array(failureReasons.length + 2);
  readonly #firstResponses = new Float64Array(firstResponseBoundsMs.length + 1);
  /** By rows from 0 to the most that a batch has: executions and the sums of their three phases. */
  readonly #bySize: Float64Array;
  readonly #countsRows: boolean;

  /** @param maxBatchSize the most rows that a batch has; 0 without batching, and then a request counts as one row */
  constructor(maxBatchSize: number) {
    this.#countsRows = maxBatchSize > 0;
    this.#bySize = new Float64Array(slotsPerSize * (Math.max(1, maxBatchSize) + 1));
  }

  /** How much memory its slots take. */
  get bytes(): number {
    const histograms = [...Object.values(this.phases), this.batchRows].reduce((sum, { bytes }) => sum + bytes, 0);
    return histograms + this.#counts.byteLength + this.#firstResponses.byteLength + this.#bySize.byteLength;
  }

  /** Requests that were answered. */
  get successes(): number {
    return this.phases.total.count;
  }
  /** Rows of requests that were answered; without batching each request counts as one. */
  get inferences(): number {
    return this.#counts[slot.inferences]!;
  }
  /** Batches that ran. */
  get executions(): number {
    return this.batchRows.count;
  }
  get rowsRun(): number {
    return this.batchRows.sum;
  }
  /** Sums over requests that were answered: from arrival to answer, waiting, and the phases of the batch that each was in. */
  get requestUs(): number {
    return this.phases.total.sum;
  }
  get queueUs(): number {
    return this.phases.queue.sum;
  }
  get inputUs(): number {
    return this.phases.input.sum;
  }
  get inferUs(): number {
    return this.phases.infer.sum;
  }
  get outputUs(): number {
    return this.phases.output.sum;
  }
  /** From arrival to failure, summed over requests that failed after they were taken. */
  get failureUs(): number {
    return this.#counts[slot.failureUs]!;
  }
  /** Requests that failed, by reason. */
  get failures(): Readonly<Record<FailureReason, number>> {
    const count = (reason: FailureReason): number => this.#counts[failureReasons.indexOf(reason)]!;
    return {
      REJECTED: count('REJECTED'),
      CANCELED: count('CANCELED'),
      BACKEND: count('BACKEND'),
      OTHER: count('OTHER'),
    };
  }
  /** From arrival to answer in milliseconds, by `firstResponseBoundsMs`. */
  get firstResponses(): ReadHistogram {
    let total = 0;
    const counts = Array.from(this.#firstResponses, (count) => (total += count));
    return { sum: this.requestUs / 1000, cumulative: () => counts };
  }

  /** Counts an execution. Additions only: this is on every request's way. */
  batchRan(rows: number, timing: BatchTiming): void {
    this.batchRows.record(rows);
    const at = Math.min(slotsPerSize * rows, this.#bySize.length - slotsPerSize);
    this.#bySize[at]! += 1;
    this.#bySize[at + 1]! += timing.inputUs;
    this.#bySize[at + 2]! += timing.inferUs;
    this.#bySize[at + 3]! += timing.outputUs;
  }

  /**
   * Counts an answer.
   * @param job what was asked, and the run that it was in, if it needed one
   */
  succeeded(
    job: { readonly rows: number; readonly run: Pick<BatchRun, 'beganAtMs' | 'timing'> | undefined },
    enqueuedAtMs: number,
    nowMs: number,
  ): void {
    const { queue, input, infer, output, total } = this.phases;
    const { run } = job;
    const tookMs = nowMs - enqueuedAtMs;
    this.#counts[slot.inferences]! += this.#countsRows ? job.rows : 1;
    total.record(tookMs * 1000);
    this.#firstResponses[firstResponseBucket(tookMs)]! += 1;
    queue.record(run ? (run.beganAtMs - enqueuedAtMs) * 1000 : 0);
    input.record(run ? run.timing.inputUs : 0);
    infer.record(run ? run.timing.inferUs : 0);
    output.record(run ? run.timing.outputUs : 0);
  }

  /** Counts an answer that took no time: to a request without rows. */
  answeredAtOnce(): void {
    this.succeeded({ rows: 0, run: undefined }, 0, 0);
  }

  /** Counts a request that was taken and failed. */
  failed(reason: FailureReason, enqueuedAtMs: number, nowMs: number): void {
    this.refused(reason);
    this.#counts[slot.failureUs]! += (nowMs - enqueuedAtMs) * 1000;
  }

  /** Counts a request that was not taken. */
  refused(reason: FailureReason): void {
    this.#counts[failureReasons.indexOf(reason)]! += 1;
  }

  /** The sizes that ran, in their order. */
  bySize(): readonly BatchSizeStats[] {
    const sizes: BatchSizeStats[] = [];
    for (let at = 0; at < this.#bySize.length; at += slotsPerSize) {
      const executions = this.#bySize[at]!;
      if (executions === 0) continue;
      const [inputUs, inferUs, outputUs] = [this.#bySize[at + 1]!, this.#bySize[at + 2]!, this.#bySize[at + 3]!];
      sizes.push({ rows: at / slotsPerSize, executions, inputUs, inferUs, outputUs });
    }
    return sizes;
  }
}

function firstResponseBucket(ms: number): number {
  const [first, second, third, fourth] = firstResponseBoundsMs;
  if (ms <= second) return ms <= first ? 0 : 1;
  if (ms <= third) return 2;
  return ms <= fourth ? 3 : 4;
}
