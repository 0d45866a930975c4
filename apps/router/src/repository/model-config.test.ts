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
