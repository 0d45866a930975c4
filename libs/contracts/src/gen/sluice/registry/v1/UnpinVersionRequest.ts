// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface UnpinVersionRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
}

export interface UnpinVersionRequest__Output {
  'model': (string);
  'version': (string);
}
