// Original file: protos/sluice/runtime/v1/runtime.proto

import type { Long } from '@grpc/proto-loader';

export interface LoadVersionRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
}

export interface LoadVersionRequest__Output {
  'model': (string);
  'version': (string);
}
