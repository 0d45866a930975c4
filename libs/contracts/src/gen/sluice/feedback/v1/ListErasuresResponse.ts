// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Erasure as _sluice_feedback_v1_Erasure, Erasure__Output as _sluice_feedback_v1_Erasure__Output } from '../../../sluice/feedback/v1/Erasure.ts';

export interface ListErasuresResponse {
  /**
   * Without what they wait for and the exports: GetErasure has these.
   */
  'erasures'?: (_sluice_feedback_v1_Erasure)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken'?: (string);
}

export interface ListErasuresResponse__Output {
  /**
   * Without what they wait for and the exports: GetErasure has these.
   */
  'erasures': (_sluice_feedback_v1_Erasure__Output)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken': (string);
}
