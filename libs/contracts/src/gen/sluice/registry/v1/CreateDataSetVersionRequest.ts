// Original file: protos/sluice/registry/v1/datasets.proto

import type { DataSetColumn as _sluice_registry_v1_DataSetColumn, DataSetColumn__Output as _sluice_registry_v1_DataSetColumn__Output } from '../../../sluice/registry/v1/DataSetColumn.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';
import type { Long } from '@grpc/proto-loader';

export interface CreateDataSetVersionRequest {
  'dataSet'?: (string);
  'digest'?: (string);
  'columns'?: (_sluice_registry_v1_DataSetColumn)[];
  'rowCount'?: (number | string | Long);
  'parents'?: (_sluice_registry_v1_DataSetRef)[];
  'location'?: (string);
  'format'?: (string);
  /**
   * A JSON object of at most 1,048,576 characters, at most 32 deep; empty for none.
   */
  'manifestJson'?: (string);
  /**
   * The id of the run that makes it, which must be under way; empty for none. It is then one of the run's outputs.
   */
  'run'?: (string);
  /**
   * Makes a retry safe: at most 128 characters, chosen by the caller, empty for none. The same one with other facts, or
   * from another actor, is refused.
   */
  'requestId'?: (string);
  '_rowCount'?: "rowCount";
}

export interface CreateDataSetVersionRequest__Output {
  'dataSet': (string);
  'digest': (string);
  'columns': (_sluice_registry_v1_DataSetColumn__Output)[];
  'rowCount'?: (string);
  'parents': (_sluice_registry_v1_DataSetRef__Output)[];
  'location': (string);
  'format': (string);
  /**
   * A JSON object of at most 1,048,576 characters, at most 32 deep; empty for none.
   */
  'manifestJson': (string);
  /**
   * The id of the run that makes it, which must be under way; empty for none. It is then one of the run's outputs.
   */
  'run': (string);
  /**
   * Makes a retry safe: at most 128 characters, chosen by the caller, empty for none. The same one with other facts, or
   * from another actor, is refused.
   */
  'requestId': (string);
  '_rowCount'?: "rowCount";
}
