import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { attribute, graph, model, node, value } from '@sluice/testkit/onnx-builder';
import { adder, ask } from './support/adder.ts';
import { loopingModel } from './support/looping-model.ts';
import {
  identitySignature,
  requestOf,
  spec,
  startRuntime,
  temporaryFolder,
  type TestRuntime,
} from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

const serving = { maxBatchSize: 8, device: 'cpu', warmupCount: 5 };

/** Sums as many zeros as it is asked to: no time for 0, which is what a warm-up asks, and as long as one wants else. */
const elastic: TestVersion = {
  model: 'elastic',
  version: 1,
  signature: { inputs: [spec('x', 'INT64', [1])], outputs: [spec('y', 'FP32', [])], batched: false },
  serving: { ...serving, maxBatchSize: 0 },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [
          node('ConstantOfShape', ['x'], ['zeros']),
          node('ReduceSum', ['zeros'], ['y'], [attribute.int('keepdims', 0)]),
        ],
        inputs: [value('x', 'INT64', [1])],
        outputs: [value('y', 'FP32', [])],
      }),
    }),
  },
};

let registry: TestRegistry;
let runtime: TestRuntime;
const workers: Worker[] = [];
let onWorker: (worker: Worker) => void = () => undefined;
const collect = (worker: Worker): void => {
  workers.push(worker);
  onWorker(worker);
};

beforeEach(async () => {
  workers.length = 0;
  onWorker = () => undefined;
  process.on('worker', collect);
  registry = await new TestRegistry().start();
});
afterEach(async () => {
  process.off('worker', collect);
  await runtime.stop();
  await registry.stop();
});

const start = async () => (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
const sharing = async () =>
  Object.fromEntries(
    (await runtime.state()).versions.map(({ model, state, sharesThread }) => [model, [state, sharesThread]]),
  ) as Record<string, unknown>;

describe('the thread that versions share', () => {
  it('is for graphs without control flow, and a version that turns out to be slow leaves it while it serves', async () => {
    const looping: TestVersion = {
      model: 'looping',
      version: 1,
      signature: identitySignature('FP32', [-1, 1]),
      serving,
      files: { 'm.onnx': loopingModel(2) },
    };
    registry.place({ ...adder(1, ['champion']), serving }, elastic, looping);
    runtime = await start();
    expect(await sharing()).toEqual({ adder: ['ready', true], elastic: ['ready', true], looping: ['ready', false] });
    const before = workers.length;
    const sum = (zeros: bigint) => runtime.infer(requestOf('elastic', 'INT64', [1], [zeros]));
    await sum(30_000_000n);
    await eventually(async () => {
      await sum(5n);
      expect(await sharing()).toMatchObject({ elastic: ['ready', false] });
    });
    expect(workers).toHaveLength(before + 1);
    expect(await sharing()).toMatchObject({ adder: ['ready', true] });
    await Promise.all([sum(1n), sum(2n), sum(30_000_000n), runtime.infer(ask())]);
    expect((await runtime.state()).versions[1]).toMatchObject({ requests: { failed: { BACKEND: 0 } } });
  });
});

describe('a session that ends while its version loads', () => {
  it('makes the load fail and begin again: nothing is ready on a thread that is gone', async () => {
    const pair = { ...adder(1, ['champion']), serving: { ...serving, warmupCount: 0, instanceCount: 2 } };
    registry.place(pair);
    // The first session is loaded when the second gets its thread.
    onWorker = (worker) => {
      if (workers.indexOf(worker) === 1) void workers[0]!.terminate();
    };
    runtime = await start();
    await runtime.modelReady('adder');
    expect(workers).toHaveLength(4);
    const answers = await Promise.all(Array.from({ length: 20 }, () => runtime.infer(ask())));
    expect(answers).toHaveLength(20);
    expect(runtime.log.some((line) => line['msg'] === 'a session ended by itself')).toBe(true);
  });
});
