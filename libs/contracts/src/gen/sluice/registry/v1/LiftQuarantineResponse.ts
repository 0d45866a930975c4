// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface LiftQuarantineResponse {
  /**
   * The version's revision now.
   */
  'revision'?: (number | string | Long);
}

export interface LiftQuarantineResponse__Output {
  /**
   * The version's revision now.
   */
  'revision': (string);
}
