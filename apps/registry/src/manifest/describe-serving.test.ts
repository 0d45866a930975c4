import { compileOptions } from '@sluice/batching/options';
import { SluiceError } from '@sluice/domain/errors';
import { servingDefaults, type ServingConfig } from '@sluice/domain/signature';
import { decodeTensor } from '@sluice/inference/tensor-data';
import { type BuilderDim, graph, model, node, type OnnxType, value } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { scanGraph } from '../onnx/scan-graph.ts';
import { describeVersion } from './describe-version.ts';
import { parseManifest } from './parse-manifest.ts';

type Inputs = Record<string, [OnnxType, readonly BuilderDim[]]>;

/** What becomes of a `sluice.yaml` beside a graph with these inputs. */
async function servingOf(text: string, inputs: Inputs = { x: ['FP32', ['batch', 2]] }) {
  const tensors = Object.entries(inputs).map(([name, [type, shape]]) => value(name, type, shape));
  const outputs = [value('y', 'FP32', [Object.values(inputs)[0]![1][0] ?? 1])];
  const bytes = model({ graph: graph({ nodes: [node('Identity', ['x'], ['y'])], inputs: tensors, outputs }) });
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  const info = await scanGraph({ size: bytes.length, read, close: async () => undefined });
  return describeVersion('m.onnx', info, parseManifest(Buffer.from(text))).serving;
}

async function problemsOf(text: string, inputs?: Inputs): Promise<readonly string[]> {
  try {
    await servingOf(text, inputs);
  } catch (error) {
    expect(error).toBeInstanceOf(SluiceError);
    expect((error as SluiceError).kind).toBe('invalid-argument');
    return (error as SluiceError).message.split('\n').slice(1);
  }
  return expect.unreachable('it was accepted');
}

/** The scheduler's settings, as runtimes make them; throws where it refuses them. */
function compiled({ timeoutAction, priorityQueuePolicies, ...serving }: ServingConfig) {
  const action = (of: ServingConfig['timeoutAction']) => (of === 'delay' ? 'DELAY' : 'REJECT');
  return compileOptions({
    ...serving,
    name: 'm version 1',
    timeoutAction: action(timeoutAction),
    priorityQueuePolicy: Object.fromEntries(
      priorityQueuePolicies.map(({ level, ...policy }) => [
        level,
        { ...policy, timeoutAction: action(policy.timeoutAction) },
      ]),
    ),
  });
}

