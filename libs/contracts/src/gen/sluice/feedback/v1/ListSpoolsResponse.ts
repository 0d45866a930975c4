// Original file: protos/sluice/feedback/v1/privacy.proto

import type { Spool as _sluice_feedback_v1_Spool, Spool__Output as _sluice_feedback_v1_Spool__Output } from '../../../sluice/feedback/v1/Spool.ts';

export interface ListSpoolsResponse {
  'spools'?: (_sluice_feedback_v1_Spool)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken'?: (string);
}

export interface ListSpoolsResponse__Output {
  'spools': (_sluice_feedback_v1_Spool__Output)[];
  /**
   * Empty when there are no more.
   */
  'nextPageToken': (string);
}
