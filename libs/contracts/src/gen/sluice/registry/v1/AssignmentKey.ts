// Original file: protos/sluice/registry/v1/watch.proto

import type { Long } from '@grpc/proto-loader';

export interface AssignmentKey {
  'model'?: (string);
  'version'?: (number | string | Long);
}

export interface AssignmentKey__Output {
  'model': (string);
  'version': (string);
}
