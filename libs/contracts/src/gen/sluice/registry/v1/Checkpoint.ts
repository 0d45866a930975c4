// Original file: protos/sluice/registry/v1/audit.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface Checkpoint {
  'treeSize'?: (number | string | Long);
  'rootHash'?: (Buffer | Uint8Array | string);
  'signedAt'?: (_google_protobuf_Timestamp | null);
  'keyId'?: (string);
  'signature'?: (Buffer | Uint8Array | string);
  /**
   * The exact text that was signed.
   */
  'body'?: (string);
}

export interface Checkpoint__Output {
  'treeSize': (string);
  'rootHash': (Buffer);
  'signedAt': (_google_protobuf_Timestamp__Output | null);
  'keyId': (string);
  'signature': (Buffer);
  /**
   * The exact text that was signed.
   */
  'body': (string);
}
