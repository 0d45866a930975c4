// Original file: protos/sluice/registry/v1/watch.proto

import type { LoadedVersion as _sluice_registry_v1_LoadedVersion, LoadedVersion__Output as _sluice_registry_v1_LoadedVersion__Output } from '../../../sluice/registry/v1/LoadedVersion.ts';
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
}
