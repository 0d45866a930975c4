// Original file: protos/sluice/registry/v1/registry.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { LoadedVersion as _sluice_registry_v1_LoadedVersion, LoadedVersion__Output as _sluice_registry_v1_LoadedVersion__Output } from '../../../sluice/registry/v1/LoadedVersion.ts';
import type { Device as _sluice_registry_v1_Device, Device__Output as _sluice_registry_v1_Device__Output } from '../../../sluice/registry/v1/Device.ts';
import type { Long } from '@grpc/proto-loader';

export interface RuntimeLease {
  'runtimeId'?: (string);
  'pool'?: (string);
  /**
   * host:port of its inference port.
   */
  'address'?: (string);
  'appliedRevision'?: (number | string | Long);
  'expiresAt'?: (_google_protobuf_Timestamp | null);
  'versions'?: (_sluice_registry_v1_LoadedVersion)[];
  'memoryBudgetBytes'?: (number | string | Long);
  'memoryUsedBytes'?: (number | string | Long);
  'live'?: (boolean);
  'devices'?: (_sluice_registry_v1_Device)[];
}

export interface RuntimeLease__Output {
  'runtimeId': (string);
  'pool': (string);
  /**
   * host:port of its inference port.
   */
  'address': (string);
  'appliedRevision': (string);
  'expiresAt': (_google_protobuf_Timestamp__Output | null);
  'versions': (_sluice_registry_v1_LoadedVersion__Output)[];
  'memoryBudgetBytes': (string);
  'memoryUsedBytes': (string);
  'live': (boolean);
  'devices': (_sluice_registry_v1_Device__Output)[];
}
