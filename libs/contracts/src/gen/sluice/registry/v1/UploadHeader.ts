// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface UploadHeader {
  'sha256'?: (string);
  'size'?: (number | string | Long);
}

export interface UploadHeader__Output {
  'sha256': (string);
  'size': (string);
}
