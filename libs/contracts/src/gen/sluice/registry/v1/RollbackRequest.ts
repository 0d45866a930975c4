// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface RollbackRequest {
  'model'?: (string);
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface RollbackRequest__Output {
  'model': (string);
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
