import { invalidArgument } from '@sluice/domain/errors';

/** What becomes of a request at its time-out: it is refused, or it goes behind those that have not timed out. */
export type TimeoutAction = 'REJECT' | 'DELAY';

/** What bounds a queue, Triton's `ModelQueuePolicy`: the default policy, and where a level has one, that of the level. */
export interface QueuePolicy {
  /**
   * At a request's time-out REJECT fails it with `deadline-exceeded`; DELAY puts it behind all requests of its level that
   * have not timed out, where only its own deadline can end it. Default REJECT.
   */
  readonly timeoutAction?: TimeoutAction;
  /** How long a request may be in the queue until its time-out, in microseconds. 0 means no limit. Default 0. */
  readonly defaultTimeoutMicroseconds?: number;
  /**
   * Whether a request may bring its time-out forward: its `timeoutMicroseconds` counts where it is smaller than the default
   * or there is no default. False: requests' time-outs are ignored. Default false.
   */
  readonly allowTimeoutOverride?: boolean;
  /** Requests that may wait, those already running not counted. 0 means no bound. Default 0. */
  readonly maxQueueSize?: number;
}

/** A `QueuePolicy` checked and filled in. */
export interface PolicySettings {
  /** The action is DELAY. */
  readonly delay: boolean;
  /** `Infinity` for no limit. */
  readonly defaultTimeoutMs: number;
  readonly allowTimeoutOverride: boolean;
  /** `Infinity` for no bound. */
  readonly maxQueueSize: number;
}

export const int32Max = 2 ** 31 - 1;

/**
 * Checks one policy and fills in the defaults.
 * @param where what the knobs' names begin with in messages: nothing, or which level's policy it is
 * @throws SluiceError `invalid-argument`, which names the knob, what it may be and what it is
 */
export function compilePolicy(name: string, where: string, policy: QueuePolicy): PolicySettings {
  // Configurations come from files: what the type promises has still to be looked at.
  const action: string = policy.timeoutAction ?? 'REJECT';
  if (action !== 'REJECT' && action !== 'DELAY') {
    throw invalidArgument(`${name}: ${where}timeoutAction must be REJECT or DELAY, got ${action}`);
  }
  const timeoutKnob = `${where}defaultTimeoutMicroseconds`;
  const timeout = whole(name, timeoutKnob, policy.defaultTimeoutMicroseconds ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const size = whole(name, `${where}maxQueueSize`, policy.maxQueueSize ?? 0, 0, int32Max);
  return {
    delay: action === 'DELAY',
    defaultTimeoutMs: timeout === 0 ? Infinity : timeout / 1000,
    allowTimeoutOverride: policy.allowTimeoutOverride ?? false,
    maxQueueSize: size === 0 ? Infinity : size,
  };
}

/**
 * The value itself, when it is a whole number within the range.
 * @throws SluiceError `invalid-argument`, which names the knob, what it may be and what it is
 */
export function whole(name: string, knob: string, value: number, from: number, to: number): number {
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value;
  throw invalidArgument(`${name}: ${knob} must be a whole number from ${from} to ${to}, got ${value}`);
}
