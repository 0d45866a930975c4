// Original file: protos/sluice/feedback/v1/subscribe.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';

/**
 * A label that is joined to its prediction.
 */
export interface FollowedLabel {
  'labelId'?: (string);
  'predictionId'?: (string);
  /**
   * Of the prediction's rows.
   */
  'row'?: (number);
  'retentionClass'?: (string);
  'model'?: (string);
  /**
   * The true class of a classification.
   */
  'name'?: (string);
  /**
   * The true value of a regression.
   */
  'number'?: (number | string);
  'source'?: (string);
  'actor'?: (string);
  'requestId'?: (string);
  /**
   * When the truth was found, as the caller said; unset where nobody did.
   */
  'labelledAt'?: (_google_protobuf_Timestamp | null);
  'recordedAt'?: (_google_protobuf_Timestamp | null);
  'value'?: "name"|"number";
}

/**
 * A label that is joined to its prediction.
 */
export interface FollowedLabel__Output {
  'labelId': (string);
  'predictionId': (string);
  /**
   * Of the prediction's rows.
   */
  'row': (number);
  'retentionClass': (string);
  'model': (string);
  /**
   * The true class of a classification.
   */
  'name'?: (string);
  /**
   * The true value of a regression.
   */
  'number'?: (number);
  'source': (string);
  'actor': (string);
  'requestId': (string);
  /**
   * When the truth was found, as the caller said; unset where nobody did.
   */
  'labelledAt': (_google_protobuf_Timestamp__Output | null);
  'recordedAt': (_google_protobuf_Timestamp__Output | null);
  'value'?: "name"|"number";
}
