import { askedDevices } from '@sluice/domain/device';
import { clip } from '@sluice/domain/names';
import {
  type PriorityQueuePolicy,
  type QueuePolicy,
  type ServingConfig,
  servingDefaults,
  type Signature,
} from '@sluice/domain/signature';
import { whyNotBatched } from '../onnx/graph-signature.ts';
import { checkDimensions, warmUpRequests } from './check-warm-up.ts';
import type { Manifest, ManifestBatching, ManifestQueuePolicy } from './manifest.ts';
import type { ManifestProblems } from './problems.ts';

/** Rows per batch where the graph allows batching and `sluice.yaml` says nothing. */
const defaultMaxBatchSize = 64;
/** Sessions of all groups together. */
const maxInstances = 1024;

/**
 * How the version is to be run: what `sluice.yaml` says, held to the graph, with the defaults that depend on it.
 * `inGraph` has the tensors that clients do not see too.
 */
export function describeServing(
  manifest: Manifest,
  { signature, inGraph }: { readonly signature: Signature; readonly inGraph: Signature },
  problems: ManifestProblems,
  derived: string[],
): ServingConfig {
  const { batching, instances, warmUp } = manifest;
  const maxBatchSize = maxBatchSizeOf(batching, inGraph, problems, derived);
  checkSizes(batching, maxBatchSize, problems);
  checkDimensions(warmUp.dimensions, signature, problems);
  return {
    ...queuePolicy(batching),
    maxBatchSize,
    preferredBatchSize: batching.preferredBatchSize ?? [],
    allowedBatchSizes: batching.allowedBatchSizes ?? [],
    maxQueueDelayMicroseconds: batching.maxQueueDelayMicroseconds ?? 0,
    preserveOrdering: batching.preserveOrdering ?? false,
    ...priorities(batching, problems),
    intraOpThreads: instances.intraOpThreads ?? 0,
    ...onDevices(instanceSettings(manifest, problems, derived), derived),
    cpuOperators: instances.cpuOperators ?? servingDefaults.cpuOperators,
    warmupCount: warmUp.count ?? servingDefaults.warmupCount,
    warmupRequests: warmUpRequests(manifest, signature, maxBatchSize, problems),
    batchingOffReason: '',
  };
}

function maxBatchSizeOf(
  batching: ManifestBatching,
  signature: Signature,
  problems: ManifestProblems,
  derived: string[],
): number {
  const reason = whyNotBatched(signature);
  if (batching.maxBatchSize !== undefined) {
    if (reason && batching.maxBatchSize > 0) {
      problems.add(['batching', 'max_batch_size'], `expected 0, since rows cannot be batched: ${reason}`);
    }
    return batching.maxBatchSize;
  }
  derived.push(
    signature.batched
      ? `max_batch_size ${defaultMaxBatchSize}: the first dimension of every tensor is one dynamic batch`
      : `max_batch_size 0: ${reason}`,
  );
  return signature.batched ? defaultMaxBatchSize : 0;
}

function checkSizes(batching: ManifestBatching, maxBatchSize: number, problems: ManifestProblems): void {
  const allowed = batching.allowedBatchSizes ?? [];
  for (const [index, size] of (batching.preferredBatchSize ?? []).entries()) {
    const at = ['batching', 'preferred_batch_size', index];
    if (size > maxBatchSize) {
      problems.add(at, `expected at most max_batch_size (${maxBatchSize}), got ${size}`);
    } else if (allowed.length > 0 && !allowed.includes(size)) {
      problems.add(at, `expected one of allowed_batch_sizes, got ${size}`);
    }
  }
  const path = ['batching', 'allowed_batch_sizes'];
  if (allowed.length > 0 && maxBatchSize === 0) {
    problems.add(path, `expected none, since max_batch_size is 0, got ${allowed.length} sizes`);
    return;
  }
  for (const [index, size] of allowed.entries()) {
    const before = allowed[index - 1] ?? 0;
    if (size <= before) {
      problems.add([...path, index], `expected more than the size before it (${before}), got ${size}`);
    }
  }
  const last = allowed.at(-1);
  if (last !== undefined && last !== maxBatchSize) {
    problems.add([...path, allowed.length - 1], `expected max_batch_size (${maxBatchSize}) as the last, got ${last}`);
  }
}

