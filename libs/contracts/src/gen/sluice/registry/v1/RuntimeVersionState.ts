// Original file: protos/sluice/registry/v1/types.proto

import type { LoadState as _sluice_registry_v1_LoadState, LoadState__Output as _sluice_registry_v1_LoadState__Output } from '../../../sluice/registry/v1/LoadState.ts';

export interface RuntimeVersionState {
  'runtimeId'?: (string);
  'state'?: (_sluice_registry_v1_LoadState);
  'reason'?: (string);
}

export interface RuntimeVersionState__Output {
  'runtimeId': (string);
  'state': (_sluice_registry_v1_LoadState__Output);
  'reason': (string);
}
