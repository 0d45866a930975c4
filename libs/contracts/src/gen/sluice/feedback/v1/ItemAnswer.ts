// Original file: protos/sluice/feedback/v1/labels.proto

import type { ItemResult as _sluice_feedback_v1_ItemResult, ItemResult__Output as _sluice_feedback_v1_ItemResult__Output } from '../../../sluice/feedback/v1/ItemResult.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';

/**
 * What became of one item.
 */
export interface ItemAnswer {
  'result'?: (_sluice_feedback_v1_ItemResult);
  /**
   * Of one that waits: when that ends.
   */
  'waitsUntil'?: (_google_protobuf_Timestamp | null);
  /**
   * Of one that is refused: the name of a gRPC status, such as `INVALID_ARGUMENT`. After `UNAVAILABLE` the same item may be taken soon.
   */
  'status'?: (string);
  /**
   * A sentence that names the field.
   */
  'reason'?: (string);
  /**
   * Of one that is refused because its request id is of several predictions: these, 10 at most. Else the one that it was joined to.
   */
  'predictionIds'?: (string)[];
}

/**
 * What became of one item.
 */
export interface ItemAnswer__Output {
  'result': (_sluice_feedback_v1_ItemResult__Output);
  /**
   * Of one that waits: when that ends.
   */
  'waitsUntil': (_google_protobuf_Timestamp__Output | null);
  /**
   * Of one that is refused: the name of a gRPC status, such as `INVALID_ARGUMENT`. After `UNAVAILABLE` the same item may be taken soon.
   */
  'status': (string);
  /**
   * A sentence that names the field.
   */
  'reason': (string);
  /**
   * Of one that is refused because its request id is of several predictions: these, 10 at most. Else the one that it was joined to.
   */
  'predictionIds': (string)[];
}
