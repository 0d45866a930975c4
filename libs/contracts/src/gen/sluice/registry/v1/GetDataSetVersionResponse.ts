// Original file: protos/sluice/registry/v1/datasets.proto

import type { DataSetVersion as _sluice_registry_v1_DataSetVersion, DataSetVersion__Output as _sluice_registry_v1_DataSetVersion__Output } from '../../../sluice/registry/v1/DataSetVersion.ts';

export interface GetDataSetVersionResponse {
  'version'?: (_sluice_registry_v1_DataSetVersion | null);
}

export interface GetDataSetVersionResponse__Output {
  'version': (_sluice_registry_v1_DataSetVersion__Output | null);
}
