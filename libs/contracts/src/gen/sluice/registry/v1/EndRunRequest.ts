// Original file: protos/sluice/registry/v1/runs.proto

import type { RunState as _sluice_registry_v1_RunState, RunState__Output as _sluice_registry_v1_RunState__Output } from '../../../sluice/registry/v1/RunState.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';
import type { VersionRef as _sluice_registry_v1_VersionRef, VersionRef__Output as _sluice_registry_v1_VersionRef__Output } from '../../../sluice/registry/v1/VersionRef.ts';

export interface EndRunRequest {
  'run'?: (string);
  /**
   * SUCCEEDED or FAILED.
   */
  'state'?: (_sluice_registry_v1_RunState);
  /**
   * Why it failed; what is longer than 2,000 characters is cut.
   */
  'error'?: (string);
  /**
   * Besides those that its start named: they must be older than the run.
   */
  'inputs'?: (_sluice_registry_v1_DataSetRef)[];
  /**
   * Besides those that named the run when they were made: made since the run began, and by no other run.
   */
  'outputs'?: (_sluice_registry_v1_DataSetRef)[];
  'versions'?: (_sluice_registry_v1_VersionRef)[];
}

export interface EndRunRequest__Output {
  'run': (string);
  /**
   * SUCCEEDED or FAILED.
   */
  'state': (_sluice_registry_v1_RunState__Output);
  /**
   * Why it failed; what is longer than 2,000 characters is cut.
   */
  'error': (string);
  /**
   * Besides those that its start named: they must be older than the run.
   */
  'inputs': (_sluice_registry_v1_DataSetRef__Output)[];
  /**
   * Besides those that named the run when they were made: made since the run began, and by no other run.
   */
  'outputs': (_sluice_registry_v1_DataSetRef__Output)[];
  'versions': (_sluice_registry_v1_VersionRef__Output)[];
}
