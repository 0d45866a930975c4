// Original file: protos/sluice/feedback/v1/feedback.proto

import type { DeadLetter as _sluice_feedback_v1_DeadLetter, DeadLetter__Output as _sluice_feedback_v1_DeadLetter__Output } from '../../../sluice/feedback/v1/DeadLetter.ts';

export interface ListDeadLettersResponse {
  'deadLetters'?: (_sluice_feedback_v1_DeadLetter)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken'?: (string);
}

export interface ListDeadLettersResponse__Output {
  'deadLetters': (_sluice_feedback_v1_DeadLetter__Output)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken': (string);
}
