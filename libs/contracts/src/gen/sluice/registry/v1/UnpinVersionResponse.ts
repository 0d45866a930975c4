// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface UnpinVersionResponse {
  'revision'?: (number | string | Long);
}

export interface UnpinVersionResponse__Output {
  'revision': (string);
}
