// Original file: protos/inference/grpc_service.proto

import type { StatisticDuration as _inference_StatisticDuration, StatisticDuration__Output as _inference_StatisticDuration__Output } from '../inference/StatisticDuration.ts';

/**
 * Where the time of requests went.
 */
export interface InferStatistics {
  /**
   * Requests that were answered with tensors, from arrival to answer.
   */
  'success'?: (_inference_StatisticDuration | null);
  /**
   * Requests that were answered with an error.
   */
  'fail'?: (_inference_StatisticDuration | null);
  /**
   * Waiting for an instance.
   */
  'queue'?: (_inference_StatisticDuration | null);
  /**
   * Gathering the batch.
   */
  'computeInput'?: (_inference_StatisticDuration | null);
  /**
   * Running the model.
   */
  'computeInfer'?: (_inference_StatisticDuration | null);
  /**
   * Splitting the outputs.
   */
  'computeOutput'?: (_inference_StatisticDuration | null);
  'cacheHit'?: (_inference_StatisticDuration | null);
  'cacheMiss'?: (_inference_StatisticDuration | null);
}

/**
 * Where the time of requests went.
 */
export interface InferStatistics__Output {
  /**
   * Requests that were answered with tensors, from arrival to answer.
   */
  'success': (_inference_StatisticDuration__Output | null);
  /**
   * Requests that were answered with an error.
   */
  'fail': (_inference_StatisticDuration__Output | null);
  /**
   * Waiting for an instance.
   */
  'queue': (_inference_StatisticDuration__Output | null);
  /**
   * Gathering the batch.
   */
  'computeInput': (_inference_StatisticDuration__Output | null);
  /**
   * Running the model.
   */
  'computeInfer': (_inference_StatisticDuration__Output | null);
  /**
   * Splitting the outputs.
   */
  'computeOutput': (_inference_StatisticDuration__Output | null);
  'cacheHit': (_inference_StatisticDuration__Output | null);
  'cacheMiss': (_inference_StatisticDuration__Output | null);
}
