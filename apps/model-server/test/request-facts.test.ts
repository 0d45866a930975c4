import { decodeRuntimeFacts, type RuntimeFacts } from '@sluice/evidence/runtime-facts';
import { createLinkClient, type LinkClient } from '@sluice/rpc/link/client';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { graph, identityModel, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import { transportName } from '@sluice/testkit/transport';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accumulator, start, step } from './support/accumulator.ts';
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

/** Without a warm-up nobody knows that they are quick, so they share no thread and have those that they ask for. */
const own = { maxBatchSize: 4, device: 'cpu', warmupCount: 0, instanceCount: 1 };

/** Some milliseconds for each batch, on two threads. */
const works: TestVersion = {
  model: 'works',
  version: 1,
  signature: identitySignature('FP32', [-1, 1]),
  serving: { ...own, intraOpThreads: 2 },
  files: { 'm.onnx': loopingModel(1_000) },
};
const strings: TestVersion = {
  model: 'strings',
  version: 1,
  signature: identitySignature('BYTES', [-1, 3]),
  serving: { ...own, intraOpThreads: 1 },
  files: { 'm.onnx': identityModel('BYTES') },
};
const unbatched: TestVersion = {
  model: 'unbatched',
  version: 1,
  signature: identitySignature('FP32', [3]),
  serving: { ...own, maxBatchSize: 0, intraOpThreads: 1 },
  files: { 'm.onnx': identityModel('FP32', [3]) },
};
/** Looks up a table of three: every other index is an error of the run. */
const table: TestVersion = {
  model: 'table',
  version: 1,
  signature: { inputs: [spec('x', 'INT64', [-1])], outputs: [spec('y', 'FP32', [-1, 1])], batched: true },
  serving: { ...own, intraOpThreads: 2 },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [node('Gather', ['table', 'x'], ['y'])],
        inputs: [value('x', 'INT64', ['batch'])],
        outputs: [value('y', 'FP32', ['batch', 1])],
        initializers: [tensor('table', 'FP32', [3, 1], [10, 11, 12])],
      }),
    }),
  },
};

let registry: TestRegistry;
let runtime: TestRuntime;
let client: LinkClient;
beforeAll(async () => {
  registry = await new TestRegistry().start();
  const sequences = accumulator({ serving: { ...own, maxBatchSize: 8, intraOpThreads: 1 } });
  registry.place(works, strings, unbatched, table, sequences);
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
  const logger = createLogger({ service: 't', instance: 't1', level: 'silent' });
  const transport = transportName();
  client = createLinkClient({ address: runtime.address, clock: systemClock, random: systemRandom, logger, transport });
});
afterAll(async () => {
  client.close();
  await runtime.stop();
  await registry.stop();
});

const path = '/inference.GRPCInferenceService/ModelInfer';
const send = (bytes: Uint8Array): Promise<RawOutcome> =>
  new Promise((resolve) => void client.call(path, bytes, { deadlineMs: Date.now() + 20_000 }, resolve));

/** Sends all at once over the link. */
async function factsOf(...requests: readonly Uint8Array[]): Promise<RuntimeFacts[]> {
  const outcomes = await Promise.all(requests.map(send));
  return outcomes.map(({ error, facts }) => {
    expect(error).toBeUndefined();
    const said = decodeRuntimeFacts(facts)!;
    // When one that was split had its first run is known only as well as when the end of that was seen.
    if (said.rows <= own.maxBatchSize) expect(said.queueMicros + said.runMicros).toBeLessThanOrEqual(said.totalMicros);
    expect(said.costMicros).toBeGreaterThan(0);
    return said;
  });
}

const sum = (facts: readonly RuntimeFacts[], of: keyof RuntimeFacts): number =>
  facts.reduce((total, each) => total + each[of], 0);
const rowsOf = (name: string, rows: number): Buffer =>
  requestOf(name, 'FP32', [rows, 1], new Array<number>(rows).fill(1));

/** What the statistics of a model have counted, in microseconds. */
async function counted(name: string) {
  const [stats] = (await runtime.inference.modelStatistics({ name })).modelStats;
  const { queue, computeInfer, success } = stats!.inferenceStats!;
  const micros = (one: { readonly ns: string } | null): number => Number(one?.ns ?? 0) / 1000;
  return {
    executions: Number(stats!.executionCount),
    /** Of all runs, each once. */
    runs: stats!.batchStats.reduce((total, size) => total + micros(size.computeInfer), 0),
    requests: { queueMicros: micros(queue), runMicros: micros(computeInfer), totalMicros: micros(success) },
  };
}

