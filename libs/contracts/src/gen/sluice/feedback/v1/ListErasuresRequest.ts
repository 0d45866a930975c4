// Original file: protos/sluice/feedback/v1/privacy.proto

import type { ErasureState as _sluice_feedback_v1_ErasureState, ErasureState__Output as _sluice_feedback_v1_ErasureState__Output } from '../../../sluice/feedback/v1/ErasureState.ts';

export interface ListErasuresRequest {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  /**
   * `next_page_token` of the page before.
   */
  'pageToken'?: (string);
  /**
   * Only those in this state; unspecified for all.
   */
  'state'?: (_sluice_feedback_v1_ErasureState);
}

export interface ListErasuresRequest__Output {
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize': (number);
  /**
   * `next_page_token` of the page before.
   */
  'pageToken': (string);
  /**
   * Only those in this state; unspecified for all.
   */
  'state': (_sluice_feedback_v1_ErasureState__Output);
}
