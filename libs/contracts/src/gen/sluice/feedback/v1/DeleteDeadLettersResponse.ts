// Original file: protos/sluice/feedback/v1/feedback.proto

import type { Long } from '@grpc/proto-loader';

export interface DeleteDeadLettersResponse {
  'deleted'?: (number | string | Long);
  /**
   * Ids of the request that are no dead letters.
   */
  'missingIds'?: (number | string | Long)[];
}

export interface DeleteDeadLettersResponse__Output {
  'deleted': (string);
  /**
   * Ids of the request that are no dead letters.
   */
  'missingIds': (string)[];
}
