import type { BatchTiming } from '../runtime/control-block.ts';

/** Why a request failed, as Triton labels it. */
export const failureReasons = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Upper bounds of the batch-size histogram, in rows. */
export const batchSizeBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;

/** One execution as the statistics of its requests see it. */
export interface BatchRun {
  /** `Clock.monotonic()` when it began, in milliseconds. */
  readonly beganAtMs: number;
  readonly timing: BatchTiming;
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

/**
 * What a version has done since the process began, also before it was withdrawn and placed again. Plain numbers: metrics read them when somebody scrapes. Durations are in microseconds. As in
 * Triton, what is said of requests counts those that were answered, each as often as it was asked: in a batch of three
 * requests the time of its run counts three times. What is said of executions counts each batch that ran once.
 */
export class VersionStats {
  successes = 0;
  readonly failures: Record<FailureReason, number> = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
  /** Rows of requests that were answered; without batching each request counts as one. */
  inferences = 0;
  /** Batches that ran. */
  executions = 0;
  /** Rows that ran, also those whose request had been cancelled meanwhile. */
  rowsRun = 0;
  /** Sums over requests that were answered: from arrival to answer, waiting, and the phases of the batch that each was in. */
  requestUs = 0;
  queueUs = 0;
  inputUs = 0;
  inferUs = 0;
  outputUs = 0;
  /** From arrival to failure, summed over requests that failed after they were taken. */
  failureUs = 0;
  readonly batchSizes = new Float64Array(batchSizeBounds.length + 1);
  /** Milliseconds since the epoch of the last answer; 0 before the first. */
  lastInferenceMs = 0;
  /** By rows from 0 to the most that a batch has: executions and the sums of their three phases. */
  readonly #bySize: Float64Array;
  readonly #countsRows: boolean;

  /** @param maxBatchSize the most rows that a batch has; 0 without batching, and then a request counts as one row */
  constructor(maxBatchSize: number) {
    this.#countsRows = maxBatchSize > 0;
    this.#bySize = new Float64Array(slotsPerSize * (Math.max(1, maxBatchSize) + 1));
  }

  /** How much memory it takes, as far as that grows with the largest batch. */
  get bytes(): number {
    return this.#bySize.byteLength;
  }

  /** Counts an execution. Additions only: this is on every request's way. */
  batchRan(rows: number, timing: BatchTiming): void {
    this.executions += 1;
    this.rowsRun += rows;
    let bucket = 0;
    while (bucket < batchSizeBounds.length && rows > batchSizeBounds[bucket]!) bucket += 1;
    this.batchSizes[bucket]! += 1;
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
    job: { readonly rows: number; readonly run: BatchRun | undefined },
    enqueuedAtMs: number,
    nowMs: number,
  ): void {
    this.successes += 1;
    this.inferences += this.#countsRows ? job.rows : 1;
    this.requestUs += (nowMs - enqueuedAtMs) * 1000;
    const { run } = job;
    if (!run) return;
    this.queueUs += Math.max(0, run.beganAtMs - enqueuedAtMs) * 1000;
    this.inputUs += run.timing.inputUs;
    this.inferUs += run.timing.inferUs;
    this.outputUs += run.timing.outputUs;
  }

  /** Counts a request that was taken and failed. */
  failed(reason: FailureReason, enqueuedAtMs: number, nowMs: number): void {
    this.failures[reason] += 1;
    this.failureUs += (nowMs - enqueuedAtMs) * 1000;
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
