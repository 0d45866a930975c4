// Original file: protos/sluice/feedback/v1/labels.proto

import type { UnmatchedItem as _sluice_feedback_v1_UnmatchedItem, UnmatchedItem__Output as _sluice_feedback_v1_UnmatchedItem__Output } from '../../../sluice/feedback/v1/UnmatchedItem.ts';

export interface ListUnmatchedLabelsResponse {
  'items'?: (_sluice_feedback_v1_UnmatchedItem)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken'?: (string);
}

export interface ListUnmatchedLabelsResponse__Output {
  'items': (_sluice_feedback_v1_UnmatchedItem__Output)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken': (string);
}
