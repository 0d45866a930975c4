import type { ServingConfig__Output } from '@sluice/contracts/gen/sluice/registry/v1/ServingConfig';
import { describe, expect, it } from 'vitest';
import { servingFields, servingLines } from './serving.ts';

const plain: ServingConfig__Output = {
  maxBatchSize: 64,
  preferredBatchSize: [],
  maxQueueDelayMicroseconds: '0',
  maxQueueSize: 0,
  defaultTimeoutMicroseconds: '0',
  instanceCount: 0,
  intraOpThreads: 0,
  device: 'cpu',
  warmupCount: 1,
  batchingOffReason: '',
  allowedBatchSizes: [],
  preserveOrdering: false,
  priorityLevels: 0,
  defaultPriorityLevel: 0,
  timeoutAction: 'TIMEOUT_ACTION_REJECT',
  allowTimeoutOverride: false,
  priorityQueuePolicies: [],
  instanceGroups: [],
  cpuOperators: false,
  warmupRequests: [],
  sequenceBatching: null,
};
const policy = {
  timeoutAction: 'TIMEOUT_ACTION_REJECT',
  defaultTimeoutMicroseconds: '0',
  allowTimeoutOverride: false,
  maxQueueSize: 0,
} as const;
const full: ServingConfig__Output = {
  ...plain,
  maxBatchSize: 32,
  preferredBatchSize: [8, 16],
  maxQueueDelayMicroseconds: '500',
  allowedBatchSizes: [1, 8, 32],
  maxQueueSize: 1000,
  defaultTimeoutMicroseconds: '100000',
  timeoutAction: 'TIMEOUT_ACTION_DELAY',
  allowTimeoutOverride: true,
  preserveOrdering: true,
  priorityLevels: 3,
  defaultPriorityLevel: 2,
  priorityQueuePolicies: [
    { level: 1, ...policy },
    { level: 3, ...policy, maxQueueSize: 1 },
  ],
  instanceCount: 3,
  device: 'cuda:1',
  instanceGroups: [
    { count: 2, device: 'cpu' },
    { count: 1, device: 'cuda:1' },
  ],
  cpuOperators: true,
  intraOpThreads: 2,
  warmupCount: 0,
  warmupRequests: [
    {
      name: 'a',
      batchSize: 4,
      count: 2,
      inputs: [
        { name: 'x', shape: ['1'], source: 'rawData', rawData: Buffer.alloc(4) },
        { name: 'z', shape: ['4'], source: 'zeroData', zeroData: true },
      ],
    },
    {
      name: 'b',
      batchSize: 1,
      count: 1,
      inputs: [{ name: 'x', shape: ['1'], source: 'randomData', randomData: true }],
    },
  ],
};
const said = (serving: ServingConfig__Output) => servingFields(serving).filter(([, value]) => value !== '');

describe('how a version is run', () => {
  it('is short where nobody decided anything', () => {
    expect(said(plain)).toEqual([
      ['batching', 'up to 64 rows'],
      ['device', 'cpu'],
    ]);
    expect(servingLines(plain)).toEqual([]);
    expect(servingLines({ ...plain, maxBatchSize: 0, batchingOffReason: 'rows, as it is, differ' })).toEqual([]);
    expect(said({ ...plain, maxBatchSize: 0, batchingOffReason: 'why' })[0]).toEqual(['batching', 'off: why']);
  });

  it('names every setting', () => {
    expect(said(full)).toEqual([
      ['batching', 'up to 32 rows, waiting up to 500 µs, at once with 8, 16, filled up to 1, 8, 32'],
      ['queue', 'at most 1000 requests, at most 100000 µs, then behind all others, requests may ask for less time'],
      ['priorities', '3 levels, 2 where none is named\nlevel 1: no bounds\nlevel 3: at most 1 request'],
      ['order', 'answers leave in the order of their requests'],
      ['instances', '2 on cpu, 1 on cuda:1'],
      ['operators', 'those that the device does not have may run on the CPU'],
      ['threads', '2 for each instance'],
      ['warm-up', '0 rounds of generated batches\n"a": 4 rows 2 times, x given, z zeros\n"b": 1 row, x random'],
    ]);
  });

  it('is told after a push, a line for each setting that somebody chose', () => {
    expect(servingLines(full)).toHaveLength(8);
    expect(servingLines(full).at(-1)).toMatch(/^warm-up: 0 rounds of generated batches; "a": 4 rows/);
    expect(servingLines({ ...plain, instanceCount: 2, device: 'cuda' })).toEqual(['device: cuda', 'instances: 2']);
    expect(servingLines({ ...plain, warmupCount: 3 })).toEqual(['warm-up: 3 rounds of generated batches']);
  });

  it('says what sequences have', () => {
    const sequenceBatching: ServingConfig__Output['sequenceBatching'] = {
      maxSequenceIdleMicroseconds: '5000',
      strategy: 'direct',
      direct: { maxQueueDelayMicroseconds: '70', minimumSlotUtilization: 0.5 },
      controlInputs: [
        { name: 'START', kind: 'CONTROL_KIND_START', datatype: 'BOOL', dims: ['1'], falseValue: 0, trueValue: 1 },
      ],
      states: [{ inputName: 'S', outputName: 'T', datatype: 'FP32', dims: ['1'], zeroData: true }],
    };
    expect(servingLines({ ...plain, sequenceBatching })).toEqual([
      'sequences: over after 5000 µs without a request, waiting up to 70 µs for 50 % of the slots, controls START, states S',
    ]);
    const idle = { maxSequenceIdleMicroseconds: '5000', direct: null, controlInputs: [], states: [] };
    expect(servingLines({ ...plain, sequenceBatching: idle })).toEqual([
      'sequences: over after 5000 µs without a request',
    ]);
  });
});
