import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkTensors } from './check-tensors.ts';
import { readModelConfig } from './model-config.ts';
import { manifestOf, writeManifest } from './version-manifest.ts';

const read = (config: unknown) => readModelConfig(JSON.stringify(config), 'digits');

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const { kind, message } = SluiceError.from(error);
    return `${kind}: ${message}`;
  }
  return 'none';
}

const refusal = (config: unknown): string => messageOf(() => read(config));
const manifest = (config: unknown, base = ''): unknown =>
  JSON.parse(writeManifest(manifestOf(parse(base)), read(config), new Map()));

describe('readModelConfig', () => {
  it('reads all that sluice.yaml can say, in either spelling and with numbers as text', () => {
    const config = {
      maxBatchSize: '32',
      dynamicBatching: {
        preferred_batch_size: [8, 32],
        maxQueueDelayMicroseconds: '100',
        preserveOrdering: true,
        priority_levels: 2,
        defaultPriorityLevel: '2',
        default_queue_policy: {
          timeout_action: 'DELAY',
          default_timeout_microseconds: '5',
          allowTimeoutOverride: true,
        },
        priorityQueuePolicy: { 1: { timeoutAction: 0, maxQueueSize: 9 } },
      },
      instance_group: [{ name: 'a', kind: 'KIND_CPU', count: 2 }, { kind: 'KIND_GPU', gpus: [0, 1] }, { kind: 1 }],
      parameters: {
        intra_op_thread_count: { string_value: '3' },
        sluice_allowed_batch_sizes: { stringValue: '8,32' },
        sluice_version: { string_value: '7' },
      },
      modelWarmup: [
        { name: 'generated', count: 2, inputs: { x: { zero_data: true, dims: [4] } } },
        { name: 'random', batchSize: 3, inputs: { x: { dataType: 'TYPE_FP32', randomData: true } } },
      ],
    };
    expect(manifest(config)).toEqual({
      batching: {
        max_batch_size: 32,
        preferred_batch_size: [8, 32],
        max_queue_delay_microseconds: 100,
        preserve_ordering: true,
        priority_levels: 2,
        default_priority_level: 2,
        timeout_action: 'delay',
        default_timeout_microseconds: 5,
        allow_timeout_override: true,
        priority_queue_policy: { 1: { timeout_action: 'reject', max_queue_size: 9 } },
        allowed_batch_sizes: [8, 32],
      },
      instances: {
        groups: [
          { count: 2, device: 'cpu' },
          { count: 1, device: 'cuda:0' },
          { count: 1, device: 'cuda:1' },
          { count: 1, device: 'cuda' },
        ],
        intra_op_threads: 3,
      },
      warm_up: { count: 2, requests: [{ name: 'random', batch_size: 3, count: 1, inputs: { x: 'random' } }] },
    });
  });

  it('takes what a configuration of Triton has written out though it asks for nothing', () => {
    const config = {
      name: 'digits',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      runtime: '',
      version_policy: { latest: { num_versions: 1 } },
      batch_input: [],
      optimization: {
        graph: null,
        priority: 'PRIORITY_DEFAULT',
        input_pinned_memory: { enable: true },
        output_pinned_memory: { enable: true },
        gather_kernel_buffer_threshold: 0,
        eager_batching: false,
      },
      cc_model_filenames: {},
      model_transaction_policy: { decoupled: false },
      response_cache: { enable: false },
    };
    expect(manifest(config)).toEqual({});
  });

  it.each([
    ['config.sequence_batching.oldest', { sequence_batching: { oldest: { max_candidate_sequences: 1 } } }],
    ['config.sequence_batching.iterative_sequence', { sequence_batching: { iterative_sequence: true } }],
    ['config.ensemble_scheduling', { ensembleScheduling: { step: [{ model_name: 'a' }] } }],
    ['config.response_cache', { response_cache: { enable: true } }],
    ['config.model_transaction_policy.decoupled', { model_transaction_policy: { decoupled: true } }],
    ['config.optimization.graph', { optimization: { graph: { level: 1 } } }],
    [
      'config.optimization.execution_accelerators',
      { optimization: { execution_accelerators: { gpu: [{ name: 't' }] } } },
    ],
    ['config.instance_group[0].rate_limiter', { instance_group: [{ rate_limiter: { priority: 2 } }] }],
    ['config.instance_group[0].passive', { instance_group: [{ passive: true }] }],
    ['config.input[0].reshape', { input: [{ name: 'x', reshape: { shape: [1] } }] }],
    ['config.input[0].optional', { input: [{ name: 'x', optional: true }] }],
    ['config.output[0].is_shape_tensor', { output: [{ name: 'y', is_shape_tensor: true }] }],
    ['config.no_such_field', { no_such_field: 1 }],
  ])('says that %s is not there', (field, config) => {
    expect(refusal(config)).toContain(`invalid-argument: ${field}: Sluice has nothing like it`);
  });

  it.each([
    ['config: not JSON', '{'],
    ['config: expected an object, got []', '[]'],
    ['config: expected an object, got null', 'null'],
  ])('says %s', (message, json) => {
    expect(messageOf(() => readModelConfig(json, 'digits'))).toContain(`invalid-argument: ${message}`);
  });

  it.each([
    ['config.name: expected "digits", the name that is loaded, or nothing, got "other"', { name: 'other' }],
    ['config.platform: expected onnxruntime_onnx, got "tensorrt_plan"', { platform: 'tensorrt_plan' }],
    ['config.backend: expected onnxruntime, got "python"', { backend: 'python' }],
    ['config.max_batch_size: expected a whole number from 0 to 65536, got "many"', { max_batch_size: 'many' }],
    ['config.max_batch_size: expected a whole number from 0 to 65536, got -1', { max_batch_size: -1 }],
    ['config.max_batch_size: given twice', { max_batch_size: 1, maxBatchSize: 2 }],
    [
      'config.dynamic_batching.preferred_batch_size[1]: expected a whole',
      { dynamic_batching: { preferred_batch_size: [1, 0] } },
    ],
    [
      'config.dynamic_batching.preserve_ordering: expected true or false, got 1',
      { dynamic_batching: { preserve_ordering: 1 } },
    ],
    ['config.instance_group: expected a list, got {}', { instance_group: {} }],
    ['config.instance_group[0].kind: expected one of KIND_AUTO', { instance_group: [{ kind: 'KIND_TPU' }] }],
    ['config.instance_group[0].gpus: expected nothing', { instance_group: [{ kind: 'KIND_CPU', gpus: [1] }] }],
    ['config.parameters["execution_mode"]: not known', { parameters: { execution_mode: { string_value: '1' } } }],
    [
      'config.parameters["intra_op_thread_count"].string_value: expected a',
      { parameters: { intra_op_thread_count: { string_value: 'x' } } },
    ],
    ['config.input[0].name: expected the name of a tensor, got nothing', { input: [{}] }],
    [
      'config.model_warmup[0].inputs["x"].input_data_file: expected nothing',
      { model_warmup: [{ name: 'a', inputs: { x: { input_data_file: 'f' } } }] },
    ],
    ['config.optimization.priority: expected PRIORITY_DEFAULT', { optimization: { priority: 'PRIORITY_MAX' } }],
  ])('says %s', (message, config) => {
    expect(refusal(config)).toContain(`invalid-argument: ${message}`);
  });
});

