// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

export interface Spool {
  'spoolId'?: (string);
  'routerId'?: (string);
  'firstSeenAt'?: (_google_protobuf_Timestamp | null);
  /**
   * When its router was last heard of.
   */
  'lastSeenAt'?: (_google_protobuf_Timestamp | null);
  /**
   * Position up to which it was acknowledged, as last written down.
   */
  'acknowledged'?: (number | string | Long);
  /**
   * Number of the last order from before which nothing is in it any more, as its router said.
   */
  'erasuresApplied'?: (number | string | Long);
  /**
   * When nobody waited for it any more; unset for one that is known.
   */
  'forgottenAt'?: (_google_protobuf_Timestamp | null);
}

export interface Spool__Output {
  'spoolId': (string);
  'routerId': (string);
  'firstSeenAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * When its router was last heard of.
   */
  'lastSeenAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * Position up to which it was acknowledged, as last written down.
   */
  'acknowledged': (string);
  /**
   * Number of the last order from before which nothing is in it any more, as its router said.
   */
  'erasuresApplied': (string);
  /**
   * When nobody waited for it any more; unset for one that is known.
   */
  'forgottenAt': (_google_protobuf_Timestamp__Output | null);
}
