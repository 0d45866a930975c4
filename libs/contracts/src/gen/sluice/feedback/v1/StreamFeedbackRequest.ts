// Original file: protos/sluice/feedback/v1/labels.proto

import type { FeedbackItem as _sluice_feedback_v1_FeedbackItem, FeedbackItem__Output as _sluice_feedback_v1_FeedbackItem__Output } from '../../../sluice/feedback/v1/FeedbackItem.ts';

export interface StreamFeedbackRequest {
  /**
   * At most 1,000, with at most 1 MiB of texts and JSON together.
   */
  'items'?: (_sluice_feedback_v1_FeedbackItem)[];
}

export interface StreamFeedbackRequest__Output {
  /**
   * At most 1,000, with at most 1 MiB of texts and JSON together.
   */
  'items': (_sluice_feedback_v1_FeedbackItem__Output)[];
}
