// Original file: protos/sluice/feedback/v1/predictions.proto

import type { PredictionSummary as _sluice_feedback_v1_PredictionSummary, PredictionSummary__Output as _sluice_feedback_v1_PredictionSummary__Output } from '../../../sluice/feedback/v1/PredictionSummary.ts';

export interface ListPredictionsResponse {
  /**
   * By id, arm and attempt, the highest first.
   */
  'predictions'?: (_sluice_feedback_v1_PredictionSummary)[];
  /**
   * Empty when there are no more. A page may have few or none and a token all the same: it ends after 20,000 records that were looked at.
   */
  'nextPageToken'?: (string);
}

export interface ListPredictionsResponse__Output {
  /**
   * By id, arm and attempt, the highest first.
   */
  'predictions': (_sluice_feedback_v1_PredictionSummary__Output)[];
  /**
   * Empty when there are no more. A page may have few or none and a token all the same: it ends after 20,000 records that were looked at.
   */
  'nextPageToken': (string);
}
