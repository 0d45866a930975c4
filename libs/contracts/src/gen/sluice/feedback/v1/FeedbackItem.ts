// Original file: protos/sluice/feedback/v1/labels.proto

import type { LabelValue as _sluice_feedback_v1_LabelValue, LabelValue__Output as _sluice_feedback_v1_LabelValue__Output } from '../../../sluice/feedback/v1/LabelValue.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';

export interface FeedbackItem {
  /**
   * The prediction: as in `Label`.
   */
  'predictionId'?: (string);
  'model'?: (string);
  'requestId'?: (string);
  /**
   * Who says so: 1 to 200 bytes.
   */
  'source'?: (string);
  /**
   * The row that it is about; not given: the prediction as a whole.
   */
  'row'?: (number);
  /**
   * From -100 to 100.
   */
  'rating'?: (number | string);
  /**
   * What the answer should have been. It is no label: quality is not computed from it.
   */
  'correction'?: (_sluice_feedback_v1_LabelValue | null);
  /**
   * Finite.
   */
  'reward'?: (number | string);
  /**
   * 1 to 16,384 bytes.
   */
  'text'?: (string);
  /**
   * An object, at most 16,384 bytes.
   */
  'json'?: (string);
  /**
   * When it was given; not given: nobody knows.
   */
  'givenAt'?: (_google_protobuf_Timestamp | null);
  '_row'?: "row";
  'content'?: "rating"|"correction"|"reward"|"text"|"json";
}

export interface FeedbackItem__Output {
  /**
   * The prediction: as in `Label`.
   */
  'predictionId': (string);
  'model': (string);
  'requestId': (string);
  /**
   * Who says so: 1 to 200 bytes.
   */
  'source': (string);
  /**
   * The row that it is about; not given: the prediction as a whole.
   */
  'row'?: (number);
  /**
   * From -100 to 100.
   */
  'rating'?: (number);
  /**
   * What the answer should have been. It is no label: quality is not computed from it.
   */
  'correction'?: (_sluice_feedback_v1_LabelValue__Output | null);
  /**
   * Finite.
   */
  'reward'?: (number);
  /**
   * 1 to 16,384 bytes.
   */
  'text'?: (string);
  /**
   * An object, at most 16,384 bytes.
   */
  'json'?: (string);
  /**
   * When it was given; not given: nobody knows.
   */
  'givenAt': (_google_protobuf_Timestamp__Output | null);
  '_row'?: "row";
  'content'?: "rating"|"correction"|"reward"|"text"|"json";
}
