// Original file: protos/sluice/registry/v1/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface ListAuditEntriesRequest {
  /**
   * Leaf index to begin at; without it the first entry, or the last when descending.
   */
  'fromIndex'?: (number | string | Long);
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize'?: (number);
  /**
   * Only entries of this object and of those below it; empty for all.
   */
  'objectPrefix'?: (string);
  /**
   * Newest first.
   */
  'descending'?: (boolean);
  '_fromIndex'?: "fromIndex";
}

export interface ListAuditEntriesRequest__Output {
  /**
   * Leaf index to begin at; without it the first entry, or the last when descending.
   */
  'fromIndex'?: (string);
  /**
   * At most 1,000; 0 means 100.
   */
  'pageSize': (number);
  /**
   * Only entries of this object and of those below it; empty for all.
   */
  'objectPrefix': (string);
  /**
   * Newest first.
   */
  'descending': (boolean);
  '_fromIndex'?: "fromIndex";
}