describe('writeManifest', () => {
  const base = [
    'batching: { max_batch_size: 32, allowed_batch_sizes: [8, 32], preferred_batch_size: [8, 32], max_queue_delay_microseconds: 7 }',
    'instances: { count: 4, intra_op_threads: 2 }',
    'device: cuda',
    'signature: { inputs: [{ name: x, range: [0, 1] }] }',
    'warm_up: { count: 3, requests: [{ name: own, inputs: { x: [[1, 2]] } }] }',
  ].join('\n');

  it('keeps all that is not named', () => {
    expect(manifest({}, base)).toEqual(manifestOf(parse(base)));
    const image = manifest(
      {
        input: [
          { name: 'x', format: 'FORMAT_NHWC' },
          { name: 'z', format: 2 },
        ],
      },
      base,
    );
    expect((image as { signature: unknown }).signature).toEqual({
      inputs: [
        { name: 'x', range: [0, 1], format: 'NHWC' },
        { name: 'z', format: 'NCHW' },
      ],
    });
  });

  it('puts what is named in the place of what was said of it', () => {
    const named = manifest({ dynamic_batching: { preserve_ordering: true }, instance_group: [{ count: 1 }] }, base);
    expect(named).toMatchObject({
      batching: { max_batch_size: 32, allowed_batch_sizes: [8, 32], preserve_ordering: true },
      instances: { groups: [{ count: 1, device: 'cpu' }], intra_op_threads: 2 },
    });
    expect(named).not.toHaveProperty('device');
    expect(named).not.toHaveProperty('instances.count');
    expect(named).not.toHaveProperty('batching.max_queue_delay_microseconds');
  });

  it('lets go of sizes that another maximum makes wrong', () => {
    expect(manifest({ max_batch_size: 16 }, base)).toMatchObject({
      batching: { max_batch_size: 16, preferred_batch_size: [8], max_queue_delay_microseconds: 7 },
    });
    expect(manifest({ max_batch_size: 16 }, base)).not.toHaveProperty('batching.allowed_batch_sizes');
    expect(manifest({ max_batch_size: 32 }, base)).toEqual(manifestOf(parse(base)));
  });

  it('keeps the values of a warm-up that a ModelConfig of ours names by their file', () => {
    const inputs = { x: { input_data_file: 'sluice.yaml' } };
    const kept = manifest({ model_warmup: [{ name: 'own', count: 2, inputs }] }, base);
    const requests = [{ name: 'own', batch_size: 1, count: 2, inputs: { x: [[1, 2]] } }];
    expect(kept).toMatchObject({ warm_up: { count: 0, requests } });
    expect(messageOf(() => manifest({ model_warmup: [{ name: 'other', inputs }] }, base))).toContain(
      'request "other", input "x": the version’s sluice.yaml has no values'.replace('’', "'"),
    );
  });
});

