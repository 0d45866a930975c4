// Original file: protos/sluice/registry/v1/types.proto

export const AliasMoveState = {
  ALIAS_MOVE_STATE_UNSPECIFIED: 'ALIAS_MOVE_STATE_UNSPECIFIED',
  /**
   * Desired; the runtimes are loading the version.
   */
  ALIAS_MOVE_STATE_REQUESTED: 'ALIAS_MOVE_STATE_REQUESTED',
  /**
   * The alias points to the new version.
   */
  ALIAS_MOVE_STATE_EFFECTIVE: 'ALIAS_MOVE_STATE_EFFECTIVE',
  /**
   * Given up, with reasons; the alias never moved.
   */
  ALIAS_MOVE_STATE_WITHDRAWN: 'ALIAS_MOVE_STATE_WITHDRAWN',
  /**
   * Cancelled by a person before it took effect.
   */
  ALIAS_MOVE_STATE_CANCELLED: 'ALIAS_MOVE_STATE_CANCELLED',
} as const;

export type AliasMoveState =
  | 'ALIAS_MOVE_STATE_UNSPECIFIED'
  | 0
  /**
   * Desired; the runtimes are loading the version.
   */
  | 'ALIAS_MOVE_STATE_REQUESTED'
  | 1
  /**
   * The alias points to the new version.
   */
  | 'ALIAS_MOVE_STATE_EFFECTIVE'
  | 2
  /**
   * Given up, with reasons; the alias never moved.
   */
  | 'ALIAS_MOVE_STATE_WITHDRAWN'
  | 3
  /**
   * Cancelled by a person before it took effect.
   */
  | 'ALIAS_MOVE_STATE_CANCELLED'
  | 4

export type AliasMoveState__Output = typeof AliasMoveState[keyof typeof AliasMoveState]
