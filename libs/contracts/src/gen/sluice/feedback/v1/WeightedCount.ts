// Original file: protos/sluice/feedback/v1/predictions.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Of records each of which stands for one over its keep-probability: the weight.
 */
export interface WeightedCount {
  /**
   * Records that are stored.
   */
  'stored'?: (number | string | Long);
  /**
   * Estimate of how many there were: the sum of their weights.
   */
  'estimate'?: (number | string);
  /**
   * Estimated standard error of it; 0 where all were kept. Attempts of one prediction are kept together: with retries it is a little larger.
   */
  'standardError'?: (number | string);
}

/**
 * Of records each of which stands for one over its keep-probability: the weight.
 */
export interface WeightedCount__Output {
  /**
   * Records that are stored.
   */
  'stored': (string);
  /**
   * Estimate of how many there were: the sum of their weights.
   */
  'estimate': (number);
  /**
   * Estimated standard error of it; 0 where all were kept. Attempts of one prediction are kept together: with retries it is a little larger.
   */
  'standardError': (number);
}
