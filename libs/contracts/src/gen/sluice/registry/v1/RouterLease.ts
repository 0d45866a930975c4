// Original file: protos/sluice/registry/v1/registry.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface RouterLease {
  'routerId'?: (string);
  'address'?: (string);
  'appliedRevision'?: (number | string | Long);
  'expiresAt'?: (_google_protobuf_Timestamp | null);
  'live'?: (boolean);
}

export interface RouterLease__Output {
  'routerId': (string);
  'address': (string);
  'appliedRevision': (string);
  'expiresAt': (_google_protobuf_Timestamp__Output | null);
  'live': (boolean);
}
