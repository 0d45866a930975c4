// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface PinVersionResponse {
  /**
   * The version's revision now.
   */
  'revision'?: (number | string | Long);
}

export interface PinVersionResponse__Output {
  /**
   * The version's revision now.
   */
  'revision': (string);
}
