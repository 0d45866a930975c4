// Original file: protos/sluice/feedback/v1/labels.proto

import type { ItemAnswer as _sluice_feedback_v1_ItemAnswer, ItemAnswer__Output as _sluice_feedback_v1_ItemAnswer__Output } from '../../../sluice/feedback/v1/ItemAnswer.ts';

export interface RecordFeedbackResponse {
  /**
   * One for each item, in their order.
   */
  'answers'?: (_sluice_feedback_v1_ItemAnswer)[];
}

export interface RecordFeedbackResponse__Output {
  /**
   * One for each item, in their order.
   */
  'answers': (_sluice_feedback_v1_ItemAnswer__Output)[];
}
