// Original file: protos/inference/model_config.proto

import type { ModelQueuePolicy as _inference_ModelQueuePolicy, ModelQueuePolicy__Output as _inference_ModelQueuePolicy__Output } from '../inference/ModelQueuePolicy.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Joins requests of one model into batches.
 */
export interface ModelDynamicBatching {
  'preferredBatchSize'?: (number)[];
  /**
   * How long the oldest request waits for company; 0 never waits.
   */
  'maxQueueDelayMicroseconds'?: (number | string | Long);
  'preserveOrdering'?: (boolean);
  /**
   * 0 means no levels; 1 is the highest.
   */
  'priorityLevels'?: (number | string | Long);
  'defaultPriorityLevel'?: (number | string | Long);
  'defaultQueuePolicy'?: (_inference_ModelQueuePolicy | null);
  'priorityQueuePolicy'?: ({[key: number]: _inference_ModelQueuePolicy});
}

/**
 * Joins requests of one model into batches.
 */
export interface ModelDynamicBatching__Output {
  'preferredBatchSize': (number)[];
  /**
   * How long the oldest request waits for company; 0 never waits.
   */
  'maxQueueDelayMicroseconds': (string);
  'preserveOrdering': (boolean);
  /**
   * 0 means no levels; 1 is the highest.
   */
  'priorityLevels': (string);
  'defaultPriorityLevel': (string);
  'defaultQueuePolicy': (_inference_ModelQueuePolicy__Output | null);
  'priorityQueuePolicy': ({[key: number]: _inference_ModelQueuePolicy__Output});
}
