// Original file: protos/sluice/feedback/v1/predictions.proto

export const LabelResolution = {
  LABEL_RESOLUTION_UNSPECIFIED: 'LABEL_RESOLUTION_UNSPECIFIED',
  /**
   * The one that was recorded last.
   */
  LABEL_RESOLUTION_LATEST: 'LABEL_RESOLUTION_LATEST',
  /**
   * One of the first trusted source that has any, then of the next, then of any other; the latest of those.
   */
  LABEL_RESOLUTION_TRUSTED_FIRST: 'LABEL_RESOLUTION_TRUSTED_FIRST',
} as const;

export type LabelResolution =
  | 'LABEL_RESOLUTION_UNSPECIFIED'
  | 0
  /**
   * The one that was recorded last.
   */
  | 'LABEL_RESOLUTION_LATEST'
  | 1
  /**
   * One of the first trusted source that has any, then of the next, then of any other; the latest of those.
   */
  | 'LABEL_RESOLUTION_TRUSTED_FIRST'
  | 2

export type LabelResolution__Output = typeof LabelResolution[keyof typeof LabelResolution]
