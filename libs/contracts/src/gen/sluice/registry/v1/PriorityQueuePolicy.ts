// Original file: protos/sluice/registry/v1/types.proto

import type { TimeoutAction as _sluice_registry_v1_TimeoutAction, TimeoutAction__Output as _sluice_registry_v1_TimeoutAction__Output } from '../../../sluice/registry/v1/TimeoutAction.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * The bounds of the queue of one priority level; fields as those of ServingConfig.
 */
export interface PriorityQueuePolicy {
  'level'?: (number);
  'timeoutAction'?: (_sluice_registry_v1_TimeoutAction);
  'defaultTimeoutMicroseconds'?: (number | string | Long);
  'allowTimeoutOverride'?: (boolean);
  'maxQueueSize'?: (number);
}

/**
 * The bounds of the queue of one priority level; fields as those of ServingConfig.
 */
export interface PriorityQueuePolicy__Output {
  'level': (number);
  'timeoutAction': (_sluice_registry_v1_TimeoutAction__Output);
  'defaultTimeoutMicroseconds': (string);
  'allowTimeoutOverride': (boolean);
  'maxQueueSize': (number);
}
