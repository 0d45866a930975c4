// Original file: protos/sluice/registry/v1/registry.proto

import type { LoadState as _sluice_registry_v1_LoadState, LoadState__Output as _sluice_registry_v1_LoadState__Output } from '../../../sluice/registry/v1/LoadState.ts';
import type { Long } from '@grpc/proto-loader';

export interface LoadedVersion {
  'model'?: (string);
  'version'?: (number | string | Long);
  'state'?: (_sluice_registry_v1_LoadState);
  'reason'?: (string);
}

export interface LoadedVersion__Output {
  'model': (string);
  'version': (string);
  'state': (_sluice_registry_v1_LoadState__Output);
  'reason': (string);
}
