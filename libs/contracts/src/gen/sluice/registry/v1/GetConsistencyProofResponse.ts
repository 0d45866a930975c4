// Original file: protos/sluice/registry/v1/audit.proto

import type { Long } from '@grpc/proto-loader';

export interface GetConsistencyProofResponse {
  'oldSize'?: (number | string | Long);
  'newSize'?: (number | string | Long);
  'oldRoot'?: (Buffer | Uint8Array | string);
  'newRoot'?: (Buffer | Uint8Array | string);
  'path'?: (Buffer | Uint8Array | string)[];
}

export interface GetConsistencyProofResponse__Output {
  'oldSize': (string);
  'newSize': (string);
  'oldRoot': (Buffer);
  'newRoot': (Buffer);
  'path': (Buffer)[];
}
