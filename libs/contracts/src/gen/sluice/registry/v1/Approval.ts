// Original file: protos/sluice/registry/v1/types.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface Approval {
  'model'?: (string);
  'version'?: (number | string | Long);
  'alias'?: (string);
  'approver'?: (string);
  'at'?: (_google_protobuf_Timestamp | null);
  'revision'?: (number | string | Long);
}

export interface Approval__Output {
  'model': (string);
  'version': (string);
  'alias': (string);
  'approver': (string);
  'at': (_google_protobuf_Timestamp__Output | null);
  'revision': (string);
}
