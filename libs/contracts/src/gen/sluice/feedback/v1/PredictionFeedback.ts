// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * What somebody said of a prediction.
 */
export interface PredictionFeedback {
  'feedbackId'?: (string);
  /**
   * Not set: the prediction as a whole.
   */
  'row'?: (number | string | Long);
  /**
   * `rating`, `correction`, `reward`, `text` or `json`.
   */
  'kind'?: (string);
  /**
   * A rating, a reward, or a corrected number; a correction of a class has a name.
   */
  'number'?: (number | string);
  'name'?: (string);
  /**
   * Free text and JSON count as payload: only `with_payload`.
   */
  'text'?: (string);
  /**
   * `none`, `kept` or `erased`.
   */
  'textState'?: (string);
  'source'?: (string);
  'actor'?: (string);
  /**
   * When it was given; not set where nobody said.
   */
  'givenAt'?: (_google_protobuf_Timestamp | null);
  'recordedAt'?: (_google_protobuf_Timestamp | null);
  '_row'?: "row";
  '_number'?: "number";
  '_name'?: "name";
  '_text'?: "text";
}

/**
 * What somebody said of a prediction.
 */
export interface PredictionFeedback__Output {
  'feedbackId': (string);
  /**
   * Not set: the prediction as a whole.
   */
  'row'?: (string);
  /**
   * `rating`, `correction`, `reward`, `text` or `json`.
   */
  'kind': (string);
  /**
   * A rating, a reward, or a corrected number; a correction of a class has a name.
   */
  'number'?: (number);
  'name'?: (string);
  /**
   * Free text and JSON count as payload: only `with_payload`.
   */
  'text'?: (string);
  /**
   * `none`, `kept` or `erased`.
   */
  'textState': (string);
  'source': (string);
  'actor': (string);
  /**
   * When it was given; not set where nobody said.
   */
  'givenAt': (_google_protobuf_Timestamp__Output | null);
  'recordedAt': (_google_protobuf_Timestamp__Output | null);
  '_row'?: "row";
  '_number'?: "number";
  '_name'?: "name";
  '_text'?: "text";
}
