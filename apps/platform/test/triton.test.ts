import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { createRegistryClient } from '@sluice/client/registry-client';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ForeignClient, noForeignClient } from './foreign-client.ts';
import type { ForeignAnswer } from './foreign-client.ts';
import { modelControl } from './model-control.ts';
import { RunningPlatform, freeOffset, killStarted, makeHome, root } from './running-platform.ts';
import { pushAccumulator } from './sequences.ts';

const missing = noForeignClient();
/** The two ways to a version: the same is expected of both. */
const places = ['a runtime’s own port', 'the router'] as const;
type Place = (typeof places)[number];

/** The examples, and a model that keeps sequences. */
const versions = ['accumulator 1', 'digits 1', 'digits 2', 'digits 3', 'wdbc 1', 'wdbc 2'];
let home: string;
let platform: RunningPlatform;
const clients = {} as Record<Place, ForeignClient>;

beforeAll(async () => {
  if (missing !== undefined) return;
  home = await makeHome('sluice-triton-');
  platform = new RunningPlatform({ home, offset: await freeOffset() });
  await platform.up();
  const { registry, runtimes, router } = platform.ports;
  const ann = createRegistryClient(`127.0.0.1:${registry.port}`, { actor: 'ann' });
  await pushAccumulator(ann, home, 1);
  await ann.registry.moveAlias({ model: 'accumulator', alias: 'live', version: 1 });
  ann.close();
  clients['a runtime’s own port'] = new ForeignClient(`127.0.0.1:${runtimes[0]!.port}`);
  clients['the router'] = new ForeignClient(`127.0.0.1:${router.port}`);
  for (const client of Object.values(clients))
    await eventually(async () => {
      const { response } = await client.call('RepositoryIndex', { ready: true });
      expect(response['models']).toHaveLength(versions.length);
    }, 30_000);
});
afterAll(async () => {
  if (missing !== undefined) return;
  for (const client of Object.values(clients)) client.close();
  await platform.stop();
  await killStarted();
  await rm(home, { recursive: true, force: true });
});

async function pixels(rows: number): Promise<number[]> {
  const text = await readFile(path.join(root, 'examples', 'models', 'digits', 'holdout.csv'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .slice(1, 1 + rows);
  return lines.flatMap((line) => line.split(',').slice(0, 64).map(Number));
}

/** An inference of digits; `k` is the parameter classification of its output. */
async function digits(rows: number, k?: unknown): Promise<Record<string, unknown>> {
  const input = { name: 'pixels', datatype: 'FP32', shape: [rows, 64], contents: { fp32Contents: await pixels(rows) } };
  const parameters = k === undefined ? {} : { classification: k };
  return { modelName: 'digits', inputs: [input], outputs: [{ name: 'probabilities', parameters }] };
}

/** Whether a call of each extension does what it is for, by the name that ServerMetadata has for it. */
const extensions: Readonly<Record<string, (client: ForeignClient) => Promise<boolean>>> = {
  classification: async (client) => {
    const { response } = await client.call('ModelInfer', await digits(1, { int64Param: 1 }));
    return (response['outputs'] as { datatype: string }[])[0]?.datatype === 'BYTES';
  },
  model_configuration: async (client) => (await client.call('ModelConfig', { name: 'digits' })).code === 'OK',
  model_repository: async (client) => (await client.call('RepositoryModelLoad', { modelName: 'wdbc' })).code === 'OK',
  'model_repository(unload_dependents)': async (client) => {
    // Known, and refused for what the model is.
    const parameters = { unload_dependents: { boolParam: true } };
    const { code } = await client.call('RepositoryModelUnload', { modelName: 'wdbc', parameters });
    return code === 'FAILED_PRECONDITION';
  },
  parameters: async (client) => {
    const { response } = await client.call('ModelInfer', await digits(1));
    return Object.keys(response['parameters'] ?? {}).length > 0;
  },
  schedule_policy: async (client) => {
    const parameters = { priority: { uint64Param: '0' }, timeout: { int64Param: '1000000' } };
    return (await client.call('ModelInfer', { ...(await digits(1)), parameters })).code === 'OK';
  },
  sequence: async (client) => {
    const step = async (x: number, parameters = {}) => {
      const input = { name: 'x', datatype: 'FP32', shape: [1, 1], contents: { fp32Contents: [x] } };
      const all = { sequence_id: { int64Param: 7 }, ...parameters };
      const request = { modelName: 'accumulator', modelVersion: 'live', inputs: [input], parameters: all };
      return rawOutput(await client.call('ModelInfer', request)).readFloatLE();
    };
    const sums = [await step(5, { sequence_start: { boolParam: true } }), await step(2)];
    return String([...sums, await step(1, { sequence_end: { boolParam: true } })]) === '5,7,8';
  },
  statistics: async (client) => (await client.call('ModelStatistics')).code === 'OK',
};
/** Answers with parameters of its own, and control of what is loaded, are the router's. */
const routersOwn = ['model_repository', 'model_repository(unload_dependents)', 'parameters'];
const has = (place: Place, name: string): boolean => place === 'the router' || !routersOwn.includes(name);

interface Statistics {
  readonly name: string;
  readonly version: string;
  readonly inferenceCount?: string;
  readonly executionCount?: string;
  readonly lastInference?: string;
  readonly inferenceStats: Readonly<Record<string, { readonly count?: string; readonly ns?: string }>>;
  readonly batchStats?: readonly {
    readonly batchSize: string;
    readonly computeInfer: { readonly count: string; readonly ns: string };
  }[];
}

async function statistics(client: ForeignClient, version = 'champion'): Promise<Statistics> {
  const answer = await client.call('ModelStatistics', { name: 'digits', version });
  expect(answer.code).toBe('OK');
  const [stats] = answer.response['modelStats'] as Statistics[];
  return stats!;
}

const rawOutput = ({ response }: ForeignAnswer): Buffer =>
  Buffer.from((response['rawOutputContents'] as string[])[0]!, 'base64');

function strings(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at))
    texts.push(bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at)));
  return texts;
}