/** A policy that is there has Triton's defaults, not those of the policy beside it. */
const queuePolicy = (said: ManifestQueuePolicy): QueuePolicy => ({
  timeoutAction: said.timeoutAction ?? servingDefaults.timeoutAction,
  defaultTimeoutMicroseconds: said.defaultTimeoutMicroseconds ?? servingDefaults.defaultTimeoutMicroseconds,
  allowTimeoutOverride: said.allowTimeoutOverride ?? servingDefaults.allowTimeoutOverride,
  maxQueueSize: said.maxQueueSize ?? servingDefaults.maxQueueSize,
});

function priorities(
  batching: ManifestBatching,
  problems: ManifestProblems,
): Pick<ServingConfig, 'priorityLevels' | 'defaultPriorityLevel' | 'priorityQueuePolicies'> {
  const levels = batching.priorityLevels ?? 0;
  const level = batching.defaultPriorityLevel ?? 0;
  const path = ['batching', 'default_priority_level'];
  // As Triton: which level a silent request has is said, never guessed.
  if (levels > 0 && (level < 1 || level > levels)) {
    const got = batching.defaultPriorityLevel ?? 'nothing';
    problems.add(path, `expected a level from 1 to ${levels}, since there are priority_levels, got ${got}`);
  }
  if (levels === 0 && level > 0) {
    problems.add(path, `expected nothing, since there are no priority_levels, got ${level}`);
  }
  const policies: PriorityQueuePolicy[] = [];
  // Keys that are whole numbers come in ascending order, whatever the order in the file.
  for (const [key, said] of Object.entries(batching.priorityQueuePolicy)) {
    if (/^[1-9]\d{0,5}$/.test(key) && Number(key) <= levels) {
      policies.push({ level: Number(key), ...queuePolicy(said) });
      continue;
    }
    problems.addKey(['batching', 'priority_queue_policy'], key, () =>
      levels === 0
        ? `expected nothing, since there are no priority_levels, got level ${clip(JSON.stringify(key), 40)}`
        : `expected a level from 1 to ${levels}, got ${clip(JSON.stringify(key), 40)}`,
    );
  }
  return { priorityLevels: levels, defaultPriorityLevel: level, priorityQueuePolicies: policies };
}

type InstanceSettings = Pick<ServingConfig, 'instanceCount' | 'device' | 'instanceGroups'>;

/** Says that admission shows nothing of a device beside the CPU. */
function onDevices(settings: InstanceSettings, derived: string[]): InstanceSettings {
  const others = askedDevices(settings).filter((device) => device !== 'cpu');
  if (others.length > 0) derived.push(`admission runs on the CPU, not on ${others.join(' and ')}`);
  return settings;
}

function instanceSettings(manifest: Manifest, problems: ManifestProblems, derived: string[]): InstanceSettings {
  const { instances, device } = manifest;
  const { groups } = instances;
  if (!groups) {
    if (device === undefined) derived.push('device cpu');
    return { instanceCount: instances.count ?? 0, device: device ?? servingDefaults.device, instanceGroups: [] };
  }
  if (instances.count !== undefined) {
    problems.addKey(
      ['instances'],
      'count',
      `expected nothing, since instances.groups has counts, got ${instances.count}`,
    );
  }
  if (device !== undefined) {
    problems.addKey([], 'device', `expected nothing, since instances.groups names devices, got "${device}"`);
  }
  const instanceCount = groups.reduce((sum, group) => sum + group.count, 0);
  if (instanceCount > maxInstances) {
    problems.add(
      ['instances', 'groups'],
      `expected at most ${maxInstances} instances in all groups, got ${instanceCount}`,
    );
  }
  // A reader that knows of no groups must not run on the CPU what is for another device.
  const other = groups.find((group) => group.device !== 'cpu');
  return { instanceCount, device: other?.device ?? 'cpu', instanceGroups: groups };
}
