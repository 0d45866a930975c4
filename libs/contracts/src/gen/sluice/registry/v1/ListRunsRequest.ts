// Original file: protos/sluice/registry/v1/runs.proto

import type { RunState as _sluice_registry_v1_RunState, RunState__Output as _sluice_registry_v1_RunState__Output } from '../../../sluice/registry/v1/RunState.ts';

export interface ListRunsRequest {
  /**
   * Empty means all.
   */
  'pipeline'?: (string);
  /**
   * UNSPECIFIED means all.
   */
  'state'?: (_sluice_registry_v1_RunState);
  /**
   * At most 1,000; 0 means 100. A page ends early when it is large.
   */
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListRunsRequest__Output {
  /**
   * Empty means all.
   */
  'pipeline': (string);
  /**
   * UNSPECIFIED means all.
   */
  'state': (_sluice_registry_v1_RunState__Output);
  /**
   * At most 1,000; 0 means 100. A page ends early when it is large.
   */
  'pageSize': (number);
  'pageToken': (string);
}
