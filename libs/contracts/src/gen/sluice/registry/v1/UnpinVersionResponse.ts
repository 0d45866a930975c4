// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface UnpinVersionResponse {
  /**
   * The version's revision now.
   */
  'revision'?: (number | string | Long);
}

export interface UnpinVersionResponse__Output {
  /**
   * The version's revision now.
   */
  'revision': (string);
}
