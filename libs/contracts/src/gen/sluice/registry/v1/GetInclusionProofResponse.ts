// Original file: protos/sluice/registry/v1/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface GetInclusionProofResponse {
  'leafIndex'?: (number | string | Long);
  'treeSize'?: (number | string | Long);
  'leafHash'?: (Buffer | Uint8Array | string);
  'path'?: (Buffer | Uint8Array | string)[];
  'rootHash'?: (Buffer | Uint8Array | string);
}

export interface GetInclusionProofResponse__Output {
  'leafIndex': (string);
  'treeSize': (string);
  'leafHash': (Buffer);
  'path': (Buffer)[];
  'rootHash': (Buffer);
}
