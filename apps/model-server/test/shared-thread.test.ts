import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { attribute, graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import type { BatchJob } from '../src/runtime/session-thread.ts';
import { SessionPool } from '../src/runtime/session-pool.ts';
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
import { openSlowly } from './support/shareable.ts';
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
    onTestFinished(openSlowly());
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

it('a version whose graph takes long to open keeps its own thread: opening it in the shared one would hold up others', async () => {
  const width = 400;
  const squares = Array.from({ length: 8 }, (_, index) => node('MatMul', [`w${index}`, 'w0'], [`w${index + 1}`]));
  // All of it but the addition is computed when the graph is opened: batches are quick.
  const folding = model({
    graph: graph({
      nodes: [
        ...squares,
        node('ReduceMean', ['w8'], ['mean'], [attribute.int('keepdims', 0)]),
        node('Add', ['x', 'mean'], ['y']),
      ],
      inputs: [value('x', 'FP32', ['batch', 3])],
      outputs: [value('y', 'FP32', ['batch', 3])],
      initializers: [tensor('w0', 'FP32', [width, width], new Uint8Array(4 * width * width))],
    }),
  });
  const signature = identitySignature('FP32', [-1, 3]);
  registry.place({ model: 'folding', version: 1, signature, serving, files: { 'm.onnx': folding } }, adder(1));
  runtime = await start();
  expect(await sharing()).toMatchObject({ folding: ['ready', false] });
});

it('a version that moves to other sessions is warmed up there too, once with its own requests', async () => {
  onTestFinished(openSlowly());
  const original = Object.getOwnPropertyDescriptor(SessionPool.prototype, 'submit')!.value as SessionPool['submit'];
  const jobs = new Map<SessionPool, BatchJob[]>();
  const submit = vi.spyOn(SessionPool.prototype, 'submit').mockImplementation(function (this: SessionPool, job) {
    jobs.set(this, [...(jobs.get(this) ?? []), job]);
    return original.call(this, job);
  });
  const seven = Buffer.from(encodeTensor('INT64', [7]));
  const own = { name: 'seven', batchSize: 1, count: 3, inputs: [{ name: 'x', shape: [1], rawData: seven }] };
  /** How many of the first batches of a pool are the version's warm-up request, whose bytes can be had again. */
  const sevens = (pool: number, first: number): number =>
    [...jobs.values()][pool]!.slice(0, first).filter(({ fill }) => {
      const x = new Uint8Array(8);
      fill([x]);
      return seven.equals(x);
    }).length;
  try {
    registry.place({ ...elastic, serving: { ...elastic.serving, warmupCount: 1, warmupRequests: [own] } });
    runtime = await start();
    expect(await sharing()).toEqual({ elastic: ['ready', true] });
    // A row, a generated batch in each of two slots, and three rounds; then a row and one round.
    expect([...jobs.values()].map(({ length }) => length)).toEqual([1 + 2 + 6, 1 + 2]);
    expect([sevens(0, 9), sevens(1, 3)]).toEqual([6, 2]);
    const sum = (zeros: bigint) => runtime.infer(requestOf('elastic', 'INT64', [1], [zeros]));
    await sum(30_000_000n);
    await eventually(async () => {
      await sum(5n);
      expect(await sharing()).toMatchObject({ elastic: ['ready', false] });
    });
    expect(sevens(2, 3)).toBe(2);
  } finally {
    submit.mockRestore();
  }
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
