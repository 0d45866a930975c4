// Original file: protos/sluice/registry/v1/registry.proto

import type { Approval as _sluice_registry_v1_Approval, Approval__Output as _sluice_registry_v1_Approval__Output } from '../../../sluice/registry/v1/Approval.ts';

export interface ApproveResponse {
  'approval'?: (_sluice_registry_v1_Approval | null);
}

export interface ApproveResponse__Output {
  'approval': (_sluice_registry_v1_Approval__Output | null);
}
