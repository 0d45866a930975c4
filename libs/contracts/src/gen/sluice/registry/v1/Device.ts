// Original file: protos/sluice/registry/v1/types.proto

import type { DeviceState as _sluice_registry_v1_DeviceState, DeviceState__Output as _sluice_registry_v1_DeviceState__Output } from '../../../sluice/registry/v1/DeviceState.ts';

/**
 * A device that a runtime offers.
 */
export interface Device {
  /**
   * `cpu`, `cuda:0` or `webgpu`.
   */
  'name'?: (string);
  'state'?: (_sluice_registry_v1_DeviceState);
  /**
   * What is missing and how it is installed; empty while it is there.
   */
  'detail'?: (string);
}

/**
 * A device that a runtime offers.
 */
export interface Device__Output {
  /**
   * `cpu`, `cuda:0` or `webgpu`.
   */
  'name': (string);
  'state': (_sluice_registry_v1_DeviceState__Output);
  /**
   * What is missing and how it is installed; empty while it is there.
   */
  'detail': (string);
}
