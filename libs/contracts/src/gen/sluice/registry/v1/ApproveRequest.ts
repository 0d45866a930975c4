// Original file: protos/sluice/registry/v1/registry.proto

import type { Long } from '@grpc/proto-loader';

export interface ApproveRequest {
  'model'?: (string);
  'version'?: (number | string | Long);
  /**
   * Empty means `champion`.
   */
  'alias'?: (string);
}

export interface ApproveRequest__Output {
  'model': (string);
  'version': (string);
  /**
   * Empty means `champion`.
   */
  'alias': (string);
}
