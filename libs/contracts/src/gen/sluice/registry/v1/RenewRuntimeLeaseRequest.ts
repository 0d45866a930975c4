// Original file: protos/sluice/registry/v1/watch.proto

import type { LoadedVersion as _sluice_registry_v1_LoadedVersion, LoadedVersion__Output as _sluice_registry_v1_LoadedVersion__Output } from '../../../sluice/registry/v1/LoadedVersion.ts';
import type { Device as _sluice_registry_v1_Device, Device__Output as _sluice_registry_v1_Device__Output } from '../../../sluice/registry/v1/Device.ts';
import type { Long } from '@grpc/proto-loader';

export interface RenewRuntimeLeaseRequest {
  'runtimeId'?: (string);
  'pool'?: (string);
  'address'?: (string);
  'appliedRevision'?: (number | string | Long);
  'ttlMs'?: (number);
  'versions'?: (_sluice_registry_v1_LoadedVersion)[];
  'memoryBudgetBytes'?: (number | string | Long);
  'memoryUsedBytes'?: (number | string | Long);
  /**
   * What the runtime offers; empty for one that knows of no devices and has the CPU.
   */
  'devices'?: (_sluice_registry_v1_Device)[];
}

export interface RenewRuntimeLeaseRequest__Output {
  'runtimeId': (string);
  'pool': (string);
  'address': (string);
  'appliedRevision': (string);
  'ttlMs': (number);
  'versions': (_sluice_registry_v1_LoadedVersion__Output)[];
  'memoryBudgetBytes': (string);
  'memoryUsedBytes': (string);
  /**
   * What the runtime offers; empty for one that knows of no devices and has the CPU.
   */
  'devices': (_sluice_registry_v1_Device__Output)[];
}
