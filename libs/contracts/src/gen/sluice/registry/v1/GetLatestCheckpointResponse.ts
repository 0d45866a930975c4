// Original file: protos/sluice/registry/v1/audit.proto

import type { Checkpoint as _sluice_registry_v1_Checkpoint, Checkpoint__Output as _sluice_registry_v1_Checkpoint__Output } from '../../../sluice/registry/v1/Checkpoint.ts';

export interface GetLatestCheckpointResponse {
  'checkpoint'?: (_sluice_registry_v1_Checkpoint | null);
}

export interface GetLatestCheckpointResponse__Output {
  'checkpoint': (_sluice_registry_v1_Checkpoint__Output | null);
}
