// Original file: protos/sluice/registry/v1/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface GetInclusionProofRequest {
  'leafIndex'?: (number | string | Long);
  /**
   * 0 means the current size.
   */
  'treeSize'?: (number | string | Long);
}

export interface GetInclusionProofRequest__Output {
  'leafIndex': (string);
  /**
   * 0 means the current size.
   */
  'treeSize': (string);
}
