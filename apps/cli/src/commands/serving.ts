import type { PriorityQueuePolicy__Output } from '@sluice/contracts/gen/sluice/registry/v1/PriorityQueuePolicy';
import type { ServingConfig__Output } from '@sluice/contracts/gen/sluice/registry/v1/ServingConfig';
import type { WarmupRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/WarmupRequest';
import { plural } from '../format.ts';

type Field = readonly [name: string, value: string];

/** How a version is run, for people; '' for what is as it is without a word in `sluice.yaml`. */
export function servingFields(serving: ServingConfig__Output): readonly Field[] {
  const { warmupCount, intraOpThreads } = serving;
  const warmUp = [
    `${plural(warmupCount, 'round')} of generated batches`,
    ...serving.warmupRequests.map(describeRequest),
  ];
  return [
    ['batching', describeBatching(serving)],
    ['sequences', describeSequences(serving)],
    ['queue', describePolicy(serving).join(', ')],
    ['priorities', describePriorities(serving)],
    ['order', serving.preserveOrdering ? 'answers leave in the order of their requests' : ''],
    ['device', serving.instanceGroups.length > 0 ? '' : serving.device],
    ['instances', describeInstances(serving)],
    ['operators', serving.cpuOperators ? 'those that the device does not have may run on the CPU' : ''],
    ['threads', intraOpThreads > 0 ? `${intraOpThreads} for each instance` : ''],
    ['warm-up', warmupCount === 1 && warmUp.length === 1 ? '' : warmUp.join('\n')],
  ];
}

/** The fields that somebody decided on, a line each: neither a maximum alone nor the CPU is worth one. */
export function servingLines(serving: ServingConfig__Output): readonly string[] {
  const plain = { batching: `up to ${serving.maxBatchSize} rows`, device: 'cpu' } as Partial<Record<string, string>>;
  return servingFields(serving)
    .filter(([name, value]) => value !== '' && value !== plain[name] && !value.startsWith('off'))
    .map(([name, value]) => `${name}: ${value.replaceAll('\n', '; ')}`);
}

function describeBatching(serving: ServingConfig__Output): string {
  const { maxBatchSize, preferredBatchSize: preferred, allowedBatchSizes: allowed } = serving;
  if (maxBatchSize === 0) return serving.batchingOffReason ? `off: ${serving.batchingOffReason}` : 'off';
  const delay = Number(serving.maxQueueDelayMicroseconds);
  return [
    `up to ${maxBatchSize} rows`,
    delay > 0 && `waiting up to ${delay} µs`,
    preferred.length > 0 && `at once with ${preferred.join(', ')}`,
    allowed.length > 0 && `filled up to ${allowed.join(', ')}`,
  ]
    .filter(Boolean)
    .join(', ');
}

function describeSequences({ sequenceBatching: sequences }: ServingConfig__Output): string {
  if (!sequences) return '';
  const { controlInputs, states, direct } = sequences;
  const delay = Number(direct?.maxQueueDelayMicroseconds ?? 0);
  const utilization = direct?.minimumSlotUtilization ?? 0;
  return [
    `over after ${sequences.maxSequenceIdleMicroseconds} µs without a request`,
    utilization > 0 && delay > 0 && `waiting up to ${delay} µs for ${utilization * 100} % of the slots`,
    controlInputs.length > 0 && `controls ${controlInputs.map(({ name }) => name).join(', ')}`,
    states.length > 0 && `states ${states.map(({ inputName }) => inputName).join(', ')}`,
  ]
    .filter(Boolean)
    .join(', ');
}

type Policy = Omit<PriorityQueuePolicy__Output, 'level'>;

/** What bounds a queue, in words; empty for one without bounds. */
function describePolicy(policy: Policy): string[] {
  const timeout = Number(policy.defaultTimeoutMicroseconds);
  const said: string[] = [];
  if (policy.maxQueueSize > 0) said.push(`at most ${plural(policy.maxQueueSize, 'request')}`);
  if (timeout > 0) said.push(`at most ${timeout} µs`);
  if (policy.timeoutAction === 'TIMEOUT_ACTION_DELAY') said.push('then behind all others');
  if (policy.allowTimeoutOverride) said.push('requests may ask for less time');
  return said;
}

function describePriorities(serving: ServingConfig__Output): string {
  if (serving.priorityLevels === 0) return '';
  const levels = serving.priorityQueuePolicies.map(
    (policy) => `level ${policy.level}: ${describePolicy(policy).join(', ') || 'no bounds'}`,
  );
  const all = `${plural(serving.priorityLevels, 'level')}, ${serving.defaultPriorityLevel} where none is named`;
  return [all, ...levels].join('\n');
}

function describeInstances(serving: ServingConfig__Output): string {
  const { instanceGroups: groups, instanceCount } = serving;
  if (groups.length === 0) return instanceCount > 0 ? String(instanceCount) : '';
  return groups.map(({ count, device }) => `${count} on ${device}`).join(', ');
}

function describeRequest({ name, batchSize, count, inputs }: WarmupRequest__Output): string {
  const kinds = { zeroData: 'zeros', randomData: 'random', rawData: 'given' };
  const values = inputs.map((input) => `${input.name} ${input.source ? kinds[input.source] : 'unknown'}`);
  return `"${name}": ${plural(batchSize, 'row')}${count > 1 ? ` ${count} times` : ''}, ${values.join(', ')}`;
}
