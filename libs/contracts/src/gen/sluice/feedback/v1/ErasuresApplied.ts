// Original file: protos/sluice/feedback/v1/ingest.proto

import type { Long } from '@grpc/proto-loader';

/**
 * What a router says when orders to erase were followed, again in each stream.
 */
export interface ErasuresApplied {
  /**
   * All that lay in the spool when the router learnt of the order with this number is acknowledged, and can be read by nobody
   * there any more.
   */
  'number'?: (number | string | Long);
}

/**
 * What a router says when orders to erase were followed, again in each stream.
 */
export interface ErasuresApplied__Output {
  /**
   * All that lay in the spool when the router learnt of the order with this number is acknowledged, and can be read by nobody
   * there any more.
   */
  'number': (string);
}
