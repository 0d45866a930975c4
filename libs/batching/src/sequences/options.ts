import { invalidArgument } from '@sluice/domain/errors';
import { int32Max, whole } from '../queue-policy.ts';

/** How the sequences of one version are run. Names and defaults are those of Triton's ModelConfig, in camel case. */
export interface SequenceOptions {
  /** Whose they are, for messages: `digits version 3`. */
  readonly name: string;
  /** Batches that may run at the same time: 1 or more. Default 1. */
  readonly instances?: number;
  /** Sequences that an instance has at once, and so rows that a batch has at most: 1 or more. Default 1. */
  readonly slots?: number;
  /** A sequence that has had no request for so long is over; microseconds, 1 or more. Default 1,000,000. */
  readonly maxSequenceIdleMicroseconds?: number;
  /**
   * How long a request waits for those of other sequences while less than `minimumSlotUtilization` of its instance's slots
   * have one, in microseconds; at most half of the time that it had on arrival. 0 is not at all. Default 0.
   */
  readonly maxQueueDelayMicroseconds?: number;
  /** The share of an instance's slots, 0 to 1, with which a batch leaves at once. 0: with any request. Default 0. */
  readonly minimumSlotUtilization?: number;
  /** Requests that may wait, those of sequences without a slot too. 0 is no bound. Default 0. */
  readonly maxQueueSize?: number;
  /** Longest time that a request waits, in microseconds. 0 is its deadline only. Default 0. */
  readonly defaultTimeoutMicroseconds?: number;
  /** Whether a request may ask for a shorter time. Default false. */
  readonly allowTimeoutOverride?: boolean;
}

/** `SequenceOptions` checked and filled in. Times are in milliseconds. */
export interface SequenceSettings {
  readonly name: string;
  readonly instances: number;
  readonly slots: number;
  readonly maxSequenceIdleMs: number;
  readonly maxQueueDelayMs: number;
  /** Slots that must have a request for a batch to leave at once. */
  readonly enoughSlots: number;
  /** `Infinity` for no bound. */
  readonly maxQueueSize: number;
  /** `Infinity` for none. */
  readonly defaultTimeoutMs: number;
  readonly allowTimeoutOverride: boolean;
}

/**
 * Checks the options and fills in the defaults.
 * @throws SluiceError `invalid-argument`, which names the knob, what it may be and what it is
 */
export function compileSequenceOptions(options: SequenceOptions): SequenceSettings {
  const { name } = options;
  const knob = (key: keyof SequenceOptions, byDefault: number, min: number, max: number): number =>
    whole(name, key, (options[key] as number | undefined) ?? byDefault, min, max);
  const micros = (key: keyof SequenceOptions, byDefault: number, min = 0): number =>
    knob(key, byDefault, min, Number.MAX_SAFE_INTEGER) / 1000;
  const utilization = options.minimumSlotUtilization ?? 0;
  if (!(utilization >= 0 && utilization <= 1)) {
    throw invalidArgument(`${name}: minimumSlotUtilization must be a number from 0 to 1, got ${utilization}`);
  }
  const slots = knob('slots', 1, 1, int32Max);
  return {
    name,
    instances: knob('instances', 1, 1, 1024),
    slots,
    maxSequenceIdleMs: micros('maxSequenceIdleMicroseconds', 1_000_000, 1),
    maxQueueDelayMs: micros('maxQueueDelayMicroseconds', 0),
    // What a binary fraction has too much is no slot more.
    enoughSlots: Math.max(1, Math.ceil(utilization * slots - 1e-9)),
    maxQueueSize: knob('maxQueueSize', 0, 0, int32Max) || Infinity,
    defaultTimeoutMs: micros('defaultTimeoutMicroseconds', 0) || Infinity,
    allowTimeoutOverride: options.allowTimeoutOverride ?? false,
  };
}
