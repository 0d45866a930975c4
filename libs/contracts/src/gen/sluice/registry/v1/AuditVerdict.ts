// Original file: protos/sluice/registry/v1/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface AuditVerdict {
  'ok'?: (boolean);
  'treeSize'?: (number | string | Long);
  'rootHash'?: (Buffer | Uint8Array | string);
  'checkpointsChecked'?: (number | string | Long);
  /**
   * What is wrong, one line each, naming the entry.
   */
  'problems'?: (string)[];
}

export interface AuditVerdict__Output {
  'ok': (boolean);
  'treeSize': (string);
  'rootHash': (Buffer);
  'checkpointsChecked': (string);
  /**
   * What is wrong, one line each, naming the entry.
   */
  'problems': (string)[];
}