describe('sequence_batching of a config', () => {
  /** As a runtime's ModelConfig has it. */
  const sequences = {
    max_sequence_idle_microseconds: '30000000',
    direct: { max_queue_delay_microseconds: '100', minimum_slot_utilization: 0.5 },
    control_input: [
      { name: 'START', control: [{ int32_false_true: [0, 1], fp32_false_true: [], bool_false_true: [] }] },
      { name: 'READY', control: [{ kind: 'CONTROL_SEQUENCE_READY', fp32_false_true: [-1, 1.5] }] },
      { name: 'END', control: [{ kind: 2, bool_false_true: [false, true] }] },
      { name: 'CORRID', control: [{ kind: 'CONTROL_SEQUENCE_CORRID', data_type: 'TYPE_UINT64' }] },
    ],
    state: [
      {
        ...{ input_name: 'S', output_name: 'S_NEXT', data_type: 'TYPE_FP32', dims: ['2', '3'] },
        initial_state: [{ name: 'initial', data_type: 'TYPE_FP32', dims: ['2', '3'], data_file: 'given at push' }],
      },
      {
        ...{ input_name: 'T', output_name: 'T_NEXT', data_type: 'TYPE_INT64', dims: ['1'] },
        initial_state: [{ name: 'initial', data_type: 'TYPE_INT64', dims: ['1'], zero_data: true }],
      },
    ],
  };
  const base = `sequence_batching:
  state:
    - { input_name: S, output_name: S_NEXT, initial_state: { data_file: hidden.bin } }`;
  const written = {
    max_sequence_idle_microseconds: 30_000_000,
    direct: { max_queue_delay_microseconds: 100, minimum_slot_utilization: 0.5 },
    control_input: [
      { name: 'START', control: 'start', int32_false_true: [0, 1] },
      { name: 'READY', control: 'ready', fp32_false_true: [-1, 1.5] },
      { name: 'END', control: 'end', bool_false_true: [false, true] },
      { name: 'CORRID', control: 'corrid', data_type: 'UINT64' },
    ],
    state: [
      {
        ...{ input_name: 'S', output_name: 'S_NEXT', data_type: 'FP32', dims: [2, 3] },
        initial_state: { data_file: 'hidden.bin' },
      },
      { input_name: 'T', output_name: 'T_NEXT', data_type: 'INT64', dims: [1] },
    ],
  };

  it('is written as sluice.yaml says it, with the initial values that the version has', () => {
    expect(manifest({ sequence_batching: sequences }, base)).toEqual({ sequence_batching: written });
    // What was sent back once and is sent back again makes the same version.
    expect(manifest({ sequence_batching: sequences }, JSON.stringify({ sequence_batching: written }))).toEqual({
      sequence_batching: written,
    });
  });

  it('stays where the config has none, and says something by being there', () => {
    expect(manifest({}, base)).toEqual(parse(base));
    for (const empty of ['sequence_batching: {}', 'sequence_batching:']) {
      expect(manifest({ max_batch_size: 4 }, empty)).toHaveProperty('sequence_batching');
    }
    expect(manifest({ sequence_batching: {} })).toEqual({ sequence_batching: { control_input: [], state: [] } });
  });

  it('takes initial values from a file that came too, in Triton’s folder', () => {
    const initial_state = [{ name: 'initial', data_file: 'mine' }];
    const said = { state: [{ input_name: 'S', output_name: 'S_NEXT', initial_state }] };
    expect(manifest({ sequence_batching: said })).toMatchObject({
      sequence_batching: { state: [{ input_name: 'S', initial_state: { data_file: 'initial_state/mine' } }] },
    });
  });

  it.each([
    ['config.sequence_batching.control_input[0].control: expected one control', { control_input: [{ name: 'a' }] }],
    [
      'config.sequence_batching.control_input[0].control[0].bool_false_true[1]: expected true or false, got 1',
      { control_input: [{ name: 'a', control: [{ bool_false_true: [false, 1] }] }] },
    ],
    [
      'config.sequence_batching.direct.minimum_slot_utilization: expected a number',
      { direct: { minimum_slot_utilization: 'x' } },
    ],
    ['config.sequence_batching.state[0].use_growable_memory: Sluice has', { state: [{ use_growable_memory: true }] }],
    ['config.sequence_batching.state[0].initial_state: expected one', { state: [{ initial_state: [{}, {}] }] }],
    [
      'config.sequence_batching.state[0].initial_state: data_file "given at push" is that of',
      { state: [{ input_name: 'S', initial_state: [{ data_file: 'given at push' }] }] },
    ],
  ])('says %s', (message, sequence_batching) => {
    expect(messageOf(() => manifest({ sequence_batching }))).toContain(`invalid-argument: ${message}`);
  });
});

