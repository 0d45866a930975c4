// Original file: protos/sluice/registry/v1/lineage.proto

import type { VersionRef as _sluice_registry_v1_VersionRef, VersionRef__Output as _sluice_registry_v1_VersionRef__Output } from '../../../sluice/registry/v1/VersionRef.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';
import type { LineageDirection as _sluice_registry_v1_LineageDirection, LineageDirection__Output as _sluice_registry_v1_LineageDirection__Output } from '../../../sluice/registry/v1/LineageDirection.ts';

export interface GetLineageRequest {
  'version'?: (_sluice_registry_v1_VersionRef | null);
  'dataSet'?: (_sluice_registry_v1_DataSetRef | null);
  /**
   * A run's id.
   */
  'run'?: (string);
  'direction'?: (_sluice_registry_v1_LineageDirection);
  /**
   * Most steps: at most 32, 0 means 10.
   */
  'depth'?: (number);
  /**
   * Most nodes: at most 1,000, 0 means 200. There are at most 10,000 edges.
   */
  'maxNodes'?: (number);
  /**
   * Where it begins.
   */
  'from'?: "version"|"dataSet"|"run";
}

export interface GetLineageRequest__Output {
  'version'?: (_sluice_registry_v1_VersionRef__Output | null);
  'dataSet'?: (_sluice_registry_v1_DataSetRef__Output | null);
  /**
   * A run's id.
   */
  'run'?: (string);
  'direction': (_sluice_registry_v1_LineageDirection__Output);
  /**
   * Most steps: at most 32, 0 means 10.
   */
  'depth': (number);
  /**
   * Most nodes: at most 1,000, 0 means 200. There are at most 10,000 edges.
   */
  'maxNodes': (number);
  /**
   * Where it begins.
   */
  'from'?: "version"|"dataSet"|"run";
}
