// Original file: protos/inference/model_config.proto

import type { Long } from '@grpc/proto-loader';

// Original file: protos/inference/model_config.proto

/**
 * What happens to a request that has waited too long.
 */
export const _inference_ModelQueuePolicy_TimeoutAction = {
  REJECT: 'REJECT',
  DELAY: 'DELAY',
} as const;

/**
 * What happens to a request that has waited too long.
 */
export type _inference_ModelQueuePolicy_TimeoutAction =
  | 'REJECT'
  | 0
  | 'DELAY'
  | 1

/**
 * What happens to a request that has waited too long.
 */
export type _inference_ModelQueuePolicy_TimeoutAction__Output = typeof _inference_ModelQueuePolicy_TimeoutAction[keyof typeof _inference_ModelQueuePolicy_TimeoutAction]

/**
 * Bounds of one queue.
 */
export interface ModelQueuePolicy {
  'timeoutAction'?: (_inference_ModelQueuePolicy_TimeoutAction);
  /**
   * 0 means none.
   */
  'defaultTimeoutMicroseconds'?: (number | string | Long);
  'allowTimeoutOverride'?: (boolean);
  /**
   * 0 means unlimited.
   */
  'maxQueueSize'?: (number);
}

/**
 * Bounds of one queue.
 */
export interface ModelQueuePolicy__Output {
  'timeoutAction': (_inference_ModelQueuePolicy_TimeoutAction__Output);
  /**
   * 0 means none.
   */
  'defaultTimeoutMicroseconds': (string);
  'allowTimeoutOverride': (boolean);
  /**
   * 0 means unlimited.
   */
  'maxQueueSize': (number);
}
