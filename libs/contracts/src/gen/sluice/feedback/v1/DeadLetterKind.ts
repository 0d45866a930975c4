// Original file: protos/sluice/feedback/v1/feedback.proto

export const DeadLetterKind = {
  DEAD_LETTER_KIND_UNSPECIFIED: 'DEAD_LETTER_KIND_UNSPECIFIED',
  /**
   * A whole block, none of whose records could be read.
   */
  DEAD_LETTER_KIND_BLOCK: 'DEAD_LETTER_KIND_BLOCK',
  /**
   * One record; those beside it were stored.
   */
  DEAD_LETTER_KIND_RECORD: 'DEAD_LETTER_KIND_RECORD',
} as const;

export type DeadLetterKind =
  | 'DEAD_LETTER_KIND_UNSPECIFIED'
  | 0
  /**
   * A whole block, none of whose records could be read.
   */
  | 'DEAD_LETTER_KIND_BLOCK'
  | 1
  /**
   * One record; those beside it were stored.
   */
  | 'DEAD_LETTER_KIND_RECORD'
  | 2

export type DeadLetterKind__Output = typeof DeadLetterKind[keyof typeof DeadLetterKind]
