// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Prediction as _sluice_feedback_v1_Prediction, Prediction__Output as _sluice_feedback_v1_Prediction__Output } from '../../../sluice/feedback/v1/Prediction.ts';

export interface GetPredictionResponse {
  'prediction'?: (_sluice_feedback_v1_Prediction | null);
}

export interface GetPredictionResponse__Output {
  'prediction': (_sluice_feedback_v1_Prediction__Output | null);
}
