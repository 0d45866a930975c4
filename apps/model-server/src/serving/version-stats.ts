/** Why a request failed, as Triton labels it. */
export const failureReasons = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Upper bounds of the batch-size histogram, in rows. */
export const batchSizeBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;

/** What a version has done. Plain numbers: metrics read them when somebody scrapes. Durations are in microseconds. */
export class VersionStats {
  successes = 0;
  readonly failures: Record<FailureReason, number> = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
  /** Rows that ran, for models without a batch dimension requests. */
  inferences = 0;
  /** Batches that ran. */
  executions = 0;
  /** Sums over requests: from arrival to answer, waiting, and the phases of the batch that each was in. */
  requestUs = 0;
  queueUs = 0;
  inputUs = 0;
  inferUs = 0;
  outputUs = 0;
  readonly batchSizes = new Float64Array(batchSizeBounds.length + 1);
  /** Milliseconds since the epoch of the last answer; 0 before the first. */
  lastInferenceMs = 0;

  batchRan(rows: number): void {
    this.executions += 1;
    this.inferences += rows;
    let bucket = 0;
    while (bucket < batchSizeBounds.length && rows > batchSizeBounds[bucket]!) bucket += 1;
    this.batchSizes[bucket]! += 1;
  }
}
