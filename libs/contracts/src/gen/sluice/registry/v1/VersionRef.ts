// Original file: protos/sluice/registry/v1/types.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A version of a model.
 */
export interface VersionRef {
  'model'?: (string);
  'version'?: (number | string | Long);
}

/**
 * A version of a model.
 */
export interface VersionRef__Output {
  'model': (string);
  'version': (string);
}
