import { invalidArgument } from '@sluice/domain/errors';

/** How one version is batched. Names and defaults are those of Triton's ModelConfig, in camel case. */
export interface SchedulerOptions {
  /** Whose queue it is, for messages: `digits version 3`. */
  readonly name: string;
  /**
   * Rows, not requests, that one run may have at most. 0 means that the model has no batch dimension: one request per run,
   * its rows are not counted and never split. Default 0.
   */
  readonly maxBatchSize?: number;
  /**
   * Row counts, each 1 … maxBatchSize, that are sent as soon as consecutive requests make exactly one of them, without
   * waiting for the delay. Empty means `[maxBatchSize]`. Default empty.
   */
  readonly preferredBatchSize?: readonly number[];
  /**
   * How long a request may wait for company while an instance is free, in microseconds. A request with a deadline waits
   * at most half of the time that it had on arrival. 0 means never: a batch leaves as soon as an instance is free, with
   * what there is. Default 0.
   */
  readonly maxQueueDelayMicroseconds?: number;
  /** Requests that may wait, those already running not counted. 0 means no bound. Default 0. */
  readonly maxQueueSize?: number;
  /** How long a request may be in the queue, in microseconds, whatever its own deadline. 0 means no limit. Default 0. */
  readonly defaultTimeoutMicroseconds?: number;
  /** Batches that may run at the same time: 1 or more. Default 1. */
  readonly instances?: number;
}

/** `SchedulerOptions` checked and filled in; the only form that travels inside. Times are in milliseconds. */
export interface SchedulerSettings {
  readonly name: string;
  readonly maxBatchSize: number;
  /** Ascending, without repetition and without maxBatchSize itself: that one is always sent at once. */
  readonly preferredBatchSize: readonly number[];
  readonly maxQueueDelayMs: number;
  /** `Infinity` for no bound. */
  readonly maxQueueSize: number;
  /** `Infinity` for no limit. */
  readonly defaultTimeoutMs: number;
  readonly instances: number;
}

const int32Max = 2 ** 31 - 1;

/**
 * Checks the options and fills in the defaults.
 * @throws SluiceError `invalid-argument`, which names the knob, what it may be and what it is
 */
export function compileOptions(options: SchedulerOptions): SchedulerSettings {
  const { name } = options;
  const maxBatchSize = whole(name, 'maxBatchSize', options.maxBatchSize ?? 0, 0, int32Max);
  const preferred = options.preferredBatchSize ?? [];
  if (preferred.length > 0 && maxBatchSize === 0) {
    throw invalidArgument(
      `${name}: preferredBatchSize must be empty when maxBatchSize is 0 (no batching), got ${preferred.join(', ')}; ` +
        `set maxBatchSize or leave preferredBatchSize out`,
    );
  }
  const sizes = preferred.map((size, i) => whole(name, `preferredBatchSize[${i}]`, size, 1, maxBatchSize));
  const delay = options.maxQueueDelayMicroseconds ?? 0;
  const timeout = options.defaultTimeoutMicroseconds ?? 0;
  const queueSize = whole(name, 'maxQueueSize', options.maxQueueSize ?? 0, 0, int32Max);
  return {
    name,
    maxBatchSize,
    preferredBatchSize: [...new Set(sizes)].filter((size) => size < maxBatchSize).sort((a, b) => a - b),
    maxQueueDelayMs: whole(name, 'maxQueueDelayMicroseconds', delay, 0, Number.MAX_SAFE_INTEGER) / 1000,
    maxQueueSize: queueSize === 0 ? Infinity : queueSize,
    defaultTimeoutMs:
      timeout === 0 ? Infinity : whole(name, 'defaultTimeoutMicroseconds', timeout, 0, Number.MAX_SAFE_INTEGER) / 1000,
    instances: whole(name, 'instances', options.instances ?? 1, 1, 1024),
  };
}

function whole(name: string, knob: string, value: number, from: number, to: number): number {
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value;
  throw invalidArgument(`${name}: ${knob} must be a whole number from ${from} to ${to}, got ${value}`);
}
