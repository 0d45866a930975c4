// Original file: protos/sluice/registry/v1/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface AppendEntriesResponse {
  /**
   * The sequence that is expected next.
   */
  'nextSequence'?: (number | string | Long);
  /**
   * Leaf index of the last entry of the request; unset when it has none.
   */
  'leafIndex'?: (number | string | Long);
  /**
   * Leaf indexes of all entries of the request, in their order.
   */
  'leafIndexes'?: (number | string | Long)[];
  '_leafIndex'?: "leafIndex";
}

export interface AppendEntriesResponse__Output {
  /**
   * The sequence that is expected next.
   */
  'nextSequence': (string);
  /**
   * Leaf index of the last entry of the request; unset when it has none.
   */
  'leafIndex'?: (string);
  /**
   * Leaf indexes of all entries of the request, in their order.
   */
  'leafIndexes': (string)[];
  '_leafIndex'?: "leafIndex";
}
