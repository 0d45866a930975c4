import type { GRPCInferenceServiceMethods, ResponseInput } from '@sluice/contracts/services';
import { deviceGroupsOf, deviceKind } from '@sluice/domain/device';
import type {
  ImageFormat,
  InstanceGroup,
  QueuePolicy,
  ServingConfig,
  Signature,
  TensorSpec,
} from '@sluice/domain/signature';
import type { ThreadPlan } from '../runtime/threads.ts';
import { rowDims } from '../serving/buckets.ts';
import type { Assignment } from '../versions/assignment.ts';
import { modelDatatypes } from './model-datatypes.ts';
import { sequenceBatchingOf } from './sequence-config.ts';

export type ModelConfigMessage = NonNullable<ResponseInput<GRPCInferenceServiceMethods['modelConfig']>['config']>;
type DynamicBatching = NonNullable<ModelConfigMessage['dynamicBatching']>;
type Warmup = NonNullable<ModelConfigMessage['modelWarmup']>[number];

/** A version as this runtime runs it. */
export interface RunVersion {
  readonly assignment: Assignment;
  /** What was asked for, with batches bounded by memory. */
  readonly serving: ServingConfig;
  /** Sessions and threads that were chosen. */
  readonly threading: { readonly threads: ThreadPlan | undefined };
  /** Where they are; none before it is loaded. */
  readonly sessions: readonly InstanceGroup[];
}

const formats = { NCHW: 'FORMAT_NCHW', NHWC: 'FORMAT_NHWC' } as const satisfies Record<ImageFormat, string>;

/** Whether rows of several requests run together: what `dims` leave out depends on it. */
function isBatching(signature: Signature, serving: ServingConfig): boolean {
  return signature.batched && serving.maxBatchSize > 0;
}

/**
 * Triton's ModelConfig of a version. `dims` have no batch dimension where `max_batch_size` is more than 0; a row that is
 * a scalar has none at all (Triton would write [1] and reshape it).
 *
 * @param placed numbers of the versions of the model that are placed with it
 */
export function modelConfigOf(version: RunVersion, placed: readonly number[]): ModelConfigMessage {
  const { assignment, serving } = version;
  const { model, signature } = assignment;
  const batching = isBatching(signature, serving);
  const warmup = warmupOf(signature, serving);
  return {
    name: model,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    versionPolicy: { specific: { versions: [...placed] } },
    maxBatchSize: batching ? serving.maxBatchSize : 0,
    input: signature.inputs.map((tensor) => ({
      ...tensorOf(tensor, signature, serving),
      ...(tensor.format && { format: formats[tensor.format] }),
    })),
    output: signature.outputs.map((tensor) => ({
      ...tensorOf(tensor, signature, serving),
      // The file that says them.
      ...(tensor.classNames && { labelFilename: 'sluice.yaml' }),
    })),
    instanceGroup: instanceGroupsOf(version),
    ...schedulingOf(serving, batching),
    defaultModelFilename: assignment.graphPath,
    modelWarmup: [...(warmup ? [warmup] : []), ...warmupRequestsOf(signature, serving)],
    modelTransactionPolicy: { decoupled: false },
    parameters: parametersOf(version),
  };
}

function tensorOf({ name, datatype, shape }: TensorSpec, signature: Signature, serving: ServingConfig) {
  const dims = isBatching(signature, serving) ? rowDims(signature, shape) : shape;
  return { name, dataType: modelDatatypes[datatype], dims: [...dims] };
}

const groupsOf = ({ serving, sessions }: RunVersion): readonly InstanceGroup[] =>
  sessions.length > 0 ? sessions : deviceGroupsOf(serving);

/** Where the sessions are, or are to be: Triton has two kinds, and a number for a device that has one. */
function instanceGroupsOf(version: RunVersion) {
  return groupsOf(version).map(({ device, count }, at) => {
    const number = device.split(':')[1];
    return {
      name: `${version.assignment.model}_${at}`,
      kind: device === 'cpu' ? ('KIND_CPU' as const) : ('KIND_GPU' as const),
      count: Math.max(1, count),
      ...(number !== undefined && { gpus: [Number(number)] }),
    };
  });
}

