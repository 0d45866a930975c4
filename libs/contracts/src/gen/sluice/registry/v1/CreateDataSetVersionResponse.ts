// Original file: protos/sluice/registry/v1/datasets.proto

import type { DataSetVersion as _sluice_registry_v1_DataSetVersion, DataSetVersion__Output as _sluice_registry_v1_DataSetVersion__Output } from '../../../sluice/registry/v1/DataSetVersion.ts';

export interface CreateDataSetVersionResponse {
  'version'?: (_sluice_registry_v1_DataSetVersion | null);
  /**
   * False when there was one that says the same.
   */
  'created'?: (boolean);
}

export interface CreateDataSetVersionResponse__Output {
  'version': (_sluice_registry_v1_DataSetVersion__Output | null);
  /**
   * False when there was one that says the same.
   */
  'created': (boolean);
}
