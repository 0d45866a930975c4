// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface DeleteAliasResponse {
  'revision'?: (number | string | Long);
}

export interface DeleteAliasResponse__Output {
  'revision': (string);
}