describe('devices of a config', () => {
  const groups = [
    { name: 'digits_0', kind: 'KIND_GPU', count: 2 },
    { name: 'digits_1', kind: 'KIND_CPU', count: 1 },
    { name: 'digits_2', kind: 'KIND_GPU', count: 1, gpus: [1] },
  ];
  const devices = (text: string) => ({ parameters: { sluice_devices: { string_value: text } } });

  it('are those that a parameter names, where Triton has no kind for them', () => {
    expect(manifest({ instance_group: groups, ...devices('webgpu,cpu,cuda:1') })).toEqual({
      instances: {
        groups: [
          { count: 2, device: 'webgpu' },
          { count: 1, device: 'cpu' },
          { count: 1, device: 'cuda:1' },
        ],
      },
    });
    expect(manifest(devices('webgpu'))).toEqual({});
  });

  it.each([
    ['config.parameters["sluice_devices"]: 1 devices given for 3 instance groups', 'webgpu'],
    ['config.parameters["sluice_devices"].string_value: expected devices such as', 'tpu,cpu,cpu'],
    ['config.instance_group[1].kind: expected KIND_GPU, since sluice_devices names webgpu', 'webgpu,webgpu,cuda:1'],
    ['config.instance_group[2].gpus: expected nothing, since sluice_devices names webgpu', 'cuda,cpu,webgpu'],
  ])('says %s', (message, text) => {
    expect(refusal({ instance_group: groups, ...devices(text) })).toContain(`invalid-argument: ${message}`);
  });
});

describe('checkTensors', () => {
  const graph = {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3, -1] }],
    outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1] }],
    batched: true,
  };
  const check = (config: unknown) => messageOf(() => checkTensors(read(config), graph));

  it('takes names, types and dims that the graph has', () => {
    expect(check({ input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['3', 7] }] })).toBe('none');
    expect(check({ max_batch_size: 0, input: [{ name: 'x', data_type: 11, dims: [-1, 3, -1] }] })).toBe('none');
    expect(check({ output: [{ name: 'y', data_type: 'TYPE_STRING', dims: [1] }] })).toBe('none');
    expect(check({ output: [{ name: 'y' }] })).toBe('none');
  });

  it.each([
    ['config.input[0].name: the graph has no input "y"; it has x', { input: [{ name: 'y' }] }],
    ['config.output[0].data_type: the graph has BYTES for "y", got FP16', { output: [{ name: 'y', data_type: 10 }] }],
    [
      'config.input[0].dims: the graph has [3,-1] for "x", without the batch dimension, got [4,1]',
      { input: [{ name: 'x', dims: [4, 1] }] },
    ],
    [
      'config.input[0].dims: the graph has [-1,3,-1] for "x", got [3,1]',
      { max_batch_size: 0, input: [{ name: 'x', dims: [3, 1] }] },
    ],
  ])('says %s', (message, config) => {
    expect(check(config)).toBe(`invalid-argument: ${message}`);
  });
});
