// Original file: protos/sluice/registry/v1/runs.proto

import type { Run as _sluice_registry_v1_Run, Run__Output as _sluice_registry_v1_Run__Output } from '../../../sluice/registry/v1/Run.ts';

/**
 * The newest start first.
 */
export interface ListRunsResponse {
  'runs'?: (_sluice_registry_v1_Run)[];
  'nextPageToken'?: (string);
}

/**
 * The newest start first.
 */
export interface ListRunsResponse__Output {
  'runs': (_sluice_registry_v1_Run__Output)[];
  'nextPageToken': (string);
}
