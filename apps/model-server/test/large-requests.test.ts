import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { readInferResponse } from '@sluice/inference/infer-response';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { createRawClient, type RawClient, type RawOutcome } from '@sluice/rpc/raw-client';
import { UsedMemory } from '@sluice/rpc/transport/used-memory';
import { attribute, graph, model, node, value } from '@sluice/testkit/onnx-builder';
import { propertyRuns } from './support/property-runs.ts';
import { spec, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

const inferPath = '/inference.GRPCInferenceService/ModelInfer';
const width = 6_000;
const maxBatchSize = 4;

/** sum = x + x[at]: a place that is not there fails the whole run. */
const picker: TestVersion = {
  model: 'picker',
  version: 1,
  signature: {
    inputs: [spec('x', 'FP32', [-1, width]), spec('at', 'INT64', [-1, 1])],
    outputs: [spec('sum', 'FP32', [-1, width])],
    batched: true,
  },
  serving: { maxBatchSize, device: 'cpu', warmupCount: 1 },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [
          node('GatherElements', ['x', 'at'], ['one'], [attribute.int('axis', 1)]),
          node('Add', ['x', 'one'], ['sum']),
        ],
        inputs: [value('x', 'FP32', ['batch', width]), value('at', 'INT64', ['batch', 1])],
        outputs: [value('sum', 'FP32', ['batch', width])],
      }),
    }),
  },
};

let registry: TestRegistry;
let runtime: TestRuntime;
let clients: RawClient[];
beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(picker);
  const args = ['--transport=wire'];
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder(), args })).ready();
  clients = [1, 2, 3].map(() => createRawClient(runtime.address));
});
afterAll(async () => {
  for (const client of clients) client.close();
  await runtime.stop();
  await registry.stop();
});
afterEach(() => void vi.restoreAllMocks());

/** What becomes of a request. */
const fates = ['answered', 'split', 'failed', 'malformed', 'cancelled', 'late'] as const;
interface Asked {
  readonly fate: (typeof fates)[number];
  readonly rows: number;
  /** Turns of the event loop until its caller cancels it. */
  readonly patience: number;
}

/** The values of a row: of no other request's, and of no other row's. */
const rowOf = (mark: number, row: number): Float32Array =>
  Float32Array.from({ length: width }, (_, at) => mark * 64 + row * 8 + (at % 8));

function requestOf(mark: number, fate: Asked['fate'], rows: number): Buffer {
  const values = Array.from({ length: rows }, (_, row) => rowOf(mark, row));
  const at = BigInt(fate === 'failed' ? width + 1 : mark % width);
  return buildInferRequest({
    modelName: 'picker',
    inputs: [
      {
        ...{ name: 'x', datatype: 'FP32', shape: [rows, fate === 'malformed' ? width - 1 : width] },
        data: encodeTensor(
          'FP32',
          values.flatMap((row) => [...row].slice(fate === 'malformed' ? 1 : 0)),
        ),
      },
      {
        name: 'at',
        datatype: 'INT64',
        shape: [rows, 1],
        data: encodeTensor('INT64', new Array<bigint>(rows).fill(at)),
      },
    ],
  });
}

/** @returns whether an answer is that of the request, in each of its places */
function isRight(mark: number, rows: number, answer: Buffer): boolean {
  const { data } = readInferResponse(answer).outputs[0]!;
  const sums = new Float32Array(Uint8Array.from(data).buffer);
  if (sums.length !== rows * width) return false;
  for (let row = 0; row < rows; row++) {
    const one = mark * 64 + row * 8 + ((mark % width) % 8);
    for (let at = 0; at < width; at++)
      if (sums[row * width + at] !== one + mark * 64 + row * 8 + (at % 8)) return false;
  }
  return true;
}

async function send(mark: number, { fate, rows, patience }: Asked): Promise<RawOutcome> {
  const deadlineMs = Date.now() + (fate === 'late' ? 1 + patience : 60_000);
  const outcome = Promise.withResolvers<RawOutcome>();
  const bytes = requestOf(mark, fate, rows);
  const call = clients[mark % clients.length]!.call(inferPath, bytes, { deadlineMs }, outcome.resolve);
  if (fate === 'cancelled') {
    for (let turn = 0; turn < patience; turn++) await new Promise((resolve) => setImmediate(resolve));
    call.cancel();
  }
  return outcome.promise;
}

it('each large request has its own answer, whatever becomes of those beside it, and memory is used again', async () => {
  const rooms = vi.spyOn(UsedMemory.prototype, 'room');
  const gives = vi.spyOn(UsedMemory.prototype, 'give');
  const asked = fc.record({
    fate: fc.oneof({ weight: 6, arbitrary: fc.constant('answered' as const) }, fc.constantFrom(...fates)),
    ...{ rows: fc.integer({ min: 1, max: 3 }), patience: fc.nat(12) },
  });
  let mark = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 15, maxLength: 30 }), async (batch) => {
      const sent = batch.map((each) => ({
        ...each,
        rows: each.fate === 'split' ? maxBatchSize + each.rows : each.rows,
      }));
      const outcomes = await Promise.all(
        sent.map(async (each) => {
          mark++;
          const own = mark % 10_000;
          return { ...each, mark: own, outcome: await send(own, each) };
        }),
      );
      for (const { fate, rows, mark: own, outcome } of outcomes) {
        const { message, error } = outcome;
        if (message !== undefined) expect([fate, isRight(own, rows, message)]).toEqual([fate, true]);
        else expect([fate, error?.message]).not.toEqual(['answered', expect.anything()]);
        if (fate === 'answered' || fate === 'split') expect([error, message !== undefined]).toEqual([undefined, true]);
        if (fate === 'failed' || fate === 'malformed') expect([fate, message]).toEqual([fate, undefined]);
      }
    }),
    { ...propertyRuns, numRuns: Math.ceil(propertyRuns.numRuns / 250) },
  );
  const used = rooms.mock.results.filter(
    ({ value: room }) => (room as { isNew: boolean } | undefined)?.isNew === false,
  );
  expect(used.length).toBeGreaterThan(10);
  expect(gives.mock.calls.length).toBeGreaterThanOrEqual(used.length);
});
