// Original file: protos/sluice/registry/v1/types.proto

export const LoadState = {
  LOAD_STATE_UNSPECIFIED: 'LOAD_STATE_UNSPECIFIED',
  LOAD_STATE_LOADING: 'LOAD_STATE_LOADING',
  LOAD_STATE_READY: 'LOAD_STATE_READY',
  LOAD_STATE_FAILED: 'LOAD_STATE_FAILED',
  LOAD_STATE_UNLOADING: 'LOAD_STATE_UNLOADING',
  /**
   * Unloaded to make room for others; a request loads it again.
   */
  LOAD_STATE_EVICTED: 'LOAD_STATE_EVICTED',
} as const;

export type LoadState =
  | 'LOAD_STATE_UNSPECIFIED'
  | 0
  | 'LOAD_STATE_LOADING'
  | 1
  | 'LOAD_STATE_READY'
  | 2
  | 'LOAD_STATE_FAILED'
  | 3
  | 'LOAD_STATE_UNLOADING'
  | 4
  /**
   * Unloaded to make room for others; a request loads it again.
   */
  | 'LOAD_STATE_EVICTED'
  | 5

export type LoadState__Output = typeof LoadState[keyof typeof LoadState]