describe('knobs of the scheduler', () => {
  it('have defaults that mean what was before they were there', async () => {
    expect(await servingOf('')).toEqual({ ...servingDefaults, maxBatchSize: 64 });
  });

  it('are all read', async () => {
    const text = `
batching:
  max_batch_size: 32
  preferred_batch_size: [8]
  allowed_batch_sizes: [1, 8, 32]
  max_queue_delay_microseconds: 500
  preserve_ordering: true
  timeout_action: delay
  default_timeout_microseconds: 100000
  allow_timeout_override: true
  max_queue_size: 1000
  priority_levels: 3
  default_priority_level: 2
  priority_queue_policy:
    3: { timeout_action: delay, default_timeout_microseconds: 5, allow_timeout_override: true, max_queue_size: 7 }
    1: { max_queue_size: 50 }
instances:
  intra_op_threads: 2
  cpu_operators: true
  groups: [{ device: cpu }, { count: 3, device: "cuda:1" }, { count: 2, device: webgpu }]
warm_up: { count: 0 }
`;
    expect(await servingOf(text)).toEqual({
      maxBatchSize: 32,
      preferredBatchSize: [8],
      allowedBatchSizes: [1, 8, 32],
      maxQueueDelayMicroseconds: 500,
      preserveOrdering: true,
      timeoutAction: 'delay',
      defaultTimeoutMicroseconds: 100_000,
      allowTimeoutOverride: true,
      maxQueueSize: 1000,
      priorityLevels: 3,
      defaultPriorityLevel: 2,
      // A policy that leaves something out does not inherit it.
      priorityQueuePolicies: [
        {
          level: 1,
          timeoutAction: 'reject',
          defaultTimeoutMicroseconds: 0,
          allowTimeoutOverride: false,
          maxQueueSize: 50,
        },
        {
          level: 3,
          timeoutAction: 'delay',
          defaultTimeoutMicroseconds: 5,
          allowTimeoutOverride: true,
          maxQueueSize: 7,
        },
      ],
      instanceCount: 6,
      intraOpThreads: 2,
      device: 'cuda:1',
      instanceGroups: [
        { count: 1, device: 'cpu' },
        { count: 3, device: 'cuda:1' },
        { count: 2, device: 'webgpu' },
      ],
      cpuOperators: true,
      ...{ warmupCount: 0, warmupRequests: [], batchingOffReason: '' },
    });
  });

  it.each(['cpu', 'cuda', 'cuda:0', 'cuda:15', 'webgpu'])('take the device %s', async (device) => {
    expect(await servingOf(`device: "${device}"`)).toMatchObject({ device, instanceCount: 0, instanceGroups: [] });
  });

  it.each(['gpu', 'cuda:', 'cuda:01', 'cuda:1000', 'cpu:0', 'webgpu:1', 'CPU', 'cuda:-1'])(
    'refuse the device %s, at the top and in a group',
    async (device) => {
      expect(await problemsOf(`device: "${device}"\ninstances:\n  groups: [{ device: "${device}" }]`)).toEqual([
        `sluice.yaml:1:9: device: expected cpu, cuda, cuda:<number> or webgpu, got "${device}"`,
        `sluice.yaml:3:22: instances.groups[0].device: expected cpu, cuda, cuda:<number> or webgpu, got "${device}"`,
      ]);
    },
  );

  it('are checked by form together', async () => {
    const text = [
      'batching:',
      '  allowed_batch_sizes: [1, x, 0, 65537]',
      '  preserve_ordering: 1',
      '  priority_levels: 101',
      '  default_priority_level: -1',
      '  timeout_action: DELAY',
      '  allow_timeout_override: maybe',
      '  priority_queue_policy:',
      '    1: { timeout_action: drop, max_queue_siz: 3 }',
      'instances: { groups: [{ count: 0, device: cpu }, { count: 2 }] }',
      'warm_up:',
      '  requests:',
      '    - { name: "", batch_size: 0, count: 1001, inputs: { x: { a: 1 } } }',
      '    - { nam: a }',
    ].join('\n');
    expect(await problemsOf(text)).toEqual([
      'sluice.yaml:2:28: batching.allowed_batch_sizes[1]: expected a whole number from 1 to 65536, got "x"',
      'sluice.yaml:2:31: batching.allowed_batch_sizes[2]: expected a whole number from 1 to 65536, got 0',
      'sluice.yaml:2:34: batching.allowed_batch_sizes[3]: expected a whole number from 1 to 65536, got 65537',
      'sluice.yaml:3:22: batching.preserve_ordering: expected true or false, got 1',
      'sluice.yaml:4:20: batching.priority_levels: expected a whole number from 0 to 100, got 101',
      'sluice.yaml:5:27: batching.default_priority_level: expected a whole number from 0 to 100, got -1',
      'sluice.yaml:6:19: batching.timeout_action: expected reject or delay, got "DELAY"',
      'sluice.yaml:7:27: batching.allow_timeout_override: expected true or false, got "maybe"',
      'sluice.yaml:9:26: batching.priority_queue_policy.1.timeout_action: expected reject or delay, got "drop"',
      'sluice.yaml:9:32: batching.priority_queue_policy.1.max_queue_siz: unknown key; did you mean "max_queue_size"?',
      'sluice.yaml:10:32: instances.groups[0].count: expected a whole number from 1 to 1024, got 0',
      'sluice.yaml:10:50: instances.groups[1].device: expected cpu, cuda, cuda:<number> or webgpu, got nothing',
      'sluice.yaml:13:15: warm_up.requests[0].name: expected a name of the request, got ""',
      'sluice.yaml:13:31: warm_up.requests[0].batch_size: expected a whole number from 1 to 65536, got 0',
      'sluice.yaml:13:41: warm_up.requests[0].count: expected a whole number from 1 to 1000, got 1001',
      'sluice.yaml:13:60: warm_up.requests[0].inputs.x: expected numbers, booleans or text in nested lists, got {"a":1}',
      'sluice.yaml:14:7: warm_up.requests[1].name: expected a name of the request (quote it if it looks like a number), got nothing',
      'sluice.yaml:14:7: warm_up.requests[1].inputs: expected a map of input names and values, got nothing',
      'sluice.yaml:14:9: warm_up.requests[1].nam: unknown key; did you mean "name"?',
    ]);
  });

  it('are held to each other and to the graph together', async () => {
    const text = [
      'device: cpu',
      'batching:',
      '  max_batch_size: 8',
      '  preferred_batch_size: [9]',
      '  allowed_batch_sizes: [2, 2, 1, 4]',
      '  priority_levels: 2',
      '  default_priority_level: 3',
      '  priority_queue_policy:',
      '    1: {}',
      '    2: {}',
      '    3: {}',
      '    0: {}',
      '    high: {}',
      'instances:',
      '  count: 2',
      '  groups: [{ count: 1000, device: cpu }, { count: 25, device: cpu }]',
    ].join('\n');
    expect(await problemsOf(text)).toEqual([
      'sluice.yaml:1:1: device: expected nothing, since instances.groups names devices, got "cpu"',
      'sluice.yaml:4:26: batching.preferred_batch_size[0]: expected at most max_batch_size (8), got 9',
      'sluice.yaml:5:28: batching.allowed_batch_sizes[1]: expected more than the size before it (2), got 2',
      'sluice.yaml:5:31: batching.allowed_batch_sizes[2]: expected more than the size before it (2), got 1',
      'sluice.yaml:5:34: batching.allowed_batch_sizes[3]: expected max_batch_size (8) as the last, got 4',
      'sluice.yaml:7:27: batching.default_priority_level: expected a level from 1 to 2, since there are priority_levels, got 3',
      'sluice.yaml:11:5: batching.priority_queue_policy.3: expected a level from 1 to 2, got "3"',
      'sluice.yaml:12:5: batching.priority_queue_policy.0: expected a level from 1 to 2, got "0"',
      'sluice.yaml:13:5: batching.priority_queue_policy.high: expected a level from 1 to 2, got "high"',
      'sluice.yaml:15:3: instances.count: expected nothing, since instances.groups has counts, got 2',
      'sluice.yaml:16:11: instances.groups: expected at most 1024 instances in all groups, got 1025',
    ]);
  });

  it.each([
    ['batching: { priority_levels: 2 }', /1:11: batching\.default_priority_level: .*from 1 to 2, .*got nothing$/],
    ['batching: { priority_levels: 2, default_priority_level: 0 }', /from 1 to 2, since .*got 0$/],
    ['batching: { default_priority_level: 1 }', /expected nothing, since there are no priority_levels, got 1$/],
    ['batching: { priority_queue_policy: { 1: {} } }', /1:38: .*expected nothing, since there are no .*got level "1"$/],
    ['batching: { priority_queue_policy: { 1: {}, "1": {} } }', /1:45: Map keys must be unique/],
    [
      'batching: { priority_levels: 1, default_priority_level: 1, priority_queue_policy: { "01": {} } }',
      /expected a level from 1 to 1, got "01"/,
    ],
    [
      'batching: { max_batch_size: 0, allowed_batch_sizes: [1] }',
      /expected none, since max_batch_size is 0, got 1 size/,
    ],
    ['batching: { allowed_batch_sizes: [32] }', /expected max_batch_size \(64\) as the last, got 32$/],
    [
      'batching: { preferred_batch_size: [8, 4], allowed_batch_sizes: [8, 64] }',
      /1:39: batching\.preferred_batch_size\[1\]: expected one of allowed_batch_sizes, got 4$/,
    ],
    ['instances: { groups: [] }', /instances\.groups: expected one group or more, got \[\]$/],
  ])('%s', async (text, message) => {
    expect((await problemsOf(text)).join('\n')).toMatch(message);
  });

  it('are never accepted where the scheduler of a runtime refuses them', async () => {
    const sizes = ['', '[1]', '[2]', '[3]', '[1, 2]', '[2, 4]', '[1, 4]', '[4]', '[4, 4]', '[4, 1]', '[5]'];
    const bounds = '{ max_queue_size: 7, default_timeout_microseconds: 5, timeout_action: delay }';
    const levels = ['', ', priority_levels: 100, default_priority_level: 100, priority_queue_policy: { 100: BOUNDS }'];
    let accepted = 0;
    for (const max of ['0', '1', '4'])
      for (const preferred of sizes)
        for (const allowed of sizes) {
          const given = [`max_batch_size: ${max}`];
          if (preferred) given.push(`preferred_batch_size: ${preferred}`);
          if (allowed) given.push(`allowed_batch_sizes: ${allowed}`);
          const level = levels[accepted % 2]!.replace('BOUNDS', bounds);
          const serving = await servingOf(`batching: { ${given.join()}${level} }`).catch(() => undefined);
          if (!serving) continue;
          accepted += 1;
          expect(() => compiled(serving), given.join()).not.toThrow();
        }
    expect(accepted).toBeGreaterThan(20);
  });

  it('take exactly 1024 instances, and the levels at the ends', async () => {
    const groups = 'instances: { groups: [{ count: 1000, device: cpu }, { count: 24, device: cpu }] }';
    expect(await servingOf(groups)).toMatchObject({ instanceCount: 1024, device: 'cpu' });
    for (const level of [1, 2]) {
      const text = `batching: { priority_levels: 2, default_priority_level: ${level}, priority_queue_policy: { ${level}: {} } }`;
      expect(await servingOf(text)).toMatchObject({ defaultPriorityLevel: level, priorityQueuePolicies: [{ level }] });
    }
  });
});

