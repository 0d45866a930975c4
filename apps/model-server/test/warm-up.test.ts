import { afterEach, beforeEach, expect, it } from 'vitest';
import type { WarmupRequest } from '@sluice/contracts/gen/sluice/registry/v1/WarmupRequest';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import {
  identitySignature,
  spec,
  requestOf,
  startRuntime,
  temporaryFolder,
  type TestRuntime,
} from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';
import { adder } from './support/adder.ts';
import { loopingModel } from './support/looping-model.ts';

let registry: TestRegistry;
let runtime: TestRuntime | undefined;

beforeEach(async () => {
  registry = await new TestRegistry().start();
});
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  await registry.stop();
});

const start = async () => {
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
  return runtime;
};

/** Looks up rows of a table of three: every other index is an error of the run. */
function table(version: number, warmupRequests: WarmupRequest[], max = 2): TestVersion {
  const bytes = model({
    graph: graph({
      nodes: [node('Gather', ['table', 'x'], ['y'])],
      inputs: [value('x', 'INT64', ['batch'])],
      outputs: [value('y', 'FP32', ['batch', 1])],
      initializers: [tensor('table', 'FP32', [3, 1], [10, 11, 12])],
    }),
  });
  return {
    model: 'table',
    version,
    signature: {
      inputs: [{ ...spec('x', 'INT64', [-1]), min: 0, max }],
      outputs: [spec('y', 'FP32', [-1, 1])],
      batched: true,
    },
    serving: { maxBatchSize: 4, device: 'cpu', warmupCount: 1, warmupRequests },
    files: { 'm.onnx': bytes },
    aliases: ['champion'],
  };
}

const real = (name: string, values: number[]): WarmupRequest => {
  const input = { name: 'x', shape: [values.length], rawData: Buffer.from(encodeTensor('INT64', values)) };
  return { name, batchSize: values.length, count: 2, inputs: [input] };
};

it('runs the warm-up requests of a version before it is ready', async () => {
  const random: WarmupRequest = {
    name: 'any',
    batchSize: 4,
    count: 1,
    inputs: [{ name: 'x', shape: [4], randomData: true }],
  };
  registry.place(table(1, [real('all of it', [2, 0, 1]), random]));
  const served = await start();
  await served.modelReady('table');
  expect((await served.infer(requestOf('table', 'INT64', [1], [2]))).modelVersion).toBe('1');
  // One row, then one and four rows, then twice the first and once the second, each but the first in two slots.
  const loaded = served.log.find((line) => line['msg'] === 'version loaded');
  expect(loaded).toMatchObject({ warmUpRuns: 1 + 2 * 2 + 2 * 2 + 2 });
});

it.each<[what: string, requests: WarmupRequest[], max: number, name: string]>([
  ['given values', [real('inside', [2]), real('beyond the table', [1, 3])], 2, 'beyond the table'],
  [
    'random values',
    [{ name: 'wide', batchSize: 4, count: 1, inputs: [{ name: 'x', shape: [4], randomData: true }] }],
    1e9,
    'wide',
  ],
])('does not load a version that fails on %s, and names the warm-up', async (_what, requests, max, name) => {
  registry.place(table(1, requests, max));
  const served = await start();
  const reason = expect.stringMatching(new RegExp(`^warm-up "${name}": the model failed: .*Gather`)) as string;
  await eventually(() =>
    expect(registry.leases.at(-1)?.versions).toMatchObject([{ version: '1', state: 'LOAD_STATE_FAILED', reason }]),
  );
  await expect(served.infer(requestOf('table', 'INT64', [1], [0]))).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining(`warm-up "${name}"`) as string,
  });
});

it('makes a session for each instance of the groups on the CPU, and refuses a group of another device by name', async () => {
  const grouped = (version: number, ...instanceGroups: { count: number; device: string }[]): TestVersion => ({
    ...adder(version, version === 1 ? ['champion'] : []),
    serving: { maxBatchSize: 8, device: 'cpu', warmupCount: 1, instanceGroups },
  });
  const cpu = (count: number) => ({ count, device: 'cpu' });
  registry.place(grouped(1, cpu(1), cpu(1)), grouped(2, cpu(1), { count: 1, device: 'cuda:1' }));
  const served = await start();
  const reason =
    'device "cuda:1" is not one that this runtime offers (cpu): start it with --devices=cpu,cuda:1, or push the version ' +
    'for another device';
  await eventually(() =>
    expect(registry.leases.at(-1)?.versions).toMatchObject([
      { version: '1', state: 'LOAD_STATE_READY' },
      { version: '2', state: 'LOAD_STATE_FAILED', reason },
    ]),
  );
  const loaded = served.log.find((line) => line['msg'] === 'version loaded');
  expect(loaded).toMatchObject({ instances: 2, sharesThread: false });
});

it('lets go of a version that is withdrawn while it is warmed up, and loads the next', async () => {
  // Some tenths of a second a round.
  const zeros: WarmupRequest = {
    name: 'long',
    batchSize: 1,
    count: 1000,
    inputs: [{ name: 'x', shape: [1, 1], zeroData: true }],
  };
  const long: TestVersion = {
    ...{ model: 'long', version: 1, signature: identitySignature('FP32', [-1, 1]), aliases: ['champion'] },
    serving: { maxBatchSize: 1, device: 'cpu', warmupCount: 0, warmupRequests: [zeros] },
    files: { 'm.onnx': loopingModel(100_000) },
  };
  registry.place(long);
  runtime = await startRuntime({ registry: registry.address, stateDir: temporaryFolder() });
  await eventually(async () => expect((await runtime!.state()).versions).toMatchObject([{ state: 'warming' }]));
  registry.place(adder(1, ['champion']));
  await runtime.modelReady('adder');
});
