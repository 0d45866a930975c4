// Original file: protos/sluice/feedback/v1/labels.proto

import type { ItemAnswer as _sluice_feedback_v1_ItemAnswer, ItemAnswer__Output as _sluice_feedback_v1_ItemAnswer__Output } from '../../../sluice/feedback/v1/ItemAnswer.ts';

export interface StreamLabelsResponse {
  /**
   * One for each label of a batch, in their order.
   */
  'answers'?: (_sluice_feedback_v1_ItemAnswer)[];
}

export interface StreamLabelsResponse__Output {
  /**
   * One for each label of a batch, in their order.
   */
  'answers': (_sluice_feedback_v1_ItemAnswer__Output)[];
}
