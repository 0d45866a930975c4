// Original file: protos/sluice/registry/v1/types.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A version of a data set.
 */
export interface DataSetRef {
  'dataSet'?: (string);
  'version'?: (number | string | Long);
}

/**
 * A version of a data set.
 */
export interface DataSetRef__Output {
  'dataSet': (string);
  'version': (string);
}
