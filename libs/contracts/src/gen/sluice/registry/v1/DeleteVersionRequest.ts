// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface DeleteVersionRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface DeleteVersionRequest__Output {
  'model': (string);
  'version': (string);
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
