// Original file: protos/sluice/registry/v1/datasets.proto

import type { DataSet as _sluice_registry_v1_DataSet, DataSet__Output as _sluice_registry_v1_DataSet__Output } from '../../../sluice/registry/v1/DataSet.ts';

/**
 * By name.
 */
export interface ListDataSetsResponse {
  'dataSets'?: (_sluice_registry_v1_DataSet)[];
  'nextPageToken'?: (string);
}

/**
 * By name.
 */
export interface ListDataSetsResponse__Output {
  'dataSets': (_sluice_registry_v1_DataSet__Output)[];
  'nextPageToken': (string);
}
