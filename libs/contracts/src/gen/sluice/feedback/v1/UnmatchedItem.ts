// Original file: protos/sluice/feedback/v1/labels.proto

import type { LabelValue as _sluice_feedback_v1_LabelValue, LabelValue__Output as _sluice_feedback_v1_LabelValue__Output } from '../../../sluice/feedback/v1/LabelValue.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';

/**
 * An item that was not joined. Texts and JSON of feedback are gone.
 */
export interface UnmatchedItem {
  /**
   * `label`, `rating`, `correction`, `reward`, `text` or `json`.
   */
  'kind'?: (string);
  'predictionId'?: (string);
  'model'?: (string);
  'requestId'?: (string);
  'source'?: (string);
  /**
   * Not given: the prediction as a whole, or one value for each row.
   */
  'row'?: (number);
  'values'?: (_sluice_feedback_v1_LabelValue)[];
  'labelledAt'?: (_google_protobuf_Timestamp | null);
  /**
   * When it came, and when it was given up.
   */
  'recordedAt'?: (_google_protobuf_Timestamp | null);
  'endedAt'?: (_google_protobuf_Timestamp | null);
  /**
   * `NOT_FOUND` when no prediction came in time, else why it could not be joined to the one that came.
   */
  'status'?: (string);
  'reason'?: (string);
  '_row'?: "row";
}

/**
 * An item that was not joined. Texts and JSON of feedback are gone.
 */
export interface UnmatchedItem__Output {
  /**
   * `label`, `rating`, `correction`, `reward`, `text` or `json`.
   */
  'kind': (string);
  'predictionId': (string);
  'model': (string);
  'requestId': (string);
  'source': (string);
  /**
   * Not given: the prediction as a whole, or one value for each row.
   */
  'row'?: (number);
  'values': (_sluice_feedback_v1_LabelValue__Output)[];
  'labelledAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * When it came, and when it was given up.
   */
  'recordedAt': (_google_protobuf_Timestamp__Output | null);
  'endedAt': (_google_protobuf_Timestamp__Output | null);
  /**
   * `NOT_FOUND` when no prediction came in time, else why it could not be joined to the one that came.
   */
  'status': (string);
  'reason': (string);
  '_row'?: "row";
}
