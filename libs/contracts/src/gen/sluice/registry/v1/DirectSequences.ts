// Original file: protos/sluice/registry/v1/types.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Each sequence has a slot of an instance, a row of its batches, from its start to its end.
 */
export interface DirectSequences {
  /**
   * How long a request waits for those of other sequences, unless enough of them are there.
   */
  'maxQueueDelayMicroseconds'?: (number | string | Long);
  /**
   * The share of an instance's slots that must have a request for a batch to leave at once, 0 to 1; 0: any request does.
   */
  'minimumSlotUtilization'?: (number | string);
}

/**
 * Each sequence has a slot of an instance, a row of its batches, from its start to its end.
 */
export interface DirectSequences__Output {
  /**
   * How long a request waits for those of other sequences, unless enough of them are there.
   */
  'maxQueueDelayMicroseconds': (string);
  /**
   * The share of an instance's slots that must have a request for a batch to leave at once, 0 to 1; 0: any request does.
   */
  'minimumSlotUtilization': (number);
}
