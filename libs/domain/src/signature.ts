import type { Datatype } from './datatype.ts';
import type { SequenceBatching } from './sequence-batching.ts';

/** One column of an input, as the model's author described it. */
export interface Feature {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  readonly nullable: boolean;
}

export const imageFormats = ['NCHW', 'NHWC'] as const;
/** Channels, height, width; or height, width, channels. */
export type ImageFormat = (typeof imageFormats)[number];

/** Name, datatype and shape of one input or output tensor. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** With the batch dimension; -1 where a dimension is dynamic. Empty for a scalar. */
  readonly shape: readonly number[];
  /** Names of dynamic dimensions by index; '' where the graph gives none. Same length as `shape`. */
  readonly dimNames: readonly string[];
  readonly features: readonly Feature[];
  /** Lowest and highest value of every column, as far as the model's author said; a feature may have its own. */
  readonly min?: number;
  readonly max?: number;
  /** Whether a value of any column may be missing (NaN); not given is false. */
  readonly nullable?: boolean;
  /** Of an output: what the values of a row stand for, by index. */
  readonly classNames?: readonly string[];
  /** Of an input of images: how a row is laid out. Nothing here depends on it: callers are told. */
  readonly format?: ImageFormat;
}

/** The tensors that a version takes and gives. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** True when the first dimension of every tensor is one shared, dynamic batch dimension. */
  readonly batched: boolean;
}

/** What becomes of a request whose time in the queue is over: it is refused, or waits behind all that is in time. */
export type TimeoutAction = 'reject' | 'delay';

/** The bounds of a queue. */
export interface QueuePolicy {
  readonly timeoutAction: TimeoutAction;
  /** Longest time in the queue; 0 means the request's own deadline only. */
  readonly defaultTimeoutMicroseconds: number;
  /** Whether a request may ask for a shorter time in the queue. */
  readonly allowTimeoutOverride: boolean;
  /** Requests that may wait; 0 means unlimited. */
  readonly maxQueueSize: number;
}

/** The bounds of the queue of one priority level. */
export interface PriorityQueuePolicy extends QueuePolicy {
  readonly level: number;
}

/** Sessions on one kind of device, or on one device. */
export interface InstanceGroup {
  /** 0 lets the runtime choose. */
  readonly count: number;
  /** `cpu`, `cuda`, `cuda:1` or `webgpu`. */
  readonly device: string;
}

/** One input of a warm-up request. */
export interface WarmupInput {
  readonly name: string;
  /** Zeros (empty text), values drawn from the declared ranges, or those in `base64`. */
  readonly source: 'zero' | 'random' | 'data';
  /** With the batch dimension, without anything dynamic. Rows of `data` are as many as the request has, or 1 for all. */
  readonly shape: readonly number[];
  /** For `data` the tensor's bytes as requests have them (raw_input_contents), in base64; '' otherwise. */
  readonly base64: string;
}

/** A request that is run before a version counts as loaded. */
export interface WarmupRequest {
  readonly name: string;
  /** Rows; 1 where the graph has no batch dimension. */
  readonly batchSize: number;
  /** How often every session runs it. */
  readonly count: number;
  /** Every input of the signature, in its order. */
  readonly inputs: readonly WarmupInput[];
}

/** How a version is run. Names and meanings are those of Triton's ModelConfig; see docs/architecture.md. */
export interface ServingConfig extends QueuePolicy {
  /** Rows per batch; 0 turns batching off. */
  readonly maxBatchSize: number;
  readonly preferredBatchSize: readonly number[];
  /** How long the oldest request waits for company; 0 sends as soon as an instance is free. */
  readonly maxQueueDelayMicroseconds: number;
  /** Batches have one of these sizes, filled up where rows are missing: ascending, the last is the maximum. Empty: any size. */
  readonly allowedBatchSizes: readonly number[];
  /** Answers of one model version leave in the order in which the requests came. */
  readonly preserveOrdering: boolean;
  /** Levels of priority, 1 the highest; 0 means that there are none. */
  readonly priorityLevels: number;
  /** Level of a request that names none; 0 when there are no levels. */
  readonly defaultPriorityLevel: number;
  /** Of levels whose queue has other bounds than those here, ascending. */
  readonly priorityQueuePolicies: readonly PriorityQueuePolicy[];
  /** Sessions of this version in one runtime; 0 lets the runtime choose. */
  readonly instanceCount: number;
  /** Intra-op threads per session; 0 lets the runtime choose. */
  readonly intraOpThreads: number;
  readonly device: string;
  /**
   * Sessions by device; empty means one group of `instanceCount` and `device`: see `instanceGroupsOf`. Where there are
   * some, `instanceCount` is their sum and `device` one of theirs, for readers that know of no groups.
   */
  readonly instanceGroups: readonly InstanceGroup[];
  /** Whether operators that a device does not have may run on the CPU; a version that has some fails to load otherwise. */
  readonly cpuOperators: boolean;
  /** Generated batches that are run before the version counts as loaded. */
  readonly warmupCount: number;
  /** Requests that are run after these, in order. */
  readonly warmupRequests: readonly WarmupRequest[];
  /** Why rows are not batched although the graph would allow it; '' otherwise. */
  readonly batchingOffReason: string;
  /** How its sequences are kept apart; undefined for a model whose requests each stand for themselves. */
  readonly sequenceBatching?: SequenceBatching;
}

/** What holds where nobody said anything; versions of before a setting was there have its default. */
export const servingDefaults: ServingConfig = {
  maxBatchSize: 0,
  preferredBatchSize: [],
  allowedBatchSizes: [],
  maxQueueDelayMicroseconds: 0,
  preserveOrdering: false,
  priorityLevels: 0,
  defaultPriorityLevel: 0,
  timeoutAction: 'reject',
  defaultTimeoutMicroseconds: 0,
  allowTimeoutOverride: false,
  maxQueueSize: 0,
  priorityQueuePolicies: [],
  instanceCount: 0,
  intraOpThreads: 0,
  device: 'cpu',
  instanceGroups: [],
  cpuOperators: false,
  warmupCount: 1,
  warmupRequests: [],
  batchingOffReason: '',
};

/** The groups of sessions that a version asks for: one at least. */
export function instanceGroupsOf(
  serving: Pick<ServingConfig, 'instanceGroups' | 'instanceCount' | 'device'>,
): readonly InstanceGroup[] {
  const { instanceGroups, instanceCount: count, device } = serving;
  return instanceGroups.length > 0 ? instanceGroups : [{ count, device }];
}
