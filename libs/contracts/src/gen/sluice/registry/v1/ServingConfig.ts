// Original file: protos/sluice/registry/v1/types.proto

import type { TimeoutAction as _sluice_registry_v1_TimeoutAction, TimeoutAction__Output as _sluice_registry_v1_TimeoutAction__Output } from '../../../sluice/registry/v1/TimeoutAction.ts';
import type { PriorityQueuePolicy as _sluice_registry_v1_PriorityQueuePolicy, PriorityQueuePolicy__Output as _sluice_registry_v1_PriorityQueuePolicy__Output } from '../../../sluice/registry/v1/PriorityQueuePolicy.ts';
import type { InstanceGroup as _sluice_registry_v1_InstanceGroup, InstanceGroup__Output as _sluice_registry_v1_InstanceGroup__Output } from '../../../sluice/registry/v1/InstanceGroup.ts';
import type { WarmupRequest as _sluice_registry_v1_WarmupRequest, WarmupRequest__Output as _sluice_registry_v1_WarmupRequest__Output } from '../../../sluice/registry/v1/WarmupRequest.ts';
import type { SequenceBatching as _sluice_registry_v1_SequenceBatching, SequenceBatching__Output as _sluice_registry_v1_SequenceBatching__Output } from '../../../sluice/registry/v1/SequenceBatching.ts';
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
   * `cpu`, `cuda`, `cuda:1` or `webgpu`.
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
  /**
   * Batches have one of these sizes, filled up where rows are missing: ascending, the last is the maximum. Empty: any
   * size.
   */
  'allowedBatchSizes'?: (number)[];
  /**
   * Answers leave in the order in which the requests came.
   */
  'preserveOrdering'?: (boolean);
  /**
   * Levels of priority, 1 the highest; 0 means that there are none.
   */
  'priorityLevels'?: (number);
  /**
   * Level of a request that names none; 0 when there are no levels.
   */
  'defaultPriorityLevel'?: (number);
  /**
   * What becomes of a request whose time in the queue is over; not given is REJECT.
   */
  'timeoutAction'?: (_sluice_registry_v1_TimeoutAction);
  /**
   * Whether a request may ask for a shorter time in the queue.
   */
  'allowTimeoutOverride'?: (boolean);
  /**
   * Of levels whose queue has other bounds than those here, ascending.
   */
  'priorityQueuePolicies'?: (_sluice_registry_v1_PriorityQueuePolicy)[];
  /**
   * Sessions by device; empty means one group of `instance_count` and `device`. Where there are some, `instance_count`
   * is their sum and `device` one of theirs, for readers that know of no groups.
   */
  'instanceGroups'?: (_sluice_registry_v1_InstanceGroup)[];
  /**
   * Requests that are run before the version counts as loaded, after the generated batches. Routers get none.
   */
  'warmupRequests'?: (_sluice_registry_v1_WarmupRequest)[];
  /**
   * How its sequences are kept apart; absent for a model whose requests each stand for themselves. Routers get it without
   * the data of states.
   */
  'sequenceBatching'?: (_sluice_registry_v1_SequenceBatching | null);
  /**
   * On a device beside the CPU: operators that it does not have may run on the CPU. Else the version fails to load there.
   */
  'cpuOperators'?: (boolean);
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
   * `cpu`, `cuda`, `cuda:1` or `webgpu`.
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
  /**
   * Batches have one of these sizes, filled up where rows are missing: ascending, the last is the maximum. Empty: any
   * size.
   */
  'allowedBatchSizes': (number)[];
  /**
   * Answers leave in the order in which the requests came.
   */
  'preserveOrdering': (boolean);
  /**
   * Levels of priority, 1 the highest; 0 means that there are none.
   */
  'priorityLevels': (number);
  /**
   * Level of a request that names none; 0 when there are no levels.
   */
  'defaultPriorityLevel': (number);
  /**
   * What becomes of a request whose time in the queue is over; not given is REJECT.
   */
  'timeoutAction': (_sluice_registry_v1_TimeoutAction__Output);
  /**
   * Whether a request may ask for a shorter time in the queue.
   */
  'allowTimeoutOverride': (boolean);
  /**
   * Of levels whose queue has other bounds than those here, ascending.
   */
  'priorityQueuePolicies': (_sluice_registry_v1_PriorityQueuePolicy__Output)[];
  /**
   * Sessions by device; empty means one group of `instance_count` and `device`. Where there are some, `instance_count`
   * is their sum and `device` one of theirs, for readers that know of no groups.
   */
  'instanceGroups': (_sluice_registry_v1_InstanceGroup__Output)[];
  /**
   * Requests that are run before the version counts as loaded, after the generated batches. Routers get none.
   */
  'warmupRequests': (_sluice_registry_v1_WarmupRequest__Output)[];
  /**
   * How its sequences are kept apart; absent for a model whose requests each stand for themselves. Routers get it without
   * the data of states.
   */
  'sequenceBatching': (_sluice_registry_v1_SequenceBatching__Output | null);
  /**
   * On a device beside the CPU: operators that it does not have may run on the CPU. Else the version fails to load there.
   */
  'cpuOperators': (boolean);
}