/** Triton's scheduling_choice: one of two, or none. */
function schedulingOf(
  serving: ServingConfig,
  batching: boolean,
): Pick<ModelConfigMessage, 'dynamicBatching' | 'sequenceBatching'> {
  if (serving.sequenceBatching) return { sequenceBatching: sequenceBatchingOf(serving.sequenceBatching) };
  return batching ? { dynamicBatching: dynamicBatchingOf(serving) } : {};
}

/** A knob of ServingConfig is a line here, with Triton's name and meaning. */
function dynamicBatchingOf(serving: ServingConfig): DynamicBatching {
  return {
    // Triton fills in the largest batch where nothing is preferred.
    preferredBatchSize:
      serving.preferredBatchSize.length > 0 ? [...serving.preferredBatchSize] : [serving.maxBatchSize],
    maxQueueDelayMicroseconds: serving.maxQueueDelayMicroseconds,
    preserveOrdering: serving.preserveOrdering,
    priorityLevels: serving.priorityLevels,
    defaultPriorityLevel: serving.defaultPriorityLevel,
    defaultQueuePolicy: policyOf(serving),
    priorityQueuePolicy: Object.fromEntries(
      serving.priorityQueuePolicies.map(({ level, ...policy }) => [String(level), policyOf(policy)]),
    ),
  };
}

function policyOf(policy: QueuePolicy): NonNullable<DynamicBatching['defaultQueuePolicy']> {
  return {
    timeoutAction: policy.timeoutAction === 'delay' ? 'DELAY' : 'REJECT',
    defaultTimeoutMicroseconds: policy.defaultTimeoutMicroseconds,
    allowTimeoutOverride: policy.allowTimeoutOverride,
    maxQueueSize: policy.maxQueueSize,
  };
}

/** The version's own warm-up requests. Data of its own stand in the manifest that it was pushed with. */
function warmupRequestsOf(signature: Signature, serving: ServingConfig): Warmup[] {
  const batching = isBatching(signature, serving);
  return serving.warmupRequests.map(({ name, batchSize, count, inputs }) => ({
    name,
    count,
    batchSize: batching ? batchSize : 0,
    inputs: Object.fromEntries(
      inputs.map((input, index) => [
        input.name,
        {
          dataType: modelDatatypes[signature.inputs[index]!.datatype],
          dims: [...(batching ? input.shape.slice(1) : input.shape)],
          ...(input.source === 'zero' && { zeroData: true }),
          ...(input.source === 'random' && { randomData: true }),
          ...(input.source === 'data' && { inputDataFile: 'sluice.yaml' }),
        },
      ]),
    ),
  }));
}

/** The generated batches of the largest size: zeros, dynamic dimensions 1. */
function warmupOf(signature: Signature, serving: ServingConfig): Warmup | undefined {
  if (serving.warmupCount === 0) return undefined;
  const batching = isBatching(signature, serving);
  const inputs = signature.inputs.map(({ name, datatype, shape }) => {
    const dims = (batching ? rowDims(signature, shape) : shape).map((dim) => (dim < 0 ? 1 : dim));
    return [name, { dataType: modelDatatypes[datatype], dims, zeroData: true }] as const;
  });
  return {
    name: 'generated',
    batchSize: batching ? serving.maxBatchSize : 0,
    inputs: Object.fromEntries(inputs),
    count: serving.warmupCount,
  };
}

/** The device of each instance group, where kinds and numbers do not say it: a load reads it. */
function devicesOf(version: RunVersion): { readonly sluice_devices?: string } {
  const devices = groupsOf(version).map(({ device }) => device);
  return devices.every((device) => ['cpu', 'cuda'].includes(deviceKind(device)))
    ? {}
    : { sluice_devices: devices.join() };
}

/** What Triton's ONNX Runtime backend takes as parameters, and what Sluice adds to a version. */
function parametersOf(version: RunVersion): NonNullable<ModelConfigMessage['parameters']> {
  const { assignment, serving } = version;
  const { threads } = version.threading;
  const texts = {
    ...devicesOf(version),
    ...(threads && { intra_op_thread_count: String(threads.intraOpThreads) }),
    sluice_version: String(assignment.version),
    sluice_digest: assignment.digest,
    ...(serving.allowedBatchSizes.length > 0 && { sluice_allowed_batch_sizes: serving.allowedBatchSizes.join() }),
    ...(assignment.serving.batchingOffReason !== '' && {
      sluice_batching_off_reason: assignment.serving.batchingOffReason,
    }),
  };
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, { stringValue: text }]));
}
