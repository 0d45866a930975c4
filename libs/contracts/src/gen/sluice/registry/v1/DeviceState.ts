// Original file: protos/sluice/registry/v1/types.proto

export const DeviceState = {
  DEVICE_STATE_UNSPECIFIED: 'DEVICE_STATE_UNSPECIFIED',
  /**
   * A session ran on it when the runtime started.
   */
  DEVICE_STATE_AVAILABLE: 'DEVICE_STATE_AVAILABLE',
  /**
   * The runtime is set to offer it and it cannot be used: versions that ask for it fail to load.
   */
  DEVICE_STATE_MISSING: 'DEVICE_STATE_MISSING',
} as const;

export type DeviceState =
  | 'DEVICE_STATE_UNSPECIFIED'
  | 0
  /**
   * A session ran on it when the runtime started.
   */
  | 'DEVICE_STATE_AVAILABLE'
  | 1
  /**
   * The runtime is set to offer it and it cannot be used: versions that ask for it fail to load.
   */
  | 'DEVICE_STATE_MISSING'
  | 2

export type DeviceState__Output = typeof DeviceState[keyof typeof DeviceState]
