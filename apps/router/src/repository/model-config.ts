import type { Datatype } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { readDatatype } from './config-datatype.ts';
import { ConfigFields } from './config-fields.ts';
import { readSequenceBatching } from './sequence-config.ts';
import type { ConfigSequences } from './sequence-config.ts';

/** What a `config` says of a tensor; undefined where it says nothing. */
export interface ConfigTensor {
  readonly path: string;
  readonly name: string;
  readonly datatype: Datatype | undefined;
  /** Without the batch dimension where `max_batch_size` is more than 0. */
  readonly dims: readonly number[] | undefined;
  /** NCHW or NHWC, of images. */
  readonly format: 'NCHW' | 'NHWC' | undefined;
  /** Of an output: the file with a class name a line. */
  readonly labelFile: string | undefined;
}

/** The parts of Triton's ModelConfig that say something to Sluice, with the names of `sluice.yaml`. */
export interface ConfigOverride {
  readonly maxBatchSize: number | undefined;
  /** Of the section `batching`, all that dynamic_batching says; undefined when it is not there. */
  readonly dynamicBatching: Readonly<Record<string, unknown>> | undefined;
  readonly allowedBatchSizes: readonly number[] | undefined;
  readonly instanceGroups: readonly { readonly count: number; readonly device: string }[] | undefined;
  readonly intraOpThreads: number | undefined;
  readonly sequences: ConfigSequences | undefined;
  readonly warmUp: ConfigWarmUp | undefined;
  /** Path of the graph. */
  readonly graph: string | undefined;
  readonly inputs: readonly ConfigTensor[];
  readonly outputs: readonly ConfigTensor[];
}

export interface ConfigWarmUp {
  /** Of the generated batches. */
  readonly count: number;
  readonly requests: readonly ConfigWarmUpRequest[];
}

export interface ConfigWarmUpRequest {
  readonly name: string;
  readonly batchSize: number;
  readonly count: number;
  /** `kept` names values that stand in the version's own `sluice.yaml`. */
  readonly inputs: Readonly<Record<string, 'zero' | 'random' | 'kept'>>;
}

/** What a ModelConfig of ours names as the file that holds labels and warm-up values. */
export const ownFile = 'sluice.yaml';

const maxCount = 65_536;
/** The registry numbers versions, and a load is of one: a policy has nothing to choose from. */
const harmless = ['version_policy'];

/**
 * Reads Triton's ModelConfig in protobuf's JSON.
 *
 * @throws SluiceError invalid-argument naming the field that cannot be read, or that asks for what is not there
 */
export function readModelConfig(json: string, model: string): ConfigOverride {
  const config = new ConfigFields(parse(json), 'config');
  config.allow(known, harmless);
  checkIdentity(config, model);
  checkAbsent(config);
  const { devices, ...parameters } = readParameters(config);
  return {
    maxBatchSize: config.whole('max_batch_size', maxCount),
    dynamicBatching: readDynamicBatching(config.message('dynamic_batching')),
    instanceGroups: readInstanceGroups(config.messages('instance_group'), devices),
    sequences: readSequenceBatching(config.message('sequence_batching')),
    ...parameters,
    warmUp: readWarmUp(config.messages('model_warmup')),
    graph: config.text('default_model_filename') || undefined,
    inputs: (config.messages('input') ?? []).map(readInput),
    outputs: (config.messages('output') ?? []).map(readOutput),
  };
}

const known = [
  ...['name', 'platform', 'backend', 'max_batch_size', 'input', 'output', 'optimization', 'dynamic_batching'],
  'sequence_batching',
  ...['instance_group', 'default_model_filename', 'parameters', 'model_warmup', 'model_transaction_policy'],
];

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw invalidArgument(`config: not JSON: ${clip((error as Error).message, 200)}`);
  }
}

function checkIdentity(config: ConfigFields, model: string): void {
  const name = config.text('name') ?? '';
  if (name !== '' && name !== model) config.refuse('name', `"${clip(model)}", the name that is loaded, or nothing`);
  if (!['', 'onnxruntime_onnx'].includes(config.text('platform') ?? '')) config.refuse('platform', 'onnxruntime_onnx');
  if (!['', 'onnxruntime'].includes(config.text('backend') ?? '')) config.refuse('backend', 'onnxruntime');
}

