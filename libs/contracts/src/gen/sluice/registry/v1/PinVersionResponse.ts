// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface PinVersionResponse {
  'revision'?: (number | string | Long);
}

export interface PinVersionResponse__Output {
  'revision': (string);
}
