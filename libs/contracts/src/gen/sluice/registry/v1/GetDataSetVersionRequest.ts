// Original file: protos/sluice/registry/v1/datasets.proto

import type { Long } from '@grpc/proto-loader';

export interface GetDataSetVersionRequest {
  'dataSet'?: (string);
  /**
   * 0 is the newest.
   */
  'version'?: (number | string | Long);
}

export interface GetDataSetVersionRequest__Output {
  'dataSet': (string);
  /**
   * 0 is the newest.
   */
  'version': (string);
}