/** What is written out in configurations though it asks for nothing; what it may ask for is not there. */
function checkAbsent(config: ConfigFields): void {
  config.message('model_transaction_policy')?.allow([]);
  const optimization = config.message('optimization');
  // How buffers are copied to devices is no one's business but the runtime's.
  const buffers = ['input_pinned_memory', 'output_pinned_memory', 'gather_kernel_buffer_threshold'];
  optimization?.allow(['priority'], buffers);
  const priority = optimization?.choice('priority', ['PRIORITY_DEFAULT', 'PRIORITY_MAX', 'PRIORITY_MIN']);
  if (priority !== undefined && priority !== 'PRIORITY_DEFAULT') optimization?.refuse('priority', 'PRIORITY_DEFAULT');
}

const bounds = ['default_timeout_microseconds', 'max_queue_size'] as const;

function readQueuePolicy(policy: ConfigFields | undefined): Record<string, unknown> {
  if (!policy) return {};
  policy.allow(['timeout_action', 'allow_timeout_override', ...bounds]);
  return {
    timeout_action: policy.choice('timeout_action', ['REJECT', 'DELAY'])?.toLowerCase(),
    allow_timeout_override: policy.flag('allow_timeout_override'),
    ...Object.fromEntries(bounds.map((name) => [name, policy.whole(name)])),
  };
}

function readDynamicBatching(batching: ConfigFields | undefined): Record<string, unknown> | undefined {
  if (!batching) return undefined;
  const numbers = ['max_queue_delay_microseconds', 'priority_levels', 'default_priority_level'];
  const policies = ['default_queue_policy', 'priority_queue_policy'];
  batching.allow(['preferred_batch_size', 'preserve_ordering', ...numbers, ...policies]);
  const levels = batching.map('priority_queue_policy') ?? [];
  return {
    preferred_batch_size: batching.wholes('preferred_batch_size', maxCount, 1),
    preserve_ordering: batching.flag('preserve_ordering'),
    ...Object.fromEntries(numbers.map((name) => [name, batching.whole(name)])),
    ...readQueuePolicy(batching.message('default_queue_policy')),
    ...(levels.length > 0 && {
      priority_queue_policy: Object.fromEntries(levels.map(([level, policy]) => [level, readQueuePolicy(policy)])),
    }),
  };
}

/** @param devices of each group, where kinds and numbers do not say it */
function readInstanceGroups(groups: readonly ConfigFields[] | undefined, devices: readonly string[] | undefined) {
  if (groups && devices && groups.length !== devices.length) {
    throw invalidArgument(
      `config.parameters["${devicesParameter}"]: ${devices.length} devices given for ${groups.length} instance groups; name one for each, or leave it out`,
    );
  }
  return groups?.flatMap((group, at) => readInstanceGroup(group, devices?.[at]));
}

/** Groups with the count that Triton gives to one that names none. */
function readInstanceGroup(group: ConfigFields, told: string | undefined): { count: number; device: string }[] {
  group.allow(['kind', 'count', 'gpus'], ['name']);
  const kind = group.choice('kind', ['KIND_AUTO', 'KIND_GPU', 'KIND_CPU', 'KIND_MODEL']) ?? 'KIND_AUTO';
  const count = group.whole('count', 1_024) || 1;
  const gpus = group.wholes('gpus', 999) ?? [];
  if (gpus.length > 0 && kind !== 'KIND_GPU') group.refuse('gpus', 'nothing, since the kind is not KIND_GPU');
  if (told === 'webgpu') {
    const expected = `KIND_GPU, since ${devicesParameter} names webgpu for it`;
    if (kind !== 'KIND_GPU') group.refuse('kind', expected);
    if (gpus.length > 0) group.refuse('gpus', `nothing, since ${devicesParameter} names webgpu for it`);
    return [{ count, device: told }];
  }
  if (gpus.length > 0) return gpus.map((gpu) => ({ count, device: `cuda:${gpu}` }));
  return [{ count, device: kind === 'KIND_GPU' ? 'cuda' : 'cpu' }];
}

/** The device of each instance group, in a ModelConfig of ours where one is neither the CPU nor CUDA: Triton has no kind for it. */
const devicesParameter = 'sluice_devices';
/** What ModelConfig tells of a version, and nobody sets. */
const told = ['sluice_version', 'sluice_digest', 'sluice_batching_off_reason'];

