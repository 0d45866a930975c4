import { buildInferRequest } from '@sluice/inference/request-builder';
import { decodeStrings } from '@sluice/inference/bytes-tensor';
import { readInferResponse } from '@sluice/inference/infer-response';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adder } from './support/adder.ts';
import { example } from './support/examples.ts';
import { startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

const registry = new TestRegistry();
let runtime: TestRuntime;

beforeAll(async () => {
  await registry.start();
  const broken = { ...adder(4), files: { 'm.onnx': Buffer.from('no graph') } };
  registry.place(adder(1, ['champion']), adder(3), broken, example('wdbc', 'forest', 1, 'champion'));
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder() })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

/** y = x + version, of which the `k` largest values are wanted; all as they are without `k`. */
function request(rows: readonly (readonly number[])[], k?: number, version = '1'): Buffer {
  const data = encodeTensor('FP32', rows.flat());
  const inputs = [{ name: 'x', datatype: 'FP32' as const, shape: [rows.length, 3], data }];
  const bytes = buildInferRequest({ modelName: 'adder', modelVersion: version, inputs });
  if (k === undefined) return bytes;
  // Output y with int64 parameter classification.
  const wanted = [0x32, 0x19, 0x0a, 1, 0x79, 0x12, 0x14, 0x0a, 14, ...Buffer.from('classification'), 0x12, 2, 0x10, k];
  return Buffer.concat([bytes, Buffer.from(wanted)]);
}

const said = async (bytes: Buffer) => {
  const outcome = await runtime.send(bytes);
  if (outcome.error) throw outcome.error;
  const [output] = readInferResponse(outcome.message!).outputs;
  return { datatype: output!.datatype, shape: output!.shape, data: decodeStrings(output!.data) };
};

describe('classification', () => {
  it('answers every request of a batch with as many classes as it wants', async () => {
    const rows = Array.from({ length: 40 }, (_, index) => [[index, -index, 0.5]]);
    const answers = await Promise.all(rows.map((row, index) => said(request(row, 1 + (index % 4)))));
    answers.forEach(({ datatype, shape, data }, index) => {
      const values = [index + 1, 1 - index, 1.5];
      const order = [0, 1, 2].sort((one, other) => values[other]! - values[one]! || one - other);
      const k = Math.min(3, 1 + (index % 4));
      expect([datatype, shape]).toEqual(['BYTES', [1, k]]);
      expect(data).toEqual(order.slice(0, k).map((at) => `${values[at]!.toFixed(6)}:${at}`));
    });
  });

  it('is of all rows of a request that is split over batches', async () => {
    const rows = Array.from({ length: 100 }, (_, index) => [index, index + 2, index + 1]);
    const { shape, data } = await said(request(rows, 2));
    expect(shape).toEqual([100, 2]);
    expect(data).toEqual(rows.flatMap(([first]) => [`${first! + 3}.000000:1`, `${first! + 2}.000000:2`]));
  });

  it('refuses to list more values than an answer may have', async () => {
    const rows = Array<readonly number[]>(33_334).fill([0, 1, 2]);
    await expect(said(request(rows, 3))).rejects.toMatchObject({
      kind: 'invalid-argument',
      message: expect.stringMatching(/^output 'y': .*would list 100002 values, at most 100000/) as string,
    });
    expect((await said(request(rows, 2))).shape).toEqual([33_334, 2]);
  });
});

describe('ModelStatistics', () => {
  const statistics = async (name: string, version = '') =>
    (await runtime.inference.modelStatistics({ name, version })).modelStats;

  it('counts requests, rows and executions as Triton does', async () => {
    const [before] = await statistics('adder', '3');
    expect(before).toMatchObject({
      name: 'adder',
      version: '3',
      inferenceCount: '0',
      lastInference: '0',
      batchStats: [],
    });
    const started = Date.now();
    await Promise.all([1, 2, 3, 4].map((rows) => runtime.send(request(Array(rows).fill([0, 0, 0]), undefined, '3'))));
    await runtime.send(request(Array(70).fill([0, 0, 0]), undefined, '3'));
    const bad = await runtime.send(request([[0, 0, 0]], 0, '3'));
    expect(bad.error?.kind).toBe('invalid-argument');
    const [after] = await statistics('adder', '3');
    const stats = after!.inferenceStats!;
    expect(after!.inferenceCount).toBe('80');
    expect(Number(after!.lastInference)).toBeGreaterThanOrEqual(started);
    for (const phase of [stats.success, stats.queue, stats.computeInput, stats.computeInfer, stats.computeOutput])
      expect(phase!.count).toBe('5');
    expect(stats.fail!.count).toBe('1');
    expect([stats.cacheHit, stats.cacheMiss]).toEqual(Array(2).fill({ count: '0', ns: '0' }));
    const parts = [stats.queue, stats.computeInput, stats.computeInfer, stats.computeOutput].map((each) =>
      Number(each!.ns),
    );
    expect(Number(stats.computeInfer!.ns)).toBeGreaterThan(0);
    expect(Number(stats.success!.ns)).toBeGreaterThan(Number(stats.queue!.ns));
    expect(parts.every((ns) => Number.isSafeInteger(ns) && ns >= 0)).toBe(true);
    const executions = after!.batchStats.map(({ batchSize, computeInfer }) => [
      Number(batchSize),
      Number(computeInfer!.count),
    ]);
    const sum = (of: (entry: number[]) => number) => executions.reduce((total, entry) => total + of(entry), 0);
    expect(sum(([, count]) => count!)).toBe(Number(after!.executionCount));
    expect(sum(([size, count]) => size! * count!)).toBe(80);
    // 70 rows are three batches of at most 32.
    expect(executions.find(([size]) => size === 32)).toEqual([32, 2]);
    // The time of a run counts for each request in it, so by requests there is at least as much.
    const byRun = after!.batchStats.reduce((total, { computeInfer }) => total + Number(computeInfer!.ns), 0);
    expect(Number(stats.computeInfer!.ns)).toBeGreaterThanOrEqual(byRun);
  });

  it('is of all, of a model, or of one version by number or alias', async () => {
    const names = async (name: string, version = '') =>
      (await statistics(name, version)).map((each) => `${each.name} ${each.version}`);
    expect(await names('')).toEqual(['adder 1', 'adder 3', 'adder 4', 'wdbc 1']);
    expect(await names('adder')).toEqual(['adder 1', 'adder 3', 'adder 4']);
    expect(await names('adder', 'champion')).toEqual(['adder 1']);
    await expect(statistics('nope')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(statistics('adder', '9')).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('ModelConfig', () => {
  it('is of a version that is loaded', async () => {
    const { config } = await runtime.inference.modelConfig({ name: 'wdbc' });
    expect(config).toMatchObject({
      name: 'wdbc',
      maxBatchSize: 32,
      input: [{ name: 'features', dataType: 'TYPE_FP32', dims: ['30'] }],
      output: [
        { name: 'label', dataType: 'TYPE_STRING', dims: [] },
        { name: 'probabilities', dataType: 'TYPE_FP32', dims: ['2'] },
      ],
      schedulingChoice: 'dynamicBatching',
      defaultModelFilename: 'model.onnx',
      instanceGroup: [{ kind: 'KIND_CPU', count: 1 }],
    });
    const adders = await runtime.inference.modelConfig({ name: 'adder', version: '3' });
    expect(adders.config?.versionPolicy).toMatchObject({ specific: { versions: ['1', '3', '4'] } });
    expect(adders.config?.parameters['sluice_version']).toEqual({ stringValue: '3' });
    const config4 = runtime.inference.modelConfig({ name: 'adder', version: '4' });
    await expect(config4).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(runtime.inference.modelConfig({ name: 'nope' })).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('RepositoryIndex', () => {
  it('has every version of this runtime with its state, and why one is not there', async () => {
    const index = async (ready: boolean) => (await runtime.inference.repositoryIndex({ ready })).models;
    const all = await index(false);
    expect(all.map(({ name, version, state }) => `${name} ${version} ${state}`)).toEqual([
      'adder 1 READY',
      'adder 3 READY',
      'adder 4 UNAVAILABLE',
      'wdbc 1 READY',
    ]);
    expect(all[2]!.reason).not.toBe('');
    expect(await index(true)).toEqual(all.filter(({ state }) => state === 'READY'));
    await expect(runtime.inference.repositoryIndex({ repositoryName: 'x' })).rejects.toMatchObject({
      kind: 'invalid-argument',
    });
    registry.place(adder(1, ['champion']));
    await eventually(async () => expect(await index(false)).toHaveLength(1));
  });
});

describe('a version that is withdrawn', () => {
  it('counts on when it is placed again, and has no metrics meanwhile', async () => {
    const successes = async () =>
      (await runtime.inference.modelStatistics({ name: 'adder' })).modelStats
        .filter(({ version }) => version === '3')
        .map(({ inferenceStats }) => Number(inferenceStats!.success!.count));
    const metrics = async () =>
      (await runtime.metrics())
        .split('\n')
        .filter((line) => /^nv_inference_request_success\{.*version="3"/.test(line))
        .map((line) => Number(line.split(' ').at(-1)));
    const ask = async () => (await runtime.send(request([[0, 0, 0]], undefined, '3'))).error;
    registry.place(adder(1, ['champion']), adder(3));
    await eventually(async () => expect(await ask()).toBeUndefined());
    const [before] = await successes();
    expect(before).toBeGreaterThan(0);
    registry.place(adder(1, ['champion']));
    await eventually(async () => expect([await successes(), await metrics()]).toEqual([[], []]));
    registry.place(adder(1, ['champion']), adder(3));
    await eventually(async () => expect(await ask()).toBeUndefined());
    expect([await successes(), await metrics()]).toEqual([[before! + 1], [before! + 1]]);
  });
});

describe('labels', () => {
  it('are the class names that the registry tells of an output', async () => {
    const plain = adder(5);
    const outputs = plain.signature.outputs.map((output) => ({ ...output, classNames: ['ant', 'bee', 'cow: brown'] }));
    registry.place(adder(1, ['champion']), { ...plain, signature: { ...plain.signature, outputs } });
    await eventually(async () => {
      const { data } = await said(request([[2, 0, 1]], 3, '5'));
      expect(data).toEqual(['7.000000:0:ant', '6.000000:2:cow: brown', '5.000000:1:bee']);
    }, 10_000);
  });
});
