// Original file: protos/sluice/registry/v1/types.proto

export const TimeoutAction = {
  TIMEOUT_ACTION_UNSPECIFIED: 'TIMEOUT_ACTION_UNSPECIFIED',
  /**
   * The request is refused.
   */
  TIMEOUT_ACTION_REJECT: 'TIMEOUT_ACTION_REJECT',
  /**
   * It waits behind all that is in time.
   */
  TIMEOUT_ACTION_DELAY: 'TIMEOUT_ACTION_DELAY',
} as const;

export type TimeoutAction =
  | 'TIMEOUT_ACTION_UNSPECIFIED'
  | 0
  /**
   * The request is refused.
   */
  | 'TIMEOUT_ACTION_REJECT'
  | 1
  /**
   * It waits behind all that is in time.
   */
  | 'TIMEOUT_ACTION_DELAY'
  | 2

export type TimeoutAction__Output = typeof TimeoutAction[keyof typeof TimeoutAction]
