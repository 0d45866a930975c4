import { type InstanceGroup, servingDefaults, type ServingConfig, type Signature } from '@sluice/domain/signature';
import { describe, expect, it } from 'vitest';
import { modelConfigOf } from './model-config.ts';

const tensor = (name: string, datatype: 'FP32' | 'BYTES' | 'INT64', shape: readonly number[]) => ({
  name,
  datatype,
  shape,
  dimNames: shape.map(() => ''),
  features: [],
});
const batched: Signature = {
  inputs: [tensor('x', 'FP32', [-1, 3, -1])],
  outputs: [tensor('label', 'BYTES', [-1]), tensor('n', 'INT64', [-1, 2])],
  batched: true,
};
const serving: ServingConfig = {
  ...servingDefaults,
  maxBatchSize: 32,
  preferredBatchSize: [4, 8],
  maxQueueDelayMicroseconds: 250,
  maxQueueSize: 100,
  defaultTimeoutMicroseconds: 9_000,
  instanceCount: 2,
  intraOpThreads: 0,
  device: 'cpu',
  warmupCount: 3,
  batchingOffReason: '',
};

function configOf(
  facts: {
    readonly signature?: Signature;
    readonly serving?: Partial<ServingConfig>;
    readonly sessions?: readonly InstanceGroup[];
  } = {},
) {
  const asked = { ...serving, ...facts.serving };
  const assignment = {
    model: 'team/m',
    version: 7,
    digest: 'd7',
    files: [],
    graphPath: 'graphs/m.onnx',
    signature: facts.signature ?? batched,
    serving: asked,
    aliases: [],
    champion: false,
    pinnedOnly: false,
    memoryBytes: 0,
  };
  return modelConfigOf(
    {
      assignment,
      serving: asked,
      threading: { threads: { instances: 2, intraOpThreads: 4, note: '' } },
      sessions: facts.sessions ?? [],
    },
    [3, 7],
  );
}

