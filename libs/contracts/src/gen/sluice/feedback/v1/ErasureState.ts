// Original file: protos/sluice/feedback/v1/privacy.proto

export const ErasureState = {
  ERASURE_STATE_UNSPECIFIED: 'ERASURE_STATE_UNSPECIFIED',
  /**
   * The key is destroyed; something from before the order may still lie elsewhere.
   */
  ERASURE_STATE_PENDING: 'ERASURE_STATE_PENDING',
  /**
   * Nothing does.
   */
  ERASURE_STATE_DONE: 'ERASURE_STATE_DONE',
} as const;

export type ErasureState =
  | 'ERASURE_STATE_UNSPECIFIED'
  | 0
  /**
   * The key is destroyed; something from before the order may still lie elsewhere.
   */
  | 'ERASURE_STATE_PENDING'
  | 1
  /**
   * Nothing does.
   */
  | 'ERASURE_STATE_DONE'
  | 2

export type ErasureState__Output = typeof ErasureState[keyof typeof ErasureState]
