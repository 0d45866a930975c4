import type { PriorityQueuePolicy as PolicyMessage } from '@sluice/contracts/gen/sluice/registry/v1/PriorityQueuePolicy';
import type { ServingConfig as ServingMessage } from '@sluice/contracts/gen/sluice/registry/v1/ServingConfig';
import type { WarmupInput as WarmupInputMessage } from '@sluice/contracts/gen/sluice/registry/v1/WarmupInput';
import type { PriorityQueuePolicy, ServingConfig, TimeoutAction, WarmupInput } from '@sluice/domain/signature';
import { encodeSequences } from './encode-sequences.ts';

const timeoutActions = {
  reject: 'TIMEOUT_ACTION_REJECT',
  delay: 'TIMEOUT_ACTION_DELAY',
} as const satisfies Record<TimeoutAction, string>;

export function encodeServing(serving: ServingConfig): ServingMessage {
  return {
    ...serving,
    preferredBatchSize: [...serving.preferredBatchSize],
    allowedBatchSizes: [...serving.allowedBatchSizes],
    timeoutAction: timeoutActions[serving.timeoutAction],
    priorityQueuePolicies: serving.priorityQueuePolicies.map(encodePolicy),
    instanceGroups: serving.instanceGroups.map((group) => ({ ...group })),
    warmupRequests: serving.warmupRequests.map((request) => ({
      ...request,
      inputs: request.inputs.map(encodeWarmupInput),
    })),
    sequenceBatching: serving.sequenceBatching ? encodeSequences(serving.sequenceBatching) : null,
  };
}

const encodePolicy = (policy: PriorityQueuePolicy): PolicyMessage => ({
  ...policy,
  timeoutAction: timeoutActions[policy.timeoutAction],
});

function encodeWarmupInput({ name, source, shape, base64 }: WarmupInput): WarmupInputMessage {
  const tensor = { name, shape: [...shape] };
  switch (source) {
    case 'zero':
      return { ...tensor, zeroData: true };
    case 'random':
      return { ...tensor, randomData: true };
    case 'data':
      return { ...tensor, rawData: Buffer.from(base64, 'base64') };
  }
}
