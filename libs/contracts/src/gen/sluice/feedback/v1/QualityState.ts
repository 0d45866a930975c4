// Original file: protos/sluice/feedback/v1/predictions.proto

export const QualityState = {
  QUALITY_STATE_UNSPECIFIED: 'QUALITY_STATE_UNSPECIFIED',
  /**
   * No row has a label.
   */
  QUALITY_STATE_NO_LABELS: 'QUALITY_STATE_NO_LABELS',
  /**
   * Rows have labels, but no answer of theirs was captured: there is nothing to compare with.
   */
  QUALITY_STATE_NOT_CAPTURED: 'QUALITY_STATE_NOT_CAPTURED',
  /**
   * Answers were captured and cannot be read by the version's task, or have been erased.
   */
  QUALITY_STATE_NOT_SCORED: 'QUALITY_STATE_NOT_SCORED',
  QUALITY_STATE_MEASURED: 'QUALITY_STATE_MEASURED',
} as const;

export type QualityState =
  | 'QUALITY_STATE_UNSPECIFIED'
  | 0
  /**
   * No row has a label.
   */
  | 'QUALITY_STATE_NO_LABELS'
  | 1
  /**
   * Rows have labels, but no answer of theirs was captured: there is nothing to compare with.
   */
  | 'QUALITY_STATE_NOT_CAPTURED'
  | 2
  /**
   * Answers were captured and cannot be read by the version's task, or have been erased.
   */
  | 'QUALITY_STATE_NOT_SCORED'
  | 3
  | 'QUALITY_STATE_MEASURED'
  | 4

export type QualityState__Output = typeof QualityState[keyof typeof QualityState]
