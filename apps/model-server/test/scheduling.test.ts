import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParameterValue } from '@sluice/inference/parameters';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { eventually } from '@sluice/testkit/eventually';
import { loopingModel } from './support/looping-model.ts';
import { identitySignature, requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

const base = { device: 'cpu', warmupCount: 0 };

/** Some tenths of a second a batch of one, and two levels, of which the lower is the default. */
const levels: TestVersion = {
  model: 'levels',
  version: 1,
  signature: identitySignature('FP32', [-1, 1]),
  serving: {
    ...{ ...base, maxBatchSize: 1, priorityLevels: 2, defaultPriorityLevel: 2, allowTimeoutOverride: true },
    priorityQueuePolicies: [
      {
        level: 1,
        timeoutAction: 'TIMEOUT_ACTION_REJECT',
        defaultTimeoutMicroseconds: 0,
        allowTimeoutOverride: false,
        maxQueueSize: 1,
      },
    ],
  },
  files: { 'm.onnx': loopingModel(400_000) },
};

const padded = (datatype: 'FP32' | 'BYTES'): TestVersion => ({
  model: `padded-${datatype.toLowerCase()}`,
  version: 1,
  signature: identitySignature(datatype, [-1, 2]),
  serving: { ...base, maxBatchSize: 8, allowedBatchSizes: [4, 8] },
  files: { 'm.onnx': identityModel(datatype, ['batch', 2]) },
});

let registry: TestRegistry;
let runtime: TestRuntime;
beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(levels, padded('FP32'), padded('BYTES'));
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

const stateOf = async (model: string) =>
  (await runtime.state()).versions.find((version) => version['model'] === model) as unknown as {
    running: { batches: number };
    queue: { queuedRequests: number; paddingRows: number; batches: number };
  };

function ask(parameters: Record<string, ParameterValue> = {}): Buffer {
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [1, 1], data: encodeTensor('FP32', [1]) }];
  return buildInferRequest({ modelName: 'levels', inputs, parameters: new Map(Object.entries(parameters)) });
}
const level = (value: bigint): Record<string, ParameterValue> => ({ priority: { kind: 'uint64', value } });

describe('priority', () => {
  it('puts a request before those of lower levels, whose level has a bound of its own', async () => {
    const answered: string[] = [];
    const send = async (name: string, request: Buffer): Promise<void> => {
      const { error } = await runtime.send(request);
      answered.push(error ? `${name} ${error.kind}` : name);
    };
    const both = [send('runs', ask()), send('stands behind', ask())];
    await eventually(async () => expect((await stateOf('levels')).running.batches).toBe(2));
    const low = [send('low', ask()), send('low', ask(level(2n)))];
    await eventually(async () => expect((await stateOf('levels')).queue.queuedRequests).toBe(2));
    const high = send('high', ask(level(1n)));
    await eventually(async () => expect((await stateOf('levels')).queue.queuedRequests).toBe(3));
    await send('second high', ask(level(1n)));
    await Promise.all([...both, ...low, high]);
    expect(answered).toEqual([...['second high resource-exhausted', 'runs', 'stands behind', 'high', 'low', 'low']]);
  });

  it('beyond the levels is refused, and the levels are named', async () => {
    const { error } = await runtime.send(ask(level(3n)));
    expect(error).toMatchObject({ kind: 'invalid-argument', message: expect.stringContaining('2') as string });
  });
});

it('a request may ask for less time in the queue where the version allows it', async () => {
  const running = [runtime.send(ask()), runtime.send(ask())];
  await eventually(async () => expect((await stateOf('levels')).running.batches).toBe(2));
  const hasty = await runtime.send(ask({ timeout: { kind: 'int64', value: 20_000n } }));
  expect(hasty.error).toMatchObject({ kind: 'deadline-exceeded' });
  for (const outcome of await Promise.all(running)) expect(outcome.error).toBeUndefined();
});

it.each([
  ['fp32', 'FP32', [1, 2]],
  ['bytes', 'BYTES', ['a', 'größe']],
] as const)(
  'batches of %s run with sizes that are allowed, and answers have their own rows',
  async (name, datatype, row) => {
    const asked = Array.from({ length: 5 }, () =>
      runtime.infer(requestOf(`padded-${name}`, datatype, [1, 2], [...row])),
    );
    for (const { outputs } of await Promise.all(asked))
      expect(outputs).toMatchObject([{ shape: [1, 2], data: Buffer.from(encodeTensor(datatype, [...row])) }]);
    const { paddingRows, batches } = (await stateOf(`padded-${name}`)).queue;
    // Each batch of 1 to 3 rows is one of 4, one of 5 is one of 8.
    expect((5 + paddingRows) % 4).toBe(0);
    expect(paddingRows).toBeGreaterThanOrEqual(3);
    expect(batches).toBeGreaterThan(0);
  },
);
