// Original file: protos/sluice/registry/v1/datasets.proto

import type { DataSetVersion as _sluice_registry_v1_DataSetVersion, DataSetVersion__Output as _sluice_registry_v1_DataSetVersion__Output } from '../../../sluice/registry/v1/DataSetVersion.ts';

/**
 * By number, without `manifest_json`.
 */
export interface ListDataSetVersionsResponse {
  'versions'?: (_sluice_registry_v1_DataSetVersion)[];
  'nextPageToken'?: (string);
}

/**
 * By number, without `manifest_json`.
 */
export interface ListDataSetVersionsResponse__Output {
  'versions': (_sluice_registry_v1_DataSetVersion__Output)[];
  'nextPageToken': (string);
}
