// Original file: protos/sluice/registry/v1/types.proto

export const ResponseCapture = {
  RESPONSE_CAPTURE_UNSPECIFIED: 'RESPONSE_CAPTURE_UNSPECIFIED',
  RESPONSE_CAPTURE_NONE: 'RESPONSE_CAPTURE_NONE',
  /**
   * Those of at most 1 KiB, of versions that declare a task.
   */
  RESPONSE_CAPTURE_SMALL: 'RESPONSE_CAPTURE_SMALL',
  RESPONSE_CAPTURE_ALL: 'RESPONSE_CAPTURE_ALL',
} as const;

export type ResponseCapture =
  | 'RESPONSE_CAPTURE_UNSPECIFIED'
  | 0
  | 'RESPONSE_CAPTURE_NONE'
  | 1
  /**
   * Those of at most 1 KiB, of versions that declare a task.
   */
  | 'RESPONSE_CAPTURE_SMALL'
  | 2
  | 'RESPONSE_CAPTURE_ALL'
  | 3

export type ResponseCapture__Output = typeof ResponseCapture[keyof typeof ResponseCapture]