describe('modelConfigOf', () => {
  it('names the devices that Triton has no kind for, and only then', () => {
    const groups = (...devices: string[]) => devices.map((device) => ({ count: 1, device }));
    const told = (...devices: string[]) => configOf({ sessions: groups(...devices) }).parameters!['sluice_devices'];
    expect(told('cpu', 'cuda:1')).toBeUndefined();
    expect(told('webgpu', 'cpu')).toEqual({ stringValue: 'webgpu,cpu' });
    expect(configOf({ serving: { device: 'webgpu' } }).parameters).toMatchObject({
      sluice_devices: { stringValue: 'webgpu' },
    });
  });

  it('names the format of images, and the file that says the classes', () => {
    const { input, output } = configOf({
      signature: {
        inputs: [
          { ...tensor('x', 'FP32', [-1, 3, 8, 8]), format: 'NCHW' },
          { ...tensor('z', 'FP32', [-1, 8, 8, 3]), format: 'NHWC' },
        ],
        outputs: [{ ...tensor('y', 'INT64', [-1, 2]), classNames: ['cat', 'dog'] }, tensor('n', 'INT64', [-1, 2])],
        batched: true,
      },
    });
    expect(input!.map(({ format }) => format)).toEqual(['FORMAT_NCHW', 'FORMAT_NHWC']);
    expect(output!.map((each) => (each as { labelFilename?: string }).labelFilename)).toEqual([
      'sluice.yaml',
      undefined,
    ]);
  });

  it('has the knobs of priorities, of order and of sizes, and the warm-up requests of its own', () => {
    const policy = { defaultTimeoutMicroseconds: 5, allowTimeoutOverride: true, maxQueueSize: 1 };
    const input = { name: 'x', shape: [2, 3, 4], base64: '' };
    const warmups = (['zero', 'random', 'data'] as const).map((source) => ({
      ...{ name: `of ${source}`, batchSize: 2, count: 5, inputs: [{ ...input, source }] },
    }));
    const config = configOf({
      serving: {
        ...{ preserveOrdering: true, priorityLevels: 3, defaultPriorityLevel: 2, timeoutAction: 'delay' },
        ...{ allowTimeoutOverride: true, allowedBatchSizes: [4, 8, 32], warmupCount: 0, warmupRequests: warmups },
        priorityQueuePolicies: [{ ...policy, level: 1, timeoutAction: 'reject' }],
      },
    });
    expect(config.dynamicBatching).toMatchObject({
      ...{ preserveOrdering: true, priorityLevels: 3, defaultPriorityLevel: 2 },
      defaultQueuePolicy: { timeoutAction: 'DELAY', allowTimeoutOverride: true },
      priorityQueuePolicy: { 1: { ...policy, timeoutAction: 'REJECT' } },
    });
    expect(config.parameters).toMatchObject({ sluice_allowed_batch_sizes: { stringValue: '4,8,32' } });
    const asked = { dataType: 'TYPE_FP32', dims: [3, 4] };
    expect(config.modelWarmup).toEqual([
      { name: 'of zero', batchSize: 2, count: 5, inputs: { x: { ...asked, zeroData: true } } },
      { name: 'of random', batchSize: 2, count: 5, inputs: { x: { ...asked, randomData: true } } },
      { name: 'of data', batchSize: 2, count: 5, inputs: { x: { ...asked, inputDataFile: 'sluice.yaml' } } },
    ]);
  });

  it('has all of a batched version', () => {
    expect(configOf()).toEqual({
      name: 'team/m',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      versionPolicy: { specific: { versions: [3, 7] } },
      maxBatchSize: 32,
      input: [{ name: 'x', dataType: 'TYPE_FP32', dims: [3, -1] }],
      output: [
        { name: 'label', dataType: 'TYPE_STRING', dims: [] },
        { name: 'n', dataType: 'TYPE_INT64', dims: [2] },
      ],
      instanceGroup: [{ name: 'team/m_0', kind: 'KIND_CPU', count: 2 }],
      dynamicBatching: {
        preferredBatchSize: [4, 8],
        maxQueueDelayMicroseconds: 250,
        preserveOrdering: false,
        priorityLevels: 0,
        defaultPriorityLevel: 0,
        defaultQueuePolicy: {
          timeoutAction: 'REJECT',
          defaultTimeoutMicroseconds: 9_000,
          allowTimeoutOverride: false,
          maxQueueSize: 100,
        },
        priorityQueuePolicy: {},
      },
      defaultModelFilename: 'graphs/m.onnx',
      modelWarmup: [
        {
          name: 'generated',
          batchSize: 32,
          inputs: { x: { dataType: 'TYPE_FP32', dims: [3, 1], zeroData: true } },
          count: 3,
        },
      ],
      modelTransactionPolicy: { decoupled: false },
      parameters: {
        intra_op_thread_count: { stringValue: '4' },
        sluice_version: { stringValue: '7' },
        sluice_digest: { stringValue: 'd7' },
      },
    });
  });

  it('says on which devices the sessions are, or are to be while there are none', () => {
    const groups = [
      { count: 2, device: 'cuda' },
      { count: 0, device: 'webgpu' },
      { count: 1, device: 'cpu' },
    ];
    expect(configOf({ serving: { instanceGroups: groups } }).instanceGroup).toEqual([
      { name: 'team/m_0', kind: 'KIND_GPU', count: 2 },
      { name: 'team/m_1', kind: 'KIND_GPU', count: 1 },
      { name: 'team/m_2', kind: 'KIND_CPU', count: 1 },
    ]);
    const sessions = [
      { count: 1, device: 'cuda:0' },
      { count: 3, device: 'cuda:11' },
    ];
    expect(configOf({ serving: { instanceGroups: groups }, sessions }).instanceGroup).toEqual([
      { name: 'team/m_0', kind: 'KIND_GPU', count: 1, gpus: [0] },
      { name: 'team/m_1', kind: 'KIND_GPU', count: 3, gpus: [11] },
    ]);
  });

  it('prefers the largest batch where nothing is preferred, as Triton fills it in', () => {
    expect(configOf({ serving: { preferredBatchSize: [] } }).dynamicBatching?.preferredBatchSize).toEqual([32]);
  });

  it('keeps the first dimension, and has no batching, where rows are not batched', () => {
    const reason = 'rows depend on each other';
    const off = configOf({ serving: { maxBatchSize: 0, batchingOffReason: reason, warmupCount: 0 } });
    expect(off).toMatchObject({
      maxBatchSize: 0,
      input: [{ dims: [-1, 3, -1] }],
      modelWarmup: [],
      parameters: { sluice_batching_off_reason: { stringValue: reason } },
    });
    expect(off.dynamicBatching).toBeUndefined();
    const fixed = configOf({ signature: { ...batched, batched: false } });
    expect(fixed).toMatchObject({ maxBatchSize: 0, output: [{ dims: [-1] }, { dims: [-1, 2] }] });
    expect(fixed.modelWarmup).toMatchObject([{ batchSize: 0, inputs: { x: { dims: [1, 3, 1] } } }]);
  });
});
