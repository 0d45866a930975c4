// Original file: protos/inference/grpc_service.proto

import type { InferStatistics as _inference_InferStatistics, InferStatistics__Output as _inference_InferStatistics__Output } from '../inference/InferStatistics.ts';
import type { InferBatchStatistics as _inference_InferBatchStatistics, InferBatchStatistics__Output as _inference_InferBatchStatistics__Output } from '../inference/InferBatchStatistics.ts';
import type { MemoryUsage as _inference_MemoryUsage, MemoryUsage__Output as _inference_MemoryUsage__Output } from '../inference/MemoryUsage.ts';
import type { InferResponseStatistics as _inference_InferResponseStatistics, InferResponseStatistics__Output as _inference_InferResponseStatistics__Output } from '../inference/InferResponseStatistics.ts';
import type { Long } from '@grpc/proto-loader';

export interface ModelStatistics {
  'name'?: (string);
  'version'?: (string);
  /**
   * Milliseconds since the Unix epoch.
   */
  'lastInference'?: (number | string | Long);
  /**
   * Rows, not requests.
   */
  'inferenceCount'?: (number | string | Long);
  /**
   * Batches that ran.
   */
  'executionCount'?: (number | string | Long);
  'inferenceStats'?: (_inference_InferStatistics | null);
  'batchStats'?: (_inference_InferBatchStatistics)[];
  'memoryUsage'?: (_inference_MemoryUsage)[];
  'responseStats'?: ({[key: string]: _inference_InferResponseStatistics});
}

export interface ModelStatistics__Output {
  'name': (string);
  'version': (string);
  /**
   * Milliseconds since the Unix epoch.
   */
  'lastInference': (string);
  /**
   * Rows, not requests.
   */
  'inferenceCount': (string);
  /**
   * Batches that ran.
   */
  'executionCount': (string);
  'inferenceStats': (_inference_InferStatistics__Output | null);
  'batchStats': (_inference_InferBatchStatistics__Output)[];
  'memoryUsage': (_inference_MemoryUsage__Output)[];
  'responseStats': ({[key: string]: _inference_InferResponseStatistics__Output});
}
