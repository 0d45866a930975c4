// Original file: protos/sluice/feedback/v1/predictions.proto

import type { LabelPolicy as _sluice_feedback_v1_LabelPolicy, LabelPolicy__Output as _sluice_feedback_v1_LabelPolicy__Output } from '../../../sluice/feedback/v1/LabelPolicy.ts';

export interface GetPredictionRequest {
  /**
   * A UUID.
   */
  'predictionId'?: (string);
  /**
   * Decodes requests and responses. Each such call is written into the audit log before it is answered.
   */
  'withPayload'?: (boolean);
  /**
   * Asks the registry which aliases pointed to the versions when the request came.
   */
  'withAliases'?: (boolean);
  /**
   * Values of one tensor that are given; 0 means 1,000, at most 100,000.
   */
  'maxValues'?: (number);
  /**
   * How labels of one row are resolved; not given is what the model says.
   */
  'labelPolicy'?: (_sluice_feedback_v1_LabelPolicy | null);
  /**
   * Where there is nothing of the id, the answer says at which rate this model's evidence is kept.
   */
  'model'?: (string);
}

export interface GetPredictionRequest__Output {
  /**
   * A UUID.
   */
  'predictionId': (string);
  /**
   * Decodes requests and responses. Each such call is written into the audit log before it is answered.
   */
  'withPayload': (boolean);
  /**
   * Asks the registry which aliases pointed to the versions when the request came.
   */
  'withAliases': (boolean);
  /**
   * Values of one tensor that are given; 0 means 1,000, at most 100,000.
   */
  'maxValues': (number);
  /**
   * How labels of one row are resolved; not given is what the model says.
   */
  'labelPolicy': (_sluice_feedback_v1_LabelPolicy__Output | null);
  /**
   * Where there is nothing of the id, the answer says at which rate this model's evidence is kept.
   */
  'model': (string);
}