describe('warm-up requests', () => {
  const request = (rest: string) => `warm_up: { dimensions: { seq: 5 }, requests: [{ name: a, ${rest} }] }`;
  const mixed: Inputs = { x: ['FP32', ['batch', 2]], ids: ['INT64', ['batch', 'seq']], t: ['BYTES', ['batch']] };

  it('become the bytes that requests have, and shapes without anything open', async () => {
    const text = request('batch_size: 2, count: 3, inputs: { t: [a, b], x: [[1, .nan]], ids: random }');
    const { warmupRequests } = await servingOf(text, mixed);
    const [x, ids, t] = warmupRequests[0]!.inputs;
    expect(warmupRequests).toMatchObject([{ name: 'a', batchSize: 2, count: 3 }]);
    expect(x).toMatchObject({ name: 'x', source: 'data', shape: [1, 2] });
    expect([...decodeTensor('FP32', Buffer.from(x!.base64, 'base64'))]).toEqual([1, NaN]);
    expect(ids).toEqual({ name: 'ids', source: 'random', shape: [2, 5], base64: '' });
    expect(t).toMatchObject({ source: 'data', shape: [2] });
    expect(decodeTensor('BYTES', Buffer.from(t!.base64, 'base64'))).toEqual(['a', 'b']);
  });

  it('take the size of a dimension from the values of another input before that of dimensions', async () => {
    const inputs: Inputs = { x: ['FP32', ['batch', 'seq']], mask: ['BOOL', ['batch', 'seq']] };
    const { warmupRequests } = await servingOf(request('inputs: { x: zero, mask: [[true, false, true]] }'), inputs);
    expect(warmupRequests[0]!.inputs[0]).toEqual({ name: 'x', source: 'zero', shape: [1, 3], base64: '' });
  });

  it('take one row for a graph without a batch dimension', async () => {
    const inputs: Inputs = { x: ['FP32', [2]], s: ['FP32', []] };
    const { warmupRequests } = await servingOf(
      request('inputs: { x: zero, s: 2.5 }').replace('{ seq: 5 }', '{}'),
      inputs,
    );
    expect(warmupRequests[0]).toMatchObject({ batchSize: 1, inputs: [{ shape: [2] }, { shape: [] }] });
    const text = request('batch_size: 2, inputs: { x: zero, s: zero }').replace('{ seq: 5 }', '{}');
    expect((await problemsOf(text, inputs)).join()).toMatch(
      /requests\[0\]\.batch_size: expected 1, since the graph has no batch dimension, got 2/,
    );
  });

  it.each([
    [
      'inputs: { x: zero, ids: zero, t: zero, other: zero }',
      /inputs\.other: the graph has no such input; it has "x", "ids", "t"/,
    ],
    [
      'inputs: { x: zero, idz: zero, t: zero }',
      /inputs: the input "ids" is missing\n.*inputs\.idz: .*did you mean "ids"\?/,
    ],
    [
      'inputs: { x: ones, ids: zero, t: zero }',
      /inputs\.x: expected zero, random or values in nested lists, got "ones"/,
    ],
    ['inputs: { x: [[1, 2, 3]], ids: zero, t: zero }', /inputs\.x: expected the shape \[batch, 2\], got \[1, 3\]/],
    ['inputs: { x: [[1, a]], ids: zero, t: zero }', /inputs\.x: expected a number for FP32, got "a"/],
    ['inputs: { x: zero, ids: [[1.5]], t: zero }', /inputs\.ids: expected a whole number .* for INT64, got 1\.5/],
    ['inputs: { x: [[1, 2], [3, 4]], ids: zero, t: zero }', /inputs\.x: expected 1 row, as the batch_size, got 2/],
    [
      'batch_size: 3, inputs: { x: [[1, 2], [3, 4]], ids: zero, t: zero }',
      /expected 1 row or 3, as the batch_size, got 2/,
    ],
    ['inputs: { x: [], ids: zero, t: zero }', /inputs\.x: expected the shape \[batch, 2\], got \[0\]/],
    [
      'batch_size: 65, inputs: { x: zero, ids: zero, t: zero }',
      /batch_size: expected at most max_batch_size \(64\), got 65/,
    ],
    [
      'inputs: { x: zero, ids: zero, t: zero } }, { name: a, inputs: { x: zero, ids: zero, t: zero }',
      /requests\[1\]\.name: the warm-up request "a" is given twice/,
    ],
  ])('%s', async (rest, message) => {
    expect((await problemsOf(request(rest), mixed)).join('\n')).toMatch(message);
  });

  it('have any number of rows where rows are not batched', async () => {
    const text =
      'batching: { max_batch_size: 0 }\nwarm_up: { requests: [{ name: a, batch_size: 99, inputs: { x: zero } }] }';
    expect((await servingOf(text)).warmupRequests).toMatchObject([{ batchSize: 99, inputs: [{ shape: [99, 2] }] }]);
  });

  it('do not take the number of rows for the size of a dimension of the same name', async () => {
    const inputs: Inputs = { x: ['FP32', ['batch', 'batch']], m: ['FP32', ['batch']] };
    const text =
      'warm_up: { dimensions: { batch: 5 }, requests: [{ name: a, batch_size: 2, inputs: { x: zero, m: [1, 1] } }] }';
    expect((await servingOf(text, inputs)).warmupRequests[0]!.inputs[0]!.shape).toEqual([2, 5]);
  });

  it('know of no input and no size that nobody wrote, whatever its name', async () => {
    const inputs: Inputs = { x: ['FP32', ['batch', 'valueOf']], toString: ['FP32', ['batch']] as [OnnxType, string[]] };
    const text = 'warm_up: { requests: [{ name: a, inputs: { x: zero } }] }';
    expect((await problemsOf(text, inputs)).join()).toMatch(
      /dimension 1 of \[batch, valueOf\] has no size.*the input "toString" is missing|is missing.*has no size/,
    );
  });

  it('need a size for every dimension that is generated', async () => {
    const inputs: Inputs = { x: ['FP32', ['batch', 'seq', 'more']] };
    expect(await problemsOf('warm_up:\n  requests:\n    - { name: a, inputs: { x: random } }', inputs)).toEqual([
      'sluice.yaml:3:31: warm_up.requests[0].inputs.x: dimension 1 of [batch, seq, more] has no size: give it in warm_up.dimensions as "seq"',
    ]);
  });

  it('have at most 2,000,000 random values, in all inputs together', async () => {
    const inputs: Inputs = { x: ['UINT8', ['batch', 'n']], y: ['FP32', ['batch', 'n']], z: ['FP32', ['batch', 'n']] };
    const sized = (n: number) =>
      `warm_up: { dimensions: { n: ${n} }, requests: [{ name: a, batch_size: 10, inputs: { x: random, y: random, z: zero } }] }`;
    expect((await servingOf(sized(100_000), inputs)).warmupRequests).toHaveLength(1);
    expect((await problemsOf(sized(100_001), inputs)).join()).toMatch(
      /requests\[0\]: expected at most 2000000 random values, got 2000020: give fewer rows, zero or values$/,
    );
  });

  it('are bounded: 16, 64 MiB of inputs each, 1 MiB as stored', async () => {
    const inputs: Inputs = { x: ['FP32', ['batch', 'n']] };
    const sized = (n: number) =>
      `warm_up: { dimensions: { n: ${n} }, requests: [{ name: a, batch_size: 64, inputs: { x: zero } }] }`;
    const most = 64 * 1024 * 1024;
    expect(await servingOf(sized(most / 4 / 64), inputs)).toMatchObject({ warmupRequests: [{ batchSize: 64 }] });
    expect((await problemsOf(sized(most / 4 / 64 + 1), inputs)).join()).toMatch(
      /requests\[0\]: expected at most 67108864 bytes of inputs, got 67109120/,
    );
    const text: Inputs = { x: ['BYTES', ['batch', 'n']] };
    expect(await servingOf(sized(Math.floor(most / 5 / 64)), text)).toMatchObject({ warmupRequests: [{ count: 1 }] });
    expect((await problemsOf(sized(Math.floor(most / 5 / 64) + 1), text)).join()).toMatch(/bytes of inputs, got 67/);
    const repeated = `{ name: a, batch_size: 100, inputs: { x: [[${Array(90_000).fill(1).join()}]] } }`;
    const wideRows = `batching: { max_batch_size: 100 }\nwarm_up: { requests: [${repeated}] }`;
    expect((await problemsOf(wideRows, { x: ['FP64', ['batch', 'n']] })).join()).toMatch(
      /bytes of inputs, got 72000000/,
    );
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => `{ name: r${index}, inputs: { x: zero } }`);
    const list = (count: number) => `warm_up: { requests: [${many(count).join()}] }`;
    expect((await servingOf(list(16))).warmupRequests).toHaveLength(16);
    expect((await problemsOf(list(17))).join()).toMatch(/warm_up\.requests: expected at most 16 warm-up requests/);
    const wide = (n: number) => `warm_up: { requests: [{ name: a, inputs: { x: [[${Array(n).fill(1).join()}]] } }] }`;
    const doubles: Inputs = { x: ['FP64', ['batch', 'n']] };
    const stored = (await servingOf(wide(98_000), doubles)).warmupRequests;
    expect(JSON.stringify(stored).length).toBeGreaterThan(1_045_000);
    expect((await problemsOf(wide(98_400), doubles)).join()).toMatch(
      /warm_up\.requests: expected at most 1048576 bytes in the form in which they are stored, got 10497\d\d/,
    );
  });
});
