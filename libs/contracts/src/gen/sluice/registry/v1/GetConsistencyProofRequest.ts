// Original file: protos/sluice/registry/v1/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface GetConsistencyProofRequest {
  'oldSize'?: (number | string | Long);
  /**
   * 0 means the current size.
   */
  'newSize'?: (number | string | Long);
}

export interface GetConsistencyProofRequest__Output {
  'oldSize': (string);
  /**
   * 0 means the current size.
   */
  'newSize': (string);
}
