// Original file: protos/sluice/registry/v1/registry.proto

import type { LoadState as _sluice_registry_v1_LoadState, LoadState__Output as _sluice_registry_v1_LoadState__Output } from '../../../sluice/registry/v1/LoadState.ts';
import type { Long } from '@grpc/proto-loader';

export interface LoadedVersion {
  'model'?: (string);
  'version'?: (number | string | Long);
  'state'?: (_sluice_registry_v1_LoadState);
  'reason'?: (string);
  /**
   * The devices that the version asks for, such as `cuda ×2, cpu ×1`.
   */
  'devicesAsked'?: (string);
  /**
   * Where its sessions are, such as `cuda:0 ×1, cuda:1 ×1, cpu ×1`; empty while it has none.
   */
  'devicesGot'?: (string);
}

export interface LoadedVersion__Output {
  'model': (string);
  'version': (string);
  'state': (_sluice_registry_v1_LoadState__Output);
  'reason': (string);
  /**
   * The devices that the version asks for, such as `cuda ×2, cpu ×1`.
   */
  'devicesAsked': (string);
  /**
   * Where its sessions are, such as `cuda:0 ×1, cuda:1 ×1, cpu ×1`; empty while it has none.
   */
  'devicesGot': (string);
}
