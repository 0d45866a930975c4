// Original file: protos/sluice/feedback/v1/labels.proto

import type { LabelValue as _sluice_feedback_v1_LabelValue, LabelValue__Output as _sluice_feedback_v1_LabelValue__Output } from '../../../sluice/feedback/v1/LabelValue.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.ts';

export interface Label {
  /**
   * The prediction: either its id, or the model and the caller's own request id.
   */
  'predictionId'?: (string);
  'model'?: (string);
  /**
   * Looked up among the predictions of the last days, 30 unless the service was told otherwise.
   */
  'requestId'?: (string);
  /**
   * Who says so: 1 to 200 bytes.
   */
  'source'?: (string);
  /**
   * The row that `value` is about, from 0.
   */
  'row'?: (number);
  'value'?: (_sluice_feedback_v1_LabelValue | null);
  /**
   * In the place of `row` and `value`: one for each row of the prediction, in order.
   */
  'values'?: (_sluice_feedback_v1_LabelValue)[];
  /**
   * When the truth was found; not given: nobody knows.
   */
  'labelledAt'?: (_google_protobuf_Timestamp | null);
}

export interface Label__Output {
  /**
   * The prediction: either its id, or the model and the caller's own request id.
   */
  'predictionId': (string);
  'model': (string);
  /**
   * Looked up among the predictions of the last days, 30 unless the service was told otherwise.
   */
  'requestId': (string);
  /**
   * Who says so: 1 to 200 bytes.
   */
  'source': (string);
  /**
   * The row that `value` is about, from 0.
   */
  'row': (number);
  'value': (_sluice_feedback_v1_LabelValue__Output | null);
  /**
   * In the place of `row` and `value`: one for each row of the prediction, in order.
   */
  'values': (_sluice_feedback_v1_LabelValue__Output)[];
  /**
   * When the truth was found; not given: nobody knows.
   */
  'labelledAt': (_google_protobuf_Timestamp__Output | null);
}
