// Original file: protos/sluice/registry/v1/types.proto

export const LabelResolution = {
  LABEL_RESOLUTION_UNSPECIFIED: 'LABEL_RESOLUTION_UNSPECIFIED',
  /**
   * The one that was recorded last, whoever it is from.
   */
  LABEL_RESOLUTION_LATEST: 'LABEL_RESOLUTION_LATEST',
  /**
   * The last one of the first trusted source that has one; where none of them has, the last of all.
   */
  LABEL_RESOLUTION_TRUSTED_FIRST: 'LABEL_RESOLUTION_TRUSTED_FIRST',
} as const;

export type LabelResolution =
  | 'LABEL_RESOLUTION_UNSPECIFIED'
  | 0
  /**
   * The one that was recorded last, whoever it is from.
   */
  | 'LABEL_RESOLUTION_LATEST'
  | 1
  /**
   * The last one of the first trusted source that has one; where none of them has, the last of all.
   */
  | 'LABEL_RESOLUTION_TRUSTED_FIRST'
  | 2

export type LabelResolution__Output = typeof LabelResolution[keyof typeof LabelResolution]
