import type { Datatype } from './datatype.ts';

/** One column of an input, as the model's author described it. */
export interface Feature {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  readonly nullable: boolean;
}

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
}

/** The tensors that a version takes and gives. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** True when the first dimension of every tensor is one shared, dynamic batch dimension. */
  readonly batched: boolean;
}

/** How a version is run. Names and meanings are those of Triton's ModelConfig; see docs/architecture.md. */
export interface ServingConfig {
  /** Rows per batch; 0 turns batching off. */
  readonly maxBatchSize: number;
  readonly preferredBatchSize: readonly number[];
  /** How long the oldest request waits for company; 0 sends as soon as an instance is free. */
  readonly maxQueueDelayMicroseconds: number;
  /** Requests that may wait; 0 means unlimited. */
  readonly maxQueueSize: number;
  /** Longest time in the queue; 0 means the request's own deadline only. */
  readonly defaultTimeoutMicroseconds: number;
  /** Sessions of this version in one runtime; 0 lets the runtime choose. */
  readonly instanceCount: number;
  /** Intra-op threads per session; 0 lets the runtime choose. */
  readonly intraOpThreads: number;
  readonly device: string;
  /** Generated batches that are run before the version counts as loaded. */
  readonly warmupCount: number;
  /** Why rows are not batched although the graph would allow it; '' otherwise. */
  readonly batchingOffReason: string;
}
