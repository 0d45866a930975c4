// Original file: protos/sluice/registry/v1/types.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface AliasHistoryEntry {
  'alias'?: (string);
  'version'?: (number | string | Long);
  'from'?: (_google_protobuf_Timestamp | null);
  /**
   * Unset while it is current.
   */
  'to'?: (_google_protobuf_Timestamp | null);
  'actor'?: (string);
  'revision'?: (number | string | Long);
}

export interface AliasHistoryEntry__Output {
  'alias': (string);
  'version': (string);
  'from': (_google_protobuf_Timestamp__Output | null);
  /**
   * Unset while it is current.
   */
  'to': (_google_protobuf_Timestamp__Output | null);
  'actor': (string);
  'revision': (string);
}