function readParameters(
  config: ConfigFields,
): Pick<ConfigOverride, 'intraOpThreads' | 'allowedBatchSizes'> & { readonly devices: readonly string[] | undefined } {
  let devices: readonly string[] | undefined;
  let intraOpThreads: number | undefined;
  let allowedBatchSizes: readonly number[] | undefined;
  for (const [name, parameter] of config.map('parameters') ?? []) {
    parameter.allow(['string_value']);
    const text = parameter.text('string_value') ?? '';
    if (name === 'intra_op_thread_count') {
      if (!/^\d{1,4}$/.test(text)) parameter.refuse('string_value', 'a number of threads');
      intraOpThreads = Number(text);
    } else if (name === 'sluice_allowed_batch_sizes') {
      if (!/^\d{1,5}(,\d{1,5})*$/.test(text)) parameter.refuse('string_value', 'sizes with commas between');
      allowedBatchSizes = text.split(',').map(Number);
    } else if (name === devicesParameter) {
      if (!/^(cpu|cuda(:\d{1,3})?|webgpu)(,(cpu|cuda(:\d{1,3})?|webgpu)){0,255}$/.test(text)) {
        parameter.refuse('string_value', 'devices such as cpu, cuda:0 and webgpu with commas between');
      }
      devices = text.split(',');
    } else if (!told.includes(name)) {
      throw invalidArgument(
        `${parameter.path}: not known; expected intra_op_thread_count, sluice_allowed_batch_sizes or ${devicesParameter}`,
      );
    }
  }
  return { intraOpThreads, allowedBatchSizes, devices };
}

function readWarmUp(warmups: readonly ConfigFields[] | undefined): ConfigWarmUp | undefined {
  if (!warmups) return undefined;
  let count = 0;
  const requests: ConfigWarmUpRequest[] = [];
  for (const warmup of warmups) {
    warmup.allow(['name', 'batch_size', 'count', 'inputs']);
    const name = warmup.text('name') ?? '';
    const times = warmup.whole('count', 1_000) || 1;
    // So a ModelConfig of ours calls the batches that the runtime makes up.
    if (name === 'generated') {
      count = times;
      continue;
    }
    const inputs = (warmup.map('inputs') ?? []).map(([input, source]) => [input, readSource(source)] as const);
    requests.push({
      name,
      batchSize: warmup.whole('batch_size', maxCount) || 1,
      count: times,
      inputs: Object.fromEntries(inputs),
    });
  }
  return { count, requests };
}

function readSource(source: ConfigFields): 'zero' | 'random' | 'kept' {
  // The graph has datatype and shape; a dynamic dimension that nobody gives a size is refused with the version.
  source.allow(['zero_data', 'random_data', 'input_data_file'], ['data_type', 'dims']);
  const file = source.text('input_data_file') ?? '';
  if (file === ownFile) return 'kept';
  if (file !== '') source.refuse('input_data_file', 'nothing: values of a warm-up stand in sluice.yaml');
  if (source.flag('random_data')) return 'random';
  if (source.flag('zero_data')) return 'zero';
  return source.refuse('zero_data', 'true, or random_data');
}

function readTensor(tensor: ConfigFields): ConfigTensor {
  const name = tensor.text('name') ?? '';
  if (name === '') tensor.refuse('name', 'the name of a tensor');
  return {
    path: tensor.path,
    name,
    datatype: readDatatype(tensor),
    dims: tensor.wholes('dims', undefined, -1),
    format: undefined,
    labelFile: undefined,
  };
}

function readInput(input: ConfigFields): ConfigTensor {
  input.allow(['name', 'data_type', 'dims', 'format']);
  const format = input.choice('format', ['FORMAT_NONE', 'FORMAT_NHWC', 'FORMAT_NCHW']);
  return {
    ...readTensor(input),
    format: format === 'FORMAT_NHWC' ? 'NHWC' : format === 'FORMAT_NCHW' ? 'NCHW' : undefined,
  };
}

function readOutput(output: ConfigFields): ConfigTensor {
  output.allow(['name', 'data_type', 'dims', 'label_filename']);
  return { ...readTensor(output), labelFile: output.text('label_filename') || undefined };
}
