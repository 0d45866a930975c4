// Original file: protos/sluice/registry/v1/registry.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';

export interface GetStateAsOfRequest {
  'model'?: (string);
  'time'?: (_google_protobuf_Timestamp | null);
  /**
   * Of the versions; 0 means 100.
   */
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface GetStateAsOfRequest__Output {
  'model': (string);
  'time': (_google_protobuf_Timestamp__Output | null);
  /**
   * Of the versions; 0 means 100.
   */
  'pageSize': (number);
  'pageToken': (string);
}
