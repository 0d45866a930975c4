// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface DeleteAliasRequest {
  'model'?: (string);
  'alias'?: (string);
  'expectedRevision'?: (number | string | Long);
  '_expectedRevision'?: "expectedRevision";
}

export interface DeleteAliasRequest__Output {
  'model': (string);
  'alias': (string);
  'expectedRevision'?: (string);
  '_expectedRevision'?: "expectedRevision";
}
