// Original file: protos/sluice/registry/v1/watch.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchAssignmentsRequest {
  'runtimeId'?: (string);
  'pool'?: (string);
  'resumeToken'?: (number | string | Long);
  'protocolVersion'?: (number);
}

export interface WatchAssignmentsRequest__Output {
  'runtimeId': (string);
  'pool': (string);
  'resumeToken': (string);
  'protocolVersion': (number);
}
