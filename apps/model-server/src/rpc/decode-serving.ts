import type { PriorityQueuePolicy__Output } from '@sluice/contracts/gen/sluice/registry/v1/PriorityQueuePolicy';
import type { ServingConfig__Output } from '@sluice/contracts/gen/sluice/registry/v1/ServingConfig';
import type { TimeoutAction__Output } from '@sluice/contracts/gen/sluice/registry/v1/TimeoutAction';
import type { WarmupInput__Output } from '@sluice/contracts/gen/sluice/registry/v1/WarmupInput';
import { SluiceError } from '@sluice/domain/errors';
import {
  type PriorityQueuePolicy,
  type ServingConfig,
  servingDefaults,
  type TimeoutAction,
  type WarmupInput,
} from '@sluice/domain/signature';
import { decodeSequences } from './decode-sequences.ts';

const timeoutActions = {
  // A registry that knows of no actions sends none.
  TIMEOUT_ACTION_UNSPECIFIED: 'reject',
  TIMEOUT_ACTION_REJECT: 'reject',
  TIMEOUT_ACTION_DELAY: 'delay',
} as const satisfies Record<TimeoutAction__Output, TimeoutAction>;

/** A word that only a newer registry knows comes as its number. */
function timeoutAction(sent: TimeoutAction__Output): TimeoutAction {
  const action = (timeoutActions as Partial<Record<string, TimeoutAction>>)[sent];
  if (action) return action;
  throw new SluiceError('data-loss', `the registry sent timeout_action ${sent}, not known here`);
}

/** How a version is run, as the registry sent it; nothing is taken for the defaults, but without warm-up. */
export function decodeServing(message: ServingConfig__Output | null): ServingConfig {
  if (!message) return { ...servingDefaults, warmupCount: 0 };
  return {
    maxBatchSize: message.maxBatchSize,
    preferredBatchSize: message.preferredBatchSize,
    allowedBatchSizes: message.allowedBatchSizes,
    maxQueueDelayMicroseconds: Number(message.maxQueueDelayMicroseconds),
    preserveOrdering: message.preserveOrdering,
    priorityLevels: message.priorityLevels,
    defaultPriorityLevel: message.defaultPriorityLevel,
    timeoutAction: timeoutAction(message.timeoutAction),
    defaultTimeoutMicroseconds: Number(message.defaultTimeoutMicroseconds),
    allowTimeoutOverride: message.allowTimeoutOverride,
    maxQueueSize: message.maxQueueSize,
    priorityQueuePolicies: message.priorityQueuePolicies.map(policy),
    instanceCount: message.instanceCount,
    intraOpThreads: message.intraOpThreads,
    device: message.device,
    instanceGroups: message.instanceGroups.map(({ count, device }) => ({ count, device })),
    cpuOperators: message.cpuOperators,
    warmupCount: message.warmupCount,
    warmupRequests: message.warmupRequests.map(({ name, batchSize, count, inputs }) => ({
      name,
      batchSize,
      count,
      inputs: inputs.map((input) => warmupInput(input, name)),
    })),
    batchingOffReason: message.batchingOffReason,
    ...(message.sequenceBatching && { sequenceBatching: decodeSequences(message.sequenceBatching) }),
  };
}

const policy = (message: PriorityQueuePolicy__Output): PriorityQueuePolicy => ({
  level: message.level,
  timeoutAction: timeoutAction(message.timeoutAction),
  defaultTimeoutMicroseconds: Number(message.defaultTimeoutMicroseconds),
  allowTimeoutOverride: message.allowTimeoutOverride,
  maxQueueSize: message.maxQueueSize,
});

function warmupInput(message: WarmupInput__Output, request: string): WarmupInput {
  const tensor = { name: message.name, shape: message.shape.map(Number), base64: '' };
  switch (message.source) {
    case 'zeroData':
      return { ...tensor, source: 'zero' };
    case 'randomData':
      return { ...tensor, source: 'random' };
    case 'rawData':
      return { ...tensor, source: 'data', base64: Buffer.from(message.rawData!).toString('base64') };
  }
  // None, or of a kind that only a newer registry knows.
  const what = `without values that are known here for input "${message.name}"`;
  throw new SluiceError('data-loss', `the registry sent warm-up "${request}" ${what}`);
}