/** All that a model has answered, by what was said and by what was counted: on so many threads. */
async function expectToAddUp(name: string, facts: readonly RuntimeFacts[], threads: number): Promise<void> {
  const { runs, requests } = await counted(name);
  expect(sum(facts, 'costMicros') / (runs * threads)).toBeCloseTo(1, 3);
  for (const of of ['queueMicros', 'runMicros', 'totalMicros'] as const) {
    // Each is rounded down.
    expect(sum(facts, of)).toBeLessThanOrEqual(requests[of]);
    expect(sum(facts, of)).toBeGreaterThanOrEqual(requests[of] - facts.length);
  }
}

it('times and costs of the requests of batches add up to what the statistics count of the runs', async () => {
  const sizes = Array.from({ length: 30 }, (_, index) => 1 + (index % 3));
  const facts = await factsOf(...sizes.map((rows) => rowsOf('works', rows)));
  expect(facts.map(({ rows }) => rows)).toEqual(sizes);
  for (const { rows, batchRows } of facts) {
    expect(batchRows).toBeGreaterThanOrEqual(Math.min(rows, 4));
    expect(batchRows).toBeLessThanOrEqual(4);
  }
  expect((await counted('works')).executions).toBeLessThan(30);
  // One that is split: alone in its batches, so that all of what they cost is its own.
  const { executions } = await counted('works');
  const [split] = await factsOf(rowsOf('works', 10));
  expect(split).toMatchObject({ rows: 10, batchRows: 4 });
  expect((await counted('works')).executions - executions).toBe(3);
  expect(split!.costMicros).toBeGreaterThanOrEqual(2 * split!.runMicros);
  expect(split!.costMicros).toBeLessThan(2 * split!.runMicros + 2.01);
  await expectToAddUp('works', [...facts, split!], 2);
});

it('BYTES and models without batches have them too', async () => {
  const text = (rows: number): Buffer =>
    requestOf('strings', 'BYTES', [rows, 3], new Array<string>(3 * rows).fill('a'));
  const facts = await factsOf(text(1), text(2), text(6));
  expect(facts.map(({ rows }) => rows)).toEqual([1, 2, 6]);
  await expectToAddUp('strings', facts, 1);
  const single = await factsOf(...[1, 2].map((each) => requestOf('unbatched', 'FP32', [3], [each, 2, 3])));
  for (const each of single) expect(each).toMatchObject({ rows: 1, batchRows: 1 });
  await expectToAddUp('unbatched', single, 1);
});

it('requests of sequences have them', async () => {
  const ids = [1n, 2n, 3n, 4n];
  const facts = [
    ...(await factsOf(...ids.map((id) => start(id, 1)))),
    ...(await factsOf(...ids.map((id) => step(id, 2)))),
  ];
  for (const each of facts) expect(each.rows).toBe(1);
  await expectToAddUp('accumulator', facts, 1);
  const failed = await send(step(1n, 100));
  expect(failed.error?.kind).toBe('model-failed');
  const said = decodeRuntimeFacts(failed.facts)!;
  expect(said).toMatchObject({ rows: 1, batchRows: 1 });
  expect(said.costMicros).toBeGreaterThan(0);
});

it('a failure has what is known: of the run that failed, or nothing where no queue took the request', async () => {
  const failed = await send(requestOf('table', 'INT64', [2], [1n, 5n]));
  expect(failed.error?.kind).toBe('model-failed');
  const said = decodeRuntimeFacts(failed.facts)!;
  expect(said).toMatchObject({ rows: 2, batchRows: 2 });
  expect(said.runMicros).toBeGreaterThan(0);
  expect(said.queueMicros + said.runMicros).toBeLessThanOrEqual(said.totalMicros);
  expect(Math.floor(said.costMicros / 2)).toBe(said.runMicros);
  for (const [bytes, kind] of [
    [rowsOf('nobody', 1), 'not-found'],
    [requestOf('works', 'FP32', [1, 2], [1, 2]), 'invalid-argument'],
  ] as const) {
    const { error, facts } = await send(bytes);
    expect([error?.kind, facts]).toEqual([kind, undefined]);
  }
});

it('calls one by one carry none', async () => {
  const outcome = await runtime.send(rowsOf('works', 1));
  expect([outcome.error, outcome.facts]).toEqual([undefined, undefined]);
});
