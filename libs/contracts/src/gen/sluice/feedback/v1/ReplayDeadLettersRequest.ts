// Original file: protos/sluice/feedback/v1/feedback.proto

import type { Long } from '@grpc/proto-loader';

export interface ReplayDeadLettersRequest {
  /**
   * At most 1,000. Without any: all, `page_size` at a time.
   */
  'ids'?: (number | string | Long)[];
  /**
   * How many to try when no ids are given: at most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  /**
   * `next_page_token` of the call before.
   */
  'pageToken'?: (string);
}

export interface ReplayDeadLettersRequest__Output {
  /**
   * At most 1,000. Without any: all, `page_size` at a time.
   */
  'ids': (string)[];
  /**
   * How many to try when no ids are given: at most 1,000; 0 means 100.
   */
  'pageSize': (number);
  /**
   * `next_page_token` of the call before.
   */
  'pageToken': (string);
}
