// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface SubjectExport {
  'dataSet'?: (string);
  'version'?: (number | string | Long);
  /**
   * SHA-256 of its manifest, in hex.
   */
  'digest'?: (string);
  'exportedAt'?: (_google_protobuf_Timestamp | null);
}

export interface SubjectExport__Output {
  'dataSet': (string);
  'version': (string);
  /**
   * SHA-256 of its manifest, in hex.
   */
  'digest': (string);
  'exportedAt': (_google_protobuf_Timestamp__Output | null);
}
