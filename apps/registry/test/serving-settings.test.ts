import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import type { Assignment__Output } from '@sluice/contracts/gen/sluice/registry/v1/Assignment';
import type { ModelRoute__Output } from '@sluice/contracts/gen/sluice/registry/v1/ModelRoute';
import pg from 'pg';
import type { Replica } from './harness.ts';
import { linearModel, push, Site } from './harness.ts';

let site: Site;
let replica: Replica;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
});
afterAll(async () => {
  await site.close();
});

const manifest = `
signature: { inputs: [{ name: pixels, range: [0, 16] }] }
batching:
  max_batch_size: 32
  preferred_batch_size: [8]
  allowed_batch_sizes: [1, 8, 32]
  max_queue_delay_microseconds: 500
  preserve_ordering: true
  timeout_action: delay
  default_timeout_microseconds: 3600000000
  allow_timeout_override: true
  max_queue_size: 1000
  priority_levels: 3
  default_priority_level: 2
  priority_queue_policy:
    1: { timeout_action: reject, default_timeout_microseconds: 5, allow_timeout_override: true, max_queue_size: 7 }
    3: { timeout_action: delay }
instances: { intra_op_threads: 1, cpu_operators: true, groups: [{ count: 2, device: cpu }, { device: "cuda:1" }] }
warm_up:
  count: 2
  requests:
    - { name: ones, batch_size: 2, count: 3, inputs: { pixels: [[${Array(64).fill(1).join()}]] } }
    - { name: any, inputs: { pixels: random } }
    - { name: none, inputs: { pixels: zero } }
`;

const ones = Buffer.from(new Float32Array(64).fill(1).buffer);
const serving = {
  maxBatchSize: 32,
  preferredBatchSize: [8],
  allowedBatchSizes: [1, 8, 32],
  maxQueueDelayMicroseconds: '500',
  preserveOrdering: true,
  timeoutAction: 'TIMEOUT_ACTION_DELAY',
  defaultTimeoutMicroseconds: '3600000000',
  allowTimeoutOverride: true,
  maxQueueSize: 1000,
  priorityLevels: 3,
  defaultPriorityLevel: 2,
  priorityQueuePolicies: [
    {
      level: 1,
      timeoutAction: 'TIMEOUT_ACTION_REJECT',
      defaultTimeoutMicroseconds: '5',
      allowTimeoutOverride: true,
      maxQueueSize: 7,
    },
    {
      level: 3,
      timeoutAction: 'TIMEOUT_ACTION_DELAY',
      defaultTimeoutMicroseconds: '0',
      allowTimeoutOverride: false,
      maxQueueSize: 0,
    },
  ],
  instanceCount: 3,
  intraOpThreads: 1,
  device: 'cuda:1',
  instanceGroups: [
    { count: 2, device: 'cpu' },
    { count: 1, device: 'cuda:1' },
  ],
  cpuOperators: true,
  warmupCount: 2,
  warmupRequests: [
    {
      name: 'ones',
      batchSize: 2,
      count: 3,
      inputs: [{ name: 'pixels', shape: ['1', '64'], source: 'rawData', rawData: ones }],
    },
    {
      name: 'any',
      batchSize: 1,
      count: 1,
      inputs: [{ name: 'pixels', shape: ['1', '64'], source: 'randomData', randomData: true }],
    },
    {
      name: 'none',
      batchSize: 1,
      count: 1,
      inputs: [{ name: 'pixels', shape: ['1', '64'], source: 'zeroData', zeroData: true }],
    },
  ],
  batchingOffReason: '',
  sequenceBatching: null,
};

/** OUTPUT is the sum of the sequence. */
function accumulator(): Map<string, Uint8Array> {
  const int = (name: string) => value(name, 'INT32', ['batch', 1]);
  const bytes = model({
    graph: graph({
      nodes: [
        node('Add', ['INPUT', 'STATE'], ['sum']),
        node('Mul', ['sum', 'READY'], ['OUTPUT']),
        node('Identity', ['sum'], ['STATE_NEXT']),
      ],
      inputs: ['INPUT', 'READY', 'STATE'].map(int),
      outputs: ['OUTPUT', 'STATE_NEXT'].map(int),
    }),
  });
  const text = `
sequence_batching:
  max_sequence_idle_microseconds: 5000000
  direct: { max_queue_delay_microseconds: 100, minimum_slot_utilization: 0.5 }
  control_input: [{ name: READY, control: ready, int32_false_true: [0, 1] }]
  state: [{ input_name: STATE, output_name: STATE_NEXT, initial_state: { data_file: initial.bin } }]
`;
  return new Map([
    ['m.onnx', bytes],
    ['sluice.yaml', Buffer.from(text)],
    ['initial.bin', Buffer.from([7, 0, 0, 0])],
  ]);
}

