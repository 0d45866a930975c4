import type { ControlKind } from '@sluice/domain/sequence-batching';
import type { ImageFormat, InstanceGroup, TimeoutAction } from '@sluice/domain/signature';

/** One column of an input; undefined where the author said nothing. */
export interface ManifestFeature {
  readonly name: string;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly nullable: boolean;
}

export interface ManifestTensor {
  readonly name: string;
  readonly description?: string | undefined;
  readonly features: readonly ManifestFeature[];
  /** Lowest and highest value of all columns that have no range of their own. */
  readonly range?: readonly [number, number] | undefined;
  readonly nullable: boolean;
  /** Of an output; empty where the author said nothing. */
  readonly classNames: readonly string[];
  /** Of an input. */
  readonly format?: ImageFormat | undefined;
}

/** What the model is for, and which output is its prediction. */
export type ManifestTask =
  | { readonly kind: 'none' }
  | { readonly kind: 'regression'; readonly prediction: string }
  | {
      readonly kind: 'classification';
      /** The output that is the prediction. */
      readonly prediction: string;
      readonly classFrom: 'argmax' | 'threshold' | 'label';
      /** For `threshold` only. */
      readonly threshold?: number | undefined;
      readonly classNames: readonly string[];
      readonly positiveClass?: string | undefined;
    };

/** What was said of the bounds of a queue. */
export interface ManifestQueuePolicy {
  readonly timeoutAction?: TimeoutAction | undefined;
  readonly defaultTimeoutMicroseconds?: number | undefined;
  readonly allowTimeoutOverride?: boolean | undefined;
  readonly maxQueueSize?: number | undefined;
}

export interface ManifestBatching extends ManifestQueuePolicy {
  readonly maxBatchSize?: number | undefined;
  readonly preferredBatchSize?: readonly number[] | undefined;
  readonly allowedBatchSizes?: readonly number[] | undefined;
  readonly maxQueueDelayMicroseconds?: number | undefined;
  readonly preserveOrdering?: boolean | undefined;
  readonly priorityLevels?: number | undefined;
  readonly defaultPriorityLevel?: number | undefined;
  /** By what was written as the level, which need not be one. */
  readonly priorityQueuePolicy: Readonly<Record<string, ManifestQueuePolicy>>;
}

/** What was said of one control of `sequence_batching`. */
export interface ManifestControl {
  readonly name: string;
  readonly control: ControlKind;
  readonly int32?: readonly [number, number] | undefined;
  readonly fp32?: readonly [number, number] | undefined;
  readonly bool?: readonly [boolean, boolean] | undefined;
  readonly dataType?: string | undefined;
}

export interface ManifestState {
  readonly inputName: string;
  readonly outputName: string;
  readonly dataType?: string | undefined;
  /** Of one row. */
  readonly dims?: readonly number[] | undefined;
  readonly zeroData?: boolean | undefined;
  /** Path among the pushed files. */
  readonly dataFile?: string | undefined;
}

export interface ManifestSequences {
  readonly maxSequenceIdleMicroseconds?: number | undefined;
  readonly maxQueueDelayMicroseconds?: number | undefined;
  readonly minimumSlotUtilization?: number | undefined;
  readonly controls: readonly ManifestControl[];
  readonly states: readonly ManifestState[];
}

export interface ManifestWarmUpRequest {
  readonly name: string;
  readonly batchSize: number;
  readonly count: number;
  /** `zero`, `random`, or values with the batch dimension. */
  readonly inputs: Readonly<Record<string, TensorLiteral>>;
}

/** A value of a golden case or a warm-up request: nested lists of numbers, booleans or strings, of the tensor's shape. */
export type TensorLiteral = number | boolean | string | readonly TensorLiteral[];

export interface GoldenCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorLiteral>>;
  /** Only the outputs that are compared. */
  readonly outputs: Readonly<Record<string, TensorLiteral>>;
  readonly rtol: number;
  readonly atol: number;
}

/** `sluice.yaml`, checked, with its defaults filled in where they do not depend on the graph. */
export interface Manifest {
  /** Path of the graph among the pushed files; undefined when there is only one. */
  readonly graph: string | undefined;
  readonly inputs: readonly ManifestTensor[];
  readonly outputs: readonly ManifestTensor[];
  readonly task: ManifestTask | undefined;
  readonly batching: ManifestBatching;
  /** Undefined for a model whose requests each stand for themselves. */
  readonly sequences: ManifestSequences | undefined;
  readonly instances: {
    readonly count?: number | undefined;
    readonly intraOpThreads?: number | undefined;
    readonly cpuOperators?: boolean | undefined;
    readonly groups?: readonly InstanceGroup[] | undefined;
  };
  readonly device: string | undefined;
  readonly warmUp: {
    readonly count?: number | undefined;
    readonly dimensions: Readonly<Record<string, number>>;
    readonly requests: readonly ManifestWarmUpRequest[];
  };
  readonly golden: readonly GoldenCase[];
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly framework: { readonly name: string; readonly version?: string | undefined } | undefined;
  readonly training: {
    readonly run?: string | undefined;
    readonly dataSets: readonly { readonly role: string; readonly reference: string }[];
  };
  readonly metrics: readonly { readonly name: string; readonly value: number; readonly dataSet?: string | undefined }[];
  readonly tags: readonly string[];
  readonly licence: string | undefined;
  readonly owner: string | undefined;
  readonly description: string | undefined;
  readonly modelCard: string | undefined;
}
