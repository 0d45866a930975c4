// Original file: protos/sluice/registry/v1/lineage.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface LineageDataSet {
  'dataSet'?: (string);
  'version'?: (number | string | Long);
  'digest'?: (string);
  'location'?: (string);
  'createdAt'?: (_google_protobuf_Timestamp | null);
}

export interface LineageDataSet__Output {
  'dataSet': (string);
  'version': (string);
  'digest': (string);
  'location': (string);
  'createdAt': (_google_protobuf_Timestamp__Output | null);
}
