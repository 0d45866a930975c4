// Original file: protos/sluice/registry/v1/registry.proto

import type { AliasMove as _sluice_registry_v1_AliasMove, AliasMove__Output as _sluice_registry_v1_AliasMove__Output } from '../../../sluice/registry/v1/AliasMove.ts';

export interface MoveAliasResponse {
  'move'?: (_sluice_registry_v1_AliasMove | null);
}

export interface MoveAliasResponse__Output {
  'move': (_sluice_registry_v1_AliasMove__Output | null);
}
