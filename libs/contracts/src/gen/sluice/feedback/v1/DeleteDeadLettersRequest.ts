// Original file: protos/sluice/feedback/v1/feedback.proto

import type { Long } from '@grpc/proto-loader';

export interface DeleteDeadLettersRequest {
  /**
   * At most 1,000. Either these or `reason`.
   */
  'ids'?: (number | string | Long)[];
  /**
   * All with this reason that had failed when the call came: `unreadable`, `unknown-layout`, `invalid` or `refused`.
   */
  'reason'?: (string);
}

export interface DeleteDeadLettersRequest__Output {
  /**
   * At most 1,000. Either these or `reason`.
   */
  'ids': (string)[];
  /**
   * All with this reason that had failed when the call came: `unreadable`, `unknown-layout`, `invalid` or `refused`.
   */
  'reason': (string);
}
