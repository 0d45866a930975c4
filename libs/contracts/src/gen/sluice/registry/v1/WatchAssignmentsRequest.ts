// Original file: protos/sluice/registry/v1/watch.proto

import type { Long } from '@grpc/proto-loader';

export interface WatchAssignmentsRequest {
  'runtimeId'?: (string);
  'pool'?: (string);
  'resumeToken'?: (number | string | Long);
  'protocolVersion'?: (number);
  /**
   * Names of the devices that the runtime offers, there or not. Empty: it knows of none and has the CPU.
   */
  'devices'?: (string)[];
}

export interface WatchAssignmentsRequest__Output {
  'runtimeId': (string);
  'pool': (string);
  'resumeToken': (string);
  'protocolVersion': (number);
  /**
   * Names of the devices that the runtime offers, there or not. Empty: it knows of none and has the CPU.
   */
  'devices': (string)[];
}