/** The first of what a watch says of the model. */
async function assignmentOf(from: Replica, model: string): Promise<Assignment__Output | undefined> {
  for await (const update of from
    .watch()
    .watchAssignments({ runtimeId: 'rt', pool: 'default', protocolVersion: 2, devices: ['cpu', 'cuda:1'] })) {
    const found = update.assignments.find((one) => one.model === model);
    if (found || !update.more) return found;
  }
  return undefined;
}

async function modelRouteOf(from: Replica, model: string): Promise<ModelRoute__Output | undefined> {
  for await (const update of from.watch().watchRoutes({ routerId: 'router', protocolVersion: 2 })) {
    const found = update.models.find((one) => one.model === model);
    if (found || !update.more) return found;
  }
  return undefined;
}

const routeOf = async (from: Replica, model: string) => (await modelRouteOf(from, model))?.placed[0];

/** Changes what is stored as no registry would. */
async function asOwner(text: string, value: unknown): Promise<void> {
  const owner = new pg.Client({ connectionString: site.ownerUrl });
  await owner.connect();
  await owner.query(`set session_replication_role = 'replica'`);
  await owner.query(text, [value]);
  await owner.end();
}

describe('a version with every setting', () => {
  it('is answered, told to runtimes, and told to routers without its warm-up', async () => {
    const ann = replica.as('ann');
    const files = await linearModel();
    const { version, progress } = await push(ann, 'tuned', files.set('sluice.yaml', Buffer.from(manifest)));
    expect(version.rejection).toBe('');
    expect(version.serving).toEqual(serving);
    // Admission runs what every runtime will run.
    for (const name of ['ones', 'any', 'none'])
      expect(progress).toContainEqual(expect.stringMatching(new RegExp(`^warm-up:${name}: ok, ran with [12] rows`)));
    const devices = ['cpu', 'cuda:1'].map((name) => ({ name, state: 'DEVICE_STATE_AVAILABLE' as const }));
    const lease = { runtimeId: 'rt', pool: 'default', address: '127.0.0.1:1', ttlMs: 60_000, devices };
    await replica.watch().renewRuntimeLease(lease);
    await ann.pinVersion({ model: 'tuned', version: 1 });
    await eventually(async () => expect((await assignmentOf(replica, 'tuned'))?.serving).toEqual(serving));
    expect((await routeOf(replica, 'tuned'))?.serving).toEqual({ ...serving, warmupRequests: [] });
  });

  it('has settings of sequences, whose states routers are not told', async () => {
    const ann = replica.as('ann');
    const { version } = await push(ann, 'sums', accumulator());
    expect(version.rejection).toBe('');
    expect(version.signature?.inputs.map(({ name }) => name)).toEqual(['INPUT']);
    expect(version.signature?.outputs.map(({ name }) => name)).toEqual(['OUTPUT']);
    const state = { inputName: 'STATE', outputName: 'STATE_NEXT', datatype: 'INT32', dims: ['1'] };
    const sequences = {
      maxSequenceIdleMicroseconds: '5000000',
      strategy: 'direct',
      direct: { maxQueueDelayMicroseconds: '100', minimumSlotUtilization: 0.5 },
      controlInputs: [
        {
          ...{ name: 'READY', kind: 'CONTROL_KIND_READY', datatype: 'INT32', dims: ['1'] },
          ...{ falseValue: 0, trueValue: 1 },
        },
      ],
      states: [{ ...state, initialState: 'rawData', rawData: Buffer.from([7, 0, 0, 0]) }],
    };
    expect(version.serving?.sequenceBatching).toEqual(sequences);
    // Requests load it before anything places it.
    const keeps = { placed: [], unplaced: ['1'], keepsSequences: true };
    await eventually(async () => expect(await modelRouteOf(replica, 'sums')).toMatchObject(keeps));
    // One that keeps none is beside it, and alone in its own model.
    for (const model of ['sums', 'plain']) await push(ann, model, await linearModel());
    const both = { ...keeps, unplaced: ['1', '2'] };
    await eventually(async () => expect(await modelRouteOf(replica, 'sums')).toMatchObject(both));
    const none = { unplaced: ['1'], keepsSequences: false };
    await eventually(async () => expect(await modelRouteOf(replica, 'plain')).toMatchObject(none));
    await ann.pinVersion({ model: 'sums', version: 1 });
    await eventually(async () =>
      expect((await assignmentOf(replica, 'sums'))?.serving?.sequenceBatching).toEqual(sequences),
    );
    const routed = { ...sequences, states: [{ ...state, initialState: 'zeroData', zeroData: true }] };
    expect((await routeOf(replica, 'sums'))?.serving?.sequenceBatching).toEqual(routed);
  });

  it('answers alone in a release when it keeps sequences', async () => {
    await replica.as('bob').approve({ model: 'sums', version: 1 });
    const arm = { version: 1, weight: 1 };
    const release = {
      ...{ model: 'sums', mode: 'RELEASE_MODE_AB' as const },
      arms: [
        { ...arm, name: 'a', role: 'ARM_ROLE_PRIMARY' as const },
        { ...arm, name: 'b', role: 'ARM_ROLE_CANDIDATE' as const },
      ],
    };
    await expect(replica.as('ann').putRelease(release)).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringMatching(
        /^arms\[0\]\.version: version 1 keeps sequences, and a sequence lives on one/,
      ) as string,
    });
  });

  it('is the same after a restart', async () => {
    await replica.stop();
    replica = await site.start();
    expect((await replica.as('ann').getVersion({ model: 'tuned', version: '1' })).version?.serving).toEqual(serving);
    await eventually(async () => expect((await assignmentOf(replica, 'tuned'))?.serving).toEqual(serving));
  });

  it('is rejected for a warm-up request that the model fails on, by name', async () => {
    const bytes = model({
      graph: graph({
        nodes: [node('Gather', ['table', 'x'], ['y'])],
        inputs: [value('x', 'INT64', ['batch'])],
        outputs: [value('y', 'FP32', ['batch', 1])],
        initializers: [tensor('table', 'FP32', [3, 1], [10, 11, 12])],
      }),
    });
    const text = `warm_up: { requests: [{ name: inside, inputs: { x: [2] } }, { name: beyond, inputs: { x: [3] } }] }`;
    const files = new Map([['m.onnx', bytes], ['sluice.yaml', Buffer.from(text)] as const]);
    const { version } = await push(replica.as('ann'), 'table', files);
    expect(version).toMatchObject({
      state: 'VERSION_STATE_REJECTED',
      rejection: expect.stringMatching(/^warm-up:beyond: .*Gather/) as string,
    });
    expect(version.admission?.checks.map(({ name, passed }) => [name, passed])).toContainEqual([
      'warm-up:inside',
      true,
    ]);
  });

  it('reads one that was stored before there were these settings, with their defaults', async () => {
    const later = ['allowedBatchSizes', 'preserveOrdering', 'priorityLevels', 'defaultPriorityLevel', 'timeoutAction'];
    later.push('allowTimeoutOverride', 'priorityQueuePolicies', 'instanceGroups', 'warmupRequests', 'cpuOperators');
    await asOwner(`update registry.version set serving = serving - $1::text[] where model = 'tuned'`, later);
    await asOwner(`update registry.version_history set serving = serving - $1::text[] where model = 'tuned'`, later);
    await replica.stop();
    replica = await site.start();
    const old = {
      ...serving,
      ...{ allowedBatchSizes: [], preserveOrdering: false, priorityLevels: 0, defaultPriorityLevel: 0 },
      ...{ timeoutAction: 'TIMEOUT_ACTION_REJECT', allowTimeoutOverride: false, priorityQueuePolicies: [] },
      ...{ instanceGroups: [], warmupRequests: [], cpuOperators: false },
    };
    const ann = replica.as('ann');
    expect((await ann.getVersion({ model: 'tuned', version: '1' })).version?.serving).toEqual(old);
    await eventually(async () => expect((await assignmentOf(replica, 'tuned'))?.serving).toEqual(old));
    const { versions } = await ann.getStateAsOf({ model: 'tuned', time: { seconds: Math.ceil(Date.now() / 1000) } });
    expect(versions[0]?.serving).toEqual(old);
  });

  it('is placed only where watchers can be told of its settings', async () => {
    await push(replica.as('ann'), 'heavy', await linearModel());
    const grow = `update registry.version set serving = jsonb_set(serving, '{batchingOffReason}', to_jsonb(repeat('x', $1)))
      where model = 'heavy'`;
    await asOwner(grow, 32 * 1024 * 1024);
    await expect(replica.as('ann').pinVersion({ model: 'heavy', version: 1 })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining(
        'heavy version 1 cannot be placed: signatures, settings and file lists',
      ) as string,
    });
  });
});
