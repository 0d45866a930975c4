// Original file: protos/sluice/registry/v1/lineage.proto

import type { LineageVersion as _sluice_registry_v1_LineageVersion, LineageVersion__Output as _sluice_registry_v1_LineageVersion__Output } from '../../../sluice/registry/v1/LineageVersion.ts';
import type { LineageDataSet as _sluice_registry_v1_LineageDataSet, LineageDataSet__Output as _sluice_registry_v1_LineageDataSet__Output } from '../../../sluice/registry/v1/LineageDataSet.ts';
import type { LineageRun as _sluice_registry_v1_LineageRun, LineageRun__Output as _sluice_registry_v1_LineageRun__Output } from '../../../sluice/registry/v1/LineageRun.ts';
import type { LineageRelease as _sluice_registry_v1_LineageRelease, LineageRelease__Output as _sluice_registry_v1_LineageRelease__Output } from '../../../sluice/registry/v1/LineageRelease.ts';

export interface LineageNode {
  /**
   * Steps from where it begins.
   */
  'depth'?: (number);
  'version'?: (_sluice_registry_v1_LineageVersion | null);
  'dataSet'?: (_sluice_registry_v1_LineageDataSet | null);
  'run'?: (_sluice_registry_v1_LineageRun | null);
  'release'?: (_sluice_registry_v1_LineageRelease | null);
  'what'?: "version"|"dataSet"|"run"|"release";
}

export interface LineageNode__Output {
  /**
   * Steps from where it begins.
   */
  'depth': (number);
  'version'?: (_sluice_registry_v1_LineageVersion__Output | null);
  'dataSet'?: (_sluice_registry_v1_LineageDataSet__Output | null);
  'run'?: (_sluice_registry_v1_LineageRun__Output | null);
  'release'?: (_sluice_registry_v1_LineageRelease__Output | null);
  'what'?: "version"|"dataSet"|"run"|"release";
}
