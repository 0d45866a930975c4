// Original file: protos/sluice/registry/v1/types.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * A version that ended runtimes of a pool too often: no runtime of any pool loads it until it is lifted.
 */
export interface Quarantine {
  'model'?: (string);
  'version'?: (number | string | Long);
  'pool'?: (string);
  /**
   * What it did, for people.
   */
  'reason'?: (string);
  'since'?: (_google_protobuf_Timestamp | null);
  /**
   * Who reported the strike that was too many: `runtime:` and its name.
   */
  'actor'?: (string);
}

/**
 * A version that ended runtimes of a pool too often: no runtime of any pool loads it until it is lifted.
 */
export interface Quarantine__Output {
  'model': (string);
  'version': (string);
  'pool': (string);
  /**
   * What it did, for people.
   */
  'reason': (string);
  'since': (_google_protobuf_Timestamp__Output | null);
  /**
   * Who reported the strike that was too many: `runtime:` and its name.
   */
  'actor': (string);
}
