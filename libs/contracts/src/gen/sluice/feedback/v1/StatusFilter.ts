// Original file: protos/sluice/feedback/v1/predictions.proto

export const StatusFilter = {
  STATUS_FILTER_UNSPECIFIED: 'STATUS_FILTER_UNSPECIFIED',
  STATUS_FILTER_OK: 'STATUS_FILTER_OK',
  STATUS_FILTER_FAILED: 'STATUS_FILTER_FAILED',
} as const;

export type StatusFilter =
  | 'STATUS_FILTER_UNSPECIFIED'
  | 0
  | 'STATUS_FILTER_OK'
  | 1
  | 'STATUS_FILTER_FAILED'
  | 2

export type StatusFilter__Output = typeof StatusFilter[keyof typeof StatusFilter]