describe.skipIf(missing !== undefined).each(places)('through %s', { timeout: 120_000 }, (place) => {
  const call = async (method: string, request?: Record<string, unknown>) => clients[place].call(method, request);

  it('ServerMetadata names what works', async () => {
    const { response } = await call('ServerMetadata');
    expect(response['extensions']).toEqual(Object.keys(extensions).filter((name) => has(place, name)));
  });

  it.each(Object.entries(extensions))(
    'and the calls of %s work where it is named, and nowhere else',
    async (name, call) => {
      expect(await call(clients[place])).toBe(has(place, name));
    },
  );

  it('ModelConfig is what perf_analyzer and Triton’s clients read', async () => {
    const { code, response } = await call('ModelConfig', { name: 'digits', version: 'champion' });
    expect(code).toBe('OK');
    const config = response['config'] as Record<string, unknown>;
    expect(config).toMatchObject({
      name: 'digits',
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      versionPolicy: { specific: { versions: ['1', '2', '3'] } },
      input: [{ name: 'pixels', dataType: 'TYPE_FP32', dims: ['64'] }],
      output: [{ name: 'probabilities', dataType: 'TYPE_FP32', dims: ['10'], labelFilename: 'sluice.yaml' }],
      instanceGroup: [{ kind: 'KIND_CPU' }],
      dynamicBatching: { preferredBatchSize: [config['maxBatchSize']] },
      parameters: { sluice_version: { stringValue: '3' } },
    });
    expect(config['maxBatchSize']).toBeGreaterThan(1);
    const unknown = await call('ModelConfig', { name: 'nope' });
    expect(unknown).toMatchObject({ code: 'NOT_FOUND', details: expect.stringContaining('unknown model') as string });
    expect((await call('ModelConfig', { name: 'digits', version: '99' })).code).toBe('NOT_FOUND');
  });

  it('ModelStatistics counts requests, rows and executions, and all durations of requests alike', async () => {
    const before = await statistics(clients[place]);
    for (const rows of [1, 3, 3]) expect((await call('ModelInfer', await digits(rows))).code).toBe('OK');
    const after = await statistics(clients[place]);
    expect([after.name, after.version]).toEqual(['digits', '3']);
    const more = (of: (stats: Statistics) => unknown) => Number(of(after) ?? 0) - Number(of(before) ?? 0);
    expect(more((stats) => stats.inferenceCount)).toBe(7);
    for (const name of ['success', 'queue', 'computeInput', 'computeInfer', 'computeOutput']) {
      expect(more((stats) => stats.inferenceStats[name]?.count)).toBe(3);
      expect(after.inferenceStats[name]?.count).toBe(after.inferenceStats['success']?.count);
    }
    expect(more((stats) => stats.inferenceStats['computeInfer']?.ns)).toBeGreaterThan(0);
    expect(more((stats) => stats.executionCount)).toBe(3);
    const batches = (stats: Statistics, size: string) =>
      Number(stats.batchStats?.find(({ batchSize }) => batchSize === size)?.computeInfer.count ?? 0);
    expect(['1', '3'].map((size) => batches(after, size) - batches(before, size))).toEqual([1, 2]);
    expect(Date.now() - Number(after.lastInference)).toBeLessThan(60_000);
    const everything = (await call('ModelStatistics')).response['modelStats'] as Statistics[];
    const named = everything.map(({ name, version }) => `${name} ${version}`);
    expect(named).toEqual(versions);
    expect((await call('ModelStatistics', { name: 'nope' })).code).toBe('NOT_FOUND');
  });

  it('RepositoryIndex has every version with its state', async () => {
    const { response } = await call('RepositoryIndex');
    const found = (response['models'] as Record<string, string>[]).map(
      ({ name, version, state }) => `${name!} ${version!} ${state!}`,
    );
    expect(found).toEqual(versions.map((each) => `${each} READY`));
    expect((await call('RepositoryIndex', { ready: true })).response).toEqual(response);
    expect(await call('RepositoryIndex', { repositoryName: 'models' })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: expect.stringContaining('repository_name') as string,
    });
  });

  it('classification gives the largest values as "value:index:label"', async () => {
    const all = await call('ModelInfer', await digits(3));
    const scores = new Float32Array(Uint8Array.from(rawOutput(all)).buffer);
    const top = await call('ModelInfer', await digits(3, { int64Param: 4 }));
    expect(top.response['outputs']).toEqual([{ name: 'probabilities', datatype: 'BYTES', shape: ['3', '4'] }]);
    const expected = [0, 1, 2].flatMap((row) =>
      [...scores.subarray(10 * row, 10 * row + 10)]
        .map((value, index) => ({ value, index }))
        .sort((one, other) => other.value - one.value || one.index - other.index)
        .slice(0, 4)
        // The class names of its sluice.yaml are the digits themselves.
        .map(({ value, index }) => `${value.toFixed(6)}:${index}:${index}`),
    );
    expect(strings(rawOutput(top))).toEqual(expected);
    const more = await call('ModelInfer', await digits(1, { int64Param: 99 }));
    expect(more.response['outputs']).toMatchObject([{ shape: ['1', '10'] }]);
    for (const wrong of [{ int64Param: 0 }, { stringParam: '3' }, { boolParam: true }]) {
      const { code, details } = await call('ModelInfer', await digits(1, wrong));
      expect([code, details]).toEqual(['INVALID_ARGUMENT', expect.stringContaining("output 'probabilities'")]);
    }
  });

  it('shared memory is empty and cannot be had; settings are not there', async () => {
    for (const kind of ['System', 'Cuda']) {
      expect(await call(`${kind}SharedMemoryStatus`)).toEqual({ code: 'OK', details: '', response: {} });
      expect((await call(`${kind}SharedMemoryUnregister`, { name: 'r' })).code).toBe('OK');
      const register = `${kind}SharedMemoryRegister`;
      const refused = { code: 'UNIMPLEMENTED', details: expect.stringContaining(register) as string };
      expect(await call(register, { name: 'r' })).toMatchObject(refused);
    }
    for (const method of ['TraceSetting', 'LogSettings'])
      expect(await call(method)).toMatchObject({
        code: 'UNIMPLEMENTED',
        details: expect.stringContaining(method) as string,
      });
  });
});

