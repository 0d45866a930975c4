// Original file: protos/sluice/registry/v1/datasets.proto

import type { DataSetColumn as _sluice_registry_v1_DataSetColumn, DataSetColumn__Output as _sluice_registry_v1_DataSetColumn__Output } from '../../../sluice/registry/v1/DataSetColumn.ts';
import type { DataSetRef as _sluice_registry_v1_DataSetRef, DataSetRef__Output as _sluice_registry_v1_DataSetRef__Output } from '../../../sluice/registry/v1/DataSetRef.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface DataSetVersion {
  'dataSet'?: (string);
  /**
   * 1, 2, 3 ...
   */
  'number'?: (number | string | Long);
  /**
   * SHA-256 of its bytes in lower-case hex; what that means for many files, the manifest says.
   */
  'digest'?: (string);
  /**
   * At most 4,096, each name once.
   */
  'columns'?: (_sluice_registry_v1_DataSetColumn)[];
  /**
   * Unset when nobody counted.
   */
  'rowCount'?: (number | string | Long);
  /**
   * What it was made from: at most 256.
   */
  'parents'?: (_sluice_registry_v1_DataSetRef)[];
  /**
   * A URI without a password, such as `s3://bucket/digits/train.csv`; at most 2,048 characters, empty when unknown.
   */
  'location'?: (string);
  /**
   * Such as `csv`, `jsonl` or `parquet`: at most 64 of a-z, 0-9, '.', '+' and '-'; empty when unknown.
   */
  'format'?: (string);
  /**
   * Canonical JSON of whatever else there is to say; empty for none.
   */
  'manifestJson'?: (string);
  /**
   * The run that made it; empty for none.
   */
  'run'?: (string);
  'createdAt'?: (_google_protobuf_Timestamp | null);
  'createdBy'?: (string);
  /**
   * Leaf index of its entry in the audit log.
   */
  'revision'?: (number | string | Long);
  '_rowCount'?: "rowCount";
}

export interface DataSetVersion__Output {
  'dataSet': (string);
  /**
   * 1, 2, 3 ...
   */
  'number': (string);
  /**
   * SHA-256 of its bytes in lower-case hex; what that means for many files, the manifest says.
   */
  'digest': (string);
  /**
   * At most 4,096, each name once.
   */
  'columns': (_sluice_registry_v1_DataSetColumn__Output)[];
  /**
   * Unset when nobody counted.
   */
  'rowCount'?: (string);
  /**
   * What it was made from: at most 256.
   */
  'parents': (_sluice_registry_v1_DataSetRef__Output)[];
  /**
   * A URI without a password, such as `s3://bucket/digits/train.csv`; at most 2,048 characters, empty when unknown.
   */
  'location': (string);
  /**
   * Such as `csv`, `jsonl` or `parquet`: at most 64 of a-z, 0-9, '.', '+' and '-'; empty when unknown.
   */
  'format': (string);
  /**
   * Canonical JSON of whatever else there is to say; empty for none.
   */
  'manifestJson': (string);
  /**
   * The run that made it; empty for none.
   */
  'run': (string);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
  'createdBy': (string);
  /**
   * Leaf index of its entry in the audit log.
   */
  'revision': (string);
  '_rowCount'?: "rowCount";
}
