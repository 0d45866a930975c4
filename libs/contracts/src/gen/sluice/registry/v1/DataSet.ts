// Original file: protos/sluice/registry/v1/datasets.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface DataSet {
  /**
   * As a model name, such as `digits/train`.
   */
  'name'?: (string);
  /**
   * The number of its versions, which is that of its newest one.
   */
  'versionCount'?: (number | string | Long);
  'createdAt'?: (_google_protobuf_Timestamp | null);
  'createdBy'?: (string);
}

export interface DataSet__Output {
  /**
   * As a model name, such as `digits/train`.
   */
  'name': (string);
  /**
   * The number of its versions, which is that of its newest one.
   */
  'versionCount': (string);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
  'createdBy': (string);
}
