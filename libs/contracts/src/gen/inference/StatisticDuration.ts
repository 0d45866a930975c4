// Original file: protos/inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * How often something happened and how long it took in all.
 */
export interface StatisticDuration {
  'count'?: (number | string | Long);
  /**
   * Nanoseconds.
   */
  'ns'?: (number | string | Long);
}

/**
 * How often something happened and how long it took in all.
 */
export interface StatisticDuration__Output {
  'count': (string);
  /**
   * Nanoseconds.
   */
  'ns': (string);
}
