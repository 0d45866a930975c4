import { invalidArgument } from '@sluice/domain/errors';
import { compilePolicy, int32Max, whole, type PolicySettings, type QueuePolicy } from './queue-policy.ts';

/**
 * How one version is batched. Names and defaults are those of Triton's ModelConfig, in camel case. The knobs of
 * `QueuePolicy` at this level are the default policy: that of every level that has none of its own.
 */
export interface SchedulerOptions extends QueuePolicy {
  /** Whose queue it is, for messages: `digits version 3`. */
  readonly name: string;
  /**
   * Rows, not requests, that one run may have at most. 0 means that the model has no batch dimension: one request per run,
   * its rows are not counted and never split. Default 0.
   */
  readonly maxBatchSize?: number;
  /**
   * Row counts, each 1 … maxBatchSize, that are sent as soon as consecutive requests make exactly one of them, without
   * waiting for the delay. Where `allowedBatchSizes` is set, each must be one of those. Empty means `[maxBatchSize]`.
   * Default empty.
   */
  readonly preferredBatchSize?: readonly number[];
  /**
   * The only row counts that a run may have, ascending, the last of them maxBatchSize: a batch of fewer rows is padded to
   * the next of them (`Batch.paddedRows`). Empty means that any will do. Default empty.
   */
  readonly allowedBatchSizes?: readonly number[];
  /**
   * How long a request may wait for company while an instance is free, in microseconds. A request with a deadline or a
   * time-out waits at most half of the time that it had on arrival. 0 means never: a batch leaves as soon as an instance
   * is free, with what there is. Default 0.
   */
  readonly maxQueueDelayMicroseconds?: number;
  /** Levels of priority, at most 256, of which 1 is served first. 0 means none: all requests are equal. Default 0. */
  readonly priorityLevels?: number;
  /** The level of requests that name none: 1 … priorityLevels, and 0 when there are none. Default 0. */
  readonly defaultPriorityLevel?: number;
  /**
   * Policies of single levels, by level. One replaces the default policy as a whole: a knob that it leaves out has its
   * default, not the default policy's value. Default none.
   */
  readonly priorityQueuePolicy?: Readonly<Record<string, QueuePolicy>>;
  /**
   * Whether requests that ran are answered in the order in which they were accepted, whatever instance was faster. It costs
   * waiting: answers are held back behind every older request that waits or runs. Default false.
   */
  readonly preserveOrdering?: boolean;
  /** Batches that may run at the same time: 1 or more. Default 1. */
  readonly instances?: number;
  /**
   * Batches that may stand behind each that runs, in place so that their turn comes without a pause. Rows join them, and
   * leave them, until they begin (`PlacedBatch`). Default 0.
   */
  readonly ahead?: number;
}

/** `SchedulerOptions` checked and filled in; the only form that travels inside. Times are in milliseconds. */
export interface SchedulerSettings {
  readonly name: string;
  readonly maxBatchSize: number;
  /** Ascending, without repetition and without maxBatchSize itself: that one is always sent at once. */
  readonly preferredBatchSize: readonly number[];
  /** Ascending; empty when any size will do. */
  readonly allowedBatchSizes: readonly number[];
  readonly maxQueueDelayMs: number;
  /** 0 for none. */
  readonly priorityLevels: number;
  /** Of requests that name no level; 1 when there are none. */
  readonly defaultPriorityLevel: number;
  /** The policy of level i + 1; a single one when there are no levels. */
  readonly policies: readonly PolicySettings[];
  readonly preserveOrdering: boolean;
  readonly instances: number;
  readonly ahead: number;
}

/** More would make a bucket's search for the place of a request long. */
const maxPriorityLevels = 256;

/**
 * Checks the options and fills in the defaults.
 * @throws SluiceError `invalid-argument`, which names the knob, what it may be and what it is
 */
