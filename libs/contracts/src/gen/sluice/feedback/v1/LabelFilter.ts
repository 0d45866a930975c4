// Original file: protos/sluice/feedback/v1/predictions.proto

export const LabelFilter = {
  LABEL_FILTER_UNSPECIFIED: 'LABEL_FILTER_UNSPECIFIED',
  LABEL_FILTER_LABELLED: 'LABEL_FILTER_LABELLED',
  LABEL_FILTER_UNLABELLED: 'LABEL_FILTER_UNLABELLED',
} as const;

export type LabelFilter =
  | 'LABEL_FILTER_UNSPECIFIED'
  | 0
  | 'LABEL_FILTER_LABELLED'
  | 1
  | 'LABEL_FILTER_UNLABELLED'
  | 2

export type LabelFilter__Output = typeof LabelFilter[keyof typeof LabelFilter]
