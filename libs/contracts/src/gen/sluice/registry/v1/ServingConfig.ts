// Original file: protos/sluice/registry/v1/types.proto

import type { Long } from '@grpc/proto-loader';

/**
 * How a version is run. Names and defaults are those of Triton's ModelConfig.
 */
export interface ServingConfig {
  /**
   * Rows per batch; 0 turns batching off.
   */
  'maxBatchSize'?: (number);
  'preferredBatchSize'?: (number)[];
  'maxQueueDelayMicroseconds'?: (number | string | Long);
  /**
   * Requests that may wait; 0 means unlimited.
   */
  'maxQueueSize'?: (number);
  /**
   * Longest time in the queue; 0 means the request's own deadline only.
   */
  'defaultTimeoutMicroseconds'?: (number | string | Long);
  /**
   * Sessions of this version in one runtime; 0 lets the runtime choose.
   */
  'instanceCount'?: (number);
  /**
   * Intra-op threads per session; 0 lets the runtime choose.
   */
  'intraOpThreads'?: (number);
  /**
   * `cpu`, `cuda` or `webgpu`.
   */
  'device'?: (string);
  /**
   * Batches of generated rows that are run before the version counts as loaded.
   */
  'warmupCount'?: (number);
  /**
   * Why rows are not batched although the graph would allow it; empty otherwise.
   */
  'batchingOffReason'?: (string);
}

/**
 * How a version is run. Names and defaults are those of Triton's ModelConfig.
 */
export interface ServingConfig__Output {
  /**
   * Rows per batch; 0 turns batching off.
   */
  'maxBatchSize': (number);
  'preferredBatchSize': (number)[];
  'maxQueueDelayMicroseconds': (string);
  /**
   * Requests that may wait; 0 means unlimited.
   */
  'maxQueueSize': (number);
  /**
   * Longest time in the queue; 0 means the request's own deadline only.
   */
  'defaultTimeoutMicroseconds': (string);
  /**
   * Sessions of this version in one runtime; 0 lets the runtime choose.
   */
  'instanceCount': (number);
  /**
   * Intra-op threads per session; 0 lets the runtime choose.
   */
  'intraOpThreads': (number);
  /**
   * `cpu`, `cuda` or `webgpu`.
   */
  'device': (string);
  /**
   * Batches of generated rows that are run before the version counts as loaded.
   */
  'warmupCount': (number);
  /**
   * Why rows are not batched although the graph would allow it; empty otherwise.
   */
  'batchingOffReason': (string);
}