export function compileOptions(options: SchedulerOptions): SchedulerSettings {
  const { name } = options;
  const maxBatchSize = whole(name, 'maxBatchSize', options.maxBatchSize ?? 0, 0, int32Max);
  const allowed = allowedSizes(name, maxBatchSize, options.allowedBatchSizes ?? []);
  const delay = options.maxQueueDelayMicroseconds ?? 0;
  return {
    name,
    maxBatchSize,
    preferredBatchSize: preferredSizes(name, maxBatchSize, allowed, options.preferredBatchSize ?? []),
    allowedBatchSizes: allowed,
    maxQueueDelayMs: whole(name, 'maxQueueDelayMicroseconds', delay, 0, Number.MAX_SAFE_INTEGER) / 1000,
    ...levels(options),
    preserveOrdering: options.preserveOrdering ?? false,
    instances: whole(name, 'instances', options.instances ?? 1, 1, 1024),
    ahead: whole(name, 'ahead', options.ahead ?? 0, 0, 8),
  };
}

function preferredSizes(
  name: string,
  maxBatchSize: number,
  allowed: readonly number[],
  preferred: readonly number[],
): readonly number[] {
  refuseWithoutBatching(name, 'preferredBatchSize', maxBatchSize, preferred);
  for (const [i, size] of preferred.entries()) {
    whole(name, `preferredBatchSize[${i}]`, size, 1, maxBatchSize);
    // Sent without waiting for company, only to be filled up with padding: nobody can want that.
    if (allowed.length > 0 && !allowed.includes(size)) {
      throw invalidArgument(
        `${name}: preferredBatchSize[${i}] must be one of allowedBatchSizes (${allowed.join(', ')}), got ${size}`,
      );
    }
  }
  return [...new Set(preferred)].filter((size) => size < maxBatchSize).sort((a, b) => a - b);
}

function allowedSizes(name: string, maxBatchSize: number, sizes: readonly number[]): readonly number[] {
  refuseWithoutBatching(name, 'allowedBatchSizes', maxBatchSize, sizes);
  for (const [i, size] of sizes.entries()) whole(name, `allowedBatchSizes[${i}]`, size, 1, maxBatchSize);
  if (sizes.some((size, i) => i > 0 && size <= sizes[i - 1]!)) {
    throw invalidArgument(`${name}: allowedBatchSizes must ascend without repetition, got ${sizes.join(', ')}`);
  }
  if (sizes.length > 0 && sizes.at(-1) !== maxBatchSize) {
    throw invalidArgument(
      `${name}: allowedBatchSizes must end with maxBatchSize (${maxBatchSize}), got ${sizes.join(', ')}`,
    );
  }
  return [...sizes];
}

function refuseWithoutBatching(name: string, knob: string, maxBatchSize: number, sizes: readonly number[]): void {
  if (sizes.length === 0 || maxBatchSize > 0) return;
  throw invalidArgument(
    `${name}: ${knob} must be empty when maxBatchSize is 0 (no batching), got ${sizes.join(', ')}; ` +
      `set maxBatchSize or leave ${knob} out`,
  );
}

function levels(
  options: SchedulerOptions,
): Pick<SchedulerSettings, 'priorityLevels' | 'defaultPriorityLevel' | 'policies'> {
  const { name } = options;
  const priorityLevels = whole(name, 'priorityLevels', options.priorityLevels ?? 0, 0, maxPriorityLevels);
  const lowest = Math.min(1, priorityLevels);
  const byDefault = options.defaultPriorityLevel ?? 0;
  const defaultPriorityLevel = whole(name, 'defaultPriorityLevel', byDefault, lowest, priorityLevels);
  const defaultPolicy = compilePolicy(name, '', options);
  const policies = Array.from({ length: Math.max(1, priorityLevels) }, () => defaultPolicy);
  for (const [key, policy] of Object.entries(options.priorityQueuePolicy ?? {})) {
    const level = Number(key);
    if (!Number.isSafeInteger(level) || level < 1 || level > priorityLevels) {
      const range =
        priorityLevels === 0 ? 'must be empty when priorityLevels is 0' : `has levels 1 to ${priorityLevels}`;
      throw invalidArgument(`${name}: priorityQueuePolicy ${range}, got one for level ${key}`);
    }
    policies[level - 1] = compilePolicy(name, `priorityQueuePolicy[${level}].`, policy);
  }
  return { priorityLevels, defaultPriorityLevel: Math.max(1, defaultPriorityLevel), policies };
}
