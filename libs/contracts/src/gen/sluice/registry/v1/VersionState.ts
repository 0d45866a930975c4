// Original file: protos/sluice/registry/v1/types.proto

export const VersionState = {
  VERSION_STATE_UNSPECIFIED: 'VERSION_STATE_UNSPECIFIED',
  /**
   * The files are there; admission is running.
   */
  VERSION_STATE_ADMITTING: 'VERSION_STATE_ADMITTING',
  /**
   * May be served.
   */
  VERSION_STATE_READY: 'VERSION_STATE_READY',
  /**
   * Admission refused it; kept with its reason.
   */
  VERSION_STATE_REJECTED: 'VERSION_STATE_REJECTED',
  /**
   * A tombstone: the number is never used again.
   */
  VERSION_STATE_DELETED: 'VERSION_STATE_DELETED',
} as const;

export type VersionState =
  | 'VERSION_STATE_UNSPECIFIED'
  | 0
  /**
   * The files are there; admission is running.
   */
  | 'VERSION_STATE_ADMITTING'
  | 1
  /**
   * May be served.
   */
  | 'VERSION_STATE_READY'
  | 2
  /**
   * Admission refused it; kept with its reason.
   */
  | 'VERSION_STATE_REJECTED'
  | 3
  /**
   * A tombstone: the number is never used again.
   */
  | 'VERSION_STATE_DELETED'
  | 4

export type VersionState__Output = typeof VersionState[keyof typeof VersionState]
