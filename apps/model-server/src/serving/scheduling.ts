import type { SchedulerOptions } from '@sluice/batching/options';
import type { QueuePolicy as SchedulerPolicy } from '@sluice/batching/queue-policy';
import type { QueuePolicy, ServingConfig, Signature } from '@sluice/domain/signature';
import type { Parameters } from '@sluice/inference/parameters';

function policyOf(policy: QueuePolicy): Required<SchedulerPolicy> {
  return {
    timeoutAction: policy.timeoutAction === 'delay' ? 'DELAY' : 'REJECT',
    defaultTimeoutMicroseconds: policy.defaultTimeoutMicroseconds,
    allowTimeoutOverride: policy.allowTimeoutOverride,
    maxQueueSize: policy.maxQueueSize,
  };
}

/** How the scheduler runs a version, beside its name and its instances. */
export function schedulingOf(
  signature: Pick<Signature, 'batched'>,
  serving: ServingConfig,
): Omit<SchedulerOptions, 'name' | 'instances' | 'ahead'> {
  const batched = signature.batched && serving.maxBatchSize > 0;
  return {
    ...policyOf(serving),
    maxBatchSize: batched ? serving.maxBatchSize : 0,
    preferredBatchSize: batched ? serving.preferredBatchSize : [],
    allowedBatchSizes: batched ? serving.allowedBatchSizes : [],
    maxQueueDelayMicroseconds: serving.maxQueueDelayMicroseconds,
    preserveOrdering: serving.preserveOrdering,
    priorityLevels: serving.priorityLevels,
    defaultPriorityLevel: serving.defaultPriorityLevel,
    priorityQueuePolicy: Object.fromEntries(
      serving.priorityQueuePolicies.map(({ level, ...policy }) => [String(level), policyOf(policy)]),
    ),
  };
}

/** What a request asks of the scheduler. */
export interface Wishes {
  /** 0 for the default level. */
  readonly priority: number;
  /** 0 for none. */
  readonly timeoutMicroseconds: number;
}

const none: Wishes = { priority: 0, timeoutMicroseconds: 0 };

/**
 * Reads the parameters `priority` and `timeout` (in microseconds, of the queue alone). Their types were checked when the
 * request was parsed. Without levels a priority means nothing, as with Triton; one beyond the levels is the scheduler's to
 * refuse.
 */
export function wishesOf(parameters: Parameters, priorityLevels: number): Wishes {
  if (parameters.size === 0) return none;
  const priority = priorityLevels === 0 ? 0 : numberOf(parameters, 'priority');
  return { priority, timeoutMicroseconds: numberOf(parameters, 'timeout') };
}

function numberOf(parameters: Parameters, name: 'priority' | 'timeout'): number {
  const found = parameters.get(name);
  if (found?.kind !== 'int64' && found?.kind !== 'uint64') return 0;
  // Beyond 2^53 microseconds is beyond every deadline.
  return Math.min(Number(found.value), Number.MAX_SAFE_INTEGER);
}

/** How many rows a batch of `rows` runs with where only some sizes are allowed. */
export function paddedRows(allowedBatchSizes: readonly number[], rows: number): number {
  if (rows === 0) return rows;
  return allowedBatchSizes.find((size) => size >= rows) ?? rows;
}
