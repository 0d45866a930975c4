// Original file: protos/sluice/registry/v1/registry.proto

import type { AliasHistoryEntry as _sluice_registry_v1_AliasHistoryEntry, AliasHistoryEntry__Output as _sluice_registry_v1_AliasHistoryEntry__Output } from '../../../sluice/registry/v1/AliasHistoryEntry.ts';
import type { AliasMove as _sluice_registry_v1_AliasMove, AliasMove__Output as _sluice_registry_v1_AliasMove__Output } from '../../../sluice/registry/v1/AliasMove.ts';

export interface GetAliasHistoryResponse {
  'entries'?: (_sluice_registry_v1_AliasHistoryEntry)[];
  'moves'?: (_sluice_registry_v1_AliasMove)[];
}

export interface GetAliasHistoryResponse__Output {
  'entries': (_sluice_registry_v1_AliasHistoryEntry__Output)[];
  'moves': (_sluice_registry_v1_AliasMove__Output)[];
}
