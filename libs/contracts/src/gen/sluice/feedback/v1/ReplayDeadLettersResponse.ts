// Original file: protos/sluice/feedback/v1/feedback.proto

import type { Long } from '@grpc/proto-loader';

export interface ReplayDeadLettersResponse {
  /**
   * Dead letters that are none any more.
   */
  'replayed'?: (number);
  /**
   * Those that failed again.
   */
  'failed'?: (number);
  /**
   * Ids of the request that are no dead letters.
   */
  'missingIds'?: (number | string | Long)[];
  /**
   * Without ids: where to go on; empty at the end.
   */
  'nextPageToken'?: (string);
}

export interface ReplayDeadLettersResponse__Output {
  /**
   * Dead letters that are none any more.
   */
  'replayed': (number);
  /**
   * Those that failed again.
   */
  'failed': (number);
  /**
   * Ids of the request that are no dead letters.
   */
  'missingIds': (string)[];
  /**
   * Without ids: where to go on; empty at the end.
   */
  'nextPageToken': (string);
}
