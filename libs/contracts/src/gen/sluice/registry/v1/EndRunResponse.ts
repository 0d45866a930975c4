// Original file: protos/sluice/registry/v1/runs.proto

import type { Run as _sluice_registry_v1_Run, Run__Output as _sluice_registry_v1_Run__Output } from '../../../sluice/registry/v1/Run.ts';

export interface EndRunResponse {
  'run'?: (_sluice_registry_v1_Run | null);
}

export interface EndRunResponse__Output {
  'run': (_sluice_registry_v1_Run__Output | null);
}
