// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface SubjectExport {
  /**
   * That the file was to be a version of; empty for none.
   */
  'dataSet'?: (string);
  /**
   * 0 where nobody said: the digest is that of the version.
   */
  'version'?: (number | string | Long);
  /**
   * SHA-256 of the file, in hex.
   */
  'digest'?: (string);
  'exportedAt'?: (_google_protobuf_Timestamp | null);
}

export interface SubjectExport__Output {
  /**
   * That the file was to be a version of; empty for none.
   */
  'dataSet': (string);
  /**
   * 0 where nobody said: the digest is that of the version.
   */
  'version': (string);
  /**
   * SHA-256 of the file, in hex.
   */
  'digest': (string);
  'exportedAt': (_google_protobuf_Timestamp__Output | null);
}
