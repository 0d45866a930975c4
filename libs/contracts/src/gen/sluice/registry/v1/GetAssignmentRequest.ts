// Original file: protos/sluice/registry/v1/watch.proto

import type { Long } from '@grpc/proto-loader';

export interface GetAssignmentRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
  'runtimeId'?: (string);
  'pool'?: (string);
}

export interface GetAssignmentRequest__Output {
  'model': (string);
  'version': (string);
  'runtimeId': (string);
  'pool': (string);
}