describe.skipIf(missing !== undefined)('both', { timeout: 120_000 }, () => {
  it('have one configuration of a version', async () => {
    const asked = { name: 'wdbc', version: 'forest' };
    const [direct, routed] = await Promise.all(places.map(async (place) => clients[place].call('ModelConfig', asked)));
    expect(direct!.code).toBe('OK');
    expect(routed).toEqual(direct);
  });

  it('the router’s counts are the sum, and do not go back when a runtime is killed', async () => {
    const router = clients['the router'];
    const count = async () => Number((await statistics(router)).inferenceStats['success']?.count ?? 0);
    for (let requests = 0; requests < 20; requests += 1) await router.call('ModelInfer', await digits(1));
    const before = await count();
    expect(before).toBeGreaterThanOrEqual(20);
    process.kill(await platform.pidOf('runtime-1'), 'SIGKILL');
    await eventually(async () => {
      expect(await count()).toBe(before);
      expect(platform.text).toContain('runtime-1 is back');
    }, 60_000);
    await eventually(async () => {
      const { response } = await router.call('RepositoryIndex', { ready: true });
      expect(response['models']).toHaveLength(versions.length);
    }, 30_000);
    expect(await count()).toBe(before);
    for (let requests = 0; requests < 20; requests += 1) await router.call('ModelInfer', await digits(1));
    expect(await count()).toBe(before + 20);
  });
});

describe.skipIf(missing !== undefined)('control of models through the router', { timeout: 120_000 }, () => {
  modelControl(() => ({
    router: clients['the router'],
    runtime: clients['a runtime’s own port'],
    registry: `127.0.0.1:${platform.ports.registry.port}`,
  }));
});
