// Original file: protos/sluice/registry/v1/types.proto

export const ControlKind = {
  CONTROL_KIND_UNSPECIFIED: 'CONTROL_KIND_UNSPECIFIED',
  /**
   * True in the first request of a sequence.
   */
  CONTROL_KIND_START: 'CONTROL_KIND_START',
  /**
   * True in rows that are a request's, false in rows of padding.
   */
  CONTROL_KIND_READY: 'CONTROL_KIND_READY',
  /**
   * True in the last request of a sequence.
   */
  CONTROL_KIND_END: 'CONTROL_KIND_END',
  /**
   * The sequence's id.
   */
  CONTROL_KIND_CORRID: 'CONTROL_KIND_CORRID',
} as const;

export type ControlKind =
  | 'CONTROL_KIND_UNSPECIFIED'
  | 0
  /**
   * True in the first request of a sequence.
   */
  | 'CONTROL_KIND_START'
  | 1
  /**
   * True in rows that are a request's, false in rows of padding.
   */
  | 'CONTROL_KIND_READY'
  | 2
  /**
   * True in the last request of a sequence.
   */
  | 'CONTROL_KIND_END'
  | 3
  /**
   * The sequence's id.
   */
  | 'CONTROL_KIND_CORRID'
  | 4

export type ControlKind__Output = typeof ControlKind[keyof typeof ControlKind]
