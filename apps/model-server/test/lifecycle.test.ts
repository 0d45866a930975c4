import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { decodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { externalTensor, graph, model, node, rawData, tensor, value } from '@sluice/testkit/onnx-builder';
import { adder, ask } from './support/adder.ts';
import { loopingModel } from './support/looping-model.ts';
import { identitySignature, requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { sha256, TestRegistry, type TestVersion } from './support/test-registry.ts';

let registry: TestRegistry;
let stateDir: string;
const runtimes: TestRuntime[] = [];

async function start(...args: string[]): Promise<TestRuntime> {
  const runtime = await startRuntime({ registry: registry.address, stateDir, args: ['--lease-ttl-ms=600', ...args] });
  runtimes.push(runtime);
  return runtime;
}

async function stop(runtime: TestRuntime): Promise<void> {
  runtimes.splice(runtimes.indexOf(runtime), 1);
  await runtime.stop();
}

beforeEach(async () => {
  registry = await new TestRegistry().start();
  stateDir = temporaryFolder();
});
afterEach(async () => {
  for (const runtime of [...runtimes]) await stop(runtime);
  await registry.stop();
});

/** Keeps `lanes` requests in flight until told to stop; every answer must be right for the version that it names. */
function load(runtime: TestRuntime, lanes: number) {
  let running = true;
  const versions = new Map<string, number>();
  const failures: string[] = [];
  const lane = async (): Promise<void> => {
    while (running) {
      try {
        const response = await runtime.infer(ask());
        const values = [...decodeTensor('FP32', response.outputs[0]!.data)];
        const number = Number(response.modelVersion);
        expect(values).toEqual([number, number + 1, number + 2]);
        versions.set(response.modelVersion, (versions.get(response.modelVersion) ?? 0) + 1);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const done = Promise.all(Array.from({ length: lanes }, lane));
  const finish = async () => {
    running = false;
    await done;
    return { versions, failures };
  };
  return { versions, failures, finish };
}

describe('placement', () => {
  it('loads a new version beside the old one, takes over and unloads without losing a request', async () => {
    registry.place(adder(1, ['champion']));
    const runtime = await (await start()).ready();
    const traffic = load(runtime, 24);
    await eventually(() => expect(traffic.versions.get('1')).toBeGreaterThan(100));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    registry.onChunk = async (_sha, _at, chunk) => held.then(() => chunk);
    registry.place(adder(1, ['champion']), adder(2));
    await eventually(() =>
      expect(registry.leases.at(-1)?.versions).toMatchObject([
        { version: '1', state: 'LOAD_STATE_READY' },
        { version: '2', state: 'LOAD_STATE_LOADING' },
      ]),
    );
    await expect(runtime.infer(ask('2'))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('is not loaded yet') as string,
    });
    release();
    await runtime.modelReady('adder', '2');
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    registry.place(adder(1), adder(2, ['champion']));
    await eventually(() => expect(traffic.versions.get('2')).toBeGreaterThan(100));
    registry.place(adder(2, ['champion']));
    await eventually(async () =>
      expect(await runtime.state()).toMatchObject({ versions: [{ version: 2, state: 'ready' }] }),
    );
    await eventually(() =>
      expect(runtime.log.some((line) => line['msg'] === 'version unloaded' && line['version'] === 1)).toBe(true),
    );
    const { failures } = await traffic.finish();
    expect(failures).toEqual([]);
    await expect(runtime.infer(ask('1'))).rejects.toMatchObject({ kind: 'not-found' });
    expect(readdirSync(path.join(stateDir, 'versions'))).toHaveLength(1);
  });

  it('answers what waits and runs before it unloads', async () => {
    const slow: TestVersion = {
      model: 'slow',
      version: 1,
      signature: identitySignature('FP32', [-1, 1]),
      files: { 'm.onnx': loopingModel(300_000) },
      serving: { maxBatchSize: 1, device: 'cpu', warmupCount: 0 },
    };
    registry.place(slow);
    const runtime = await (await start()).ready();
    const one = requestOf('slow', 'FP32', [1, 1], [0]);
    let answered = 0;
    const outcomes = Array.from({ length: 5 }, async () => {
      const outcome = await runtime.send(one);
      answered += 1;
      return outcome;
    });
    await eventually(async () =>
      expect((await runtime.state()).versions).toMatchObject([{ queue: { queuedRequests: 3 } }]),
    );
    registry.place();
    await eventually(async () => expect((await runtime.inference.modelReady({ name: 'slow' })).ready).toBe(false));
    expect(answered).toBeLessThan(5);
    for (const { error } of await Promise.all(outcomes)) expect(error).toBeUndefined();
    await eventually(() => expect(runtime.log.some((line) => line['msg'] === 'version unloaded')).toBe(true));
  });

  it('answers by number, alias, champion, and without a champion by the highest that is loaded', async () => {
    registry.place(adder(1, ['champion', 'old']), adder(3), adder(2, ['new']));
    const runtime = await (await start()).ready();
    const by = async (ref: string) => (await runtime.infer(ask(ref))).modelVersion;
    expect([await by(''), await by('old'), await by('new'), await by('3')]).toEqual(['1', '1', '2', '3']);
    expect(await runtime.inference.modelMetadata({ name: 'adder', version: 'new' })).toMatchObject({
      name: 'adder',
      versions: ['1', '2', '3'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '3'] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '3'] }],
    });
    registry.place(adder(1), adder(3));
    await eventually(async () => expect(await by('')).toBe('3'));
    expect(await runtime.inference.serverMetadata({})).toEqual({
      name: 'sluice-model-server',
      version: '0.1.0',
      extensions: ['classification', 'model_configuration', 'schedule_policy', 'sequence', 'statistics'],
    });
  });

  it('is ready with an empty placement as soon as the watch stands', async () => {
    const runtime = await (await start()).ready();
    expect(await runtime.inference.serverLive({})).toEqual({ live: true });
    await expect(runtime.infer(ask())).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('with the registry away', () => {
  it('serves its last placement after a restart, and follows again when the registry is back', async () => {
    registry.place(adder(1, ['champion']), adder(2));
    const first = await (await start()).ready();
    await stop(first);
    expect(registry.released).toBe(1);
    const revision = registry.revision;
    await registry.stop();
    const second = await (await start()).ready();
    expect((await second.infer(ask())).modelVersion).toBe('1');
    expect((await second.infer(ask('2'))).modelVersion).toBe('2');
    expect(await second.state()).toMatchObject({ registryConnected: false, appliedRevision: revision });
    registry.place(adder(2, ['champion']));
    await registry.start();
    await eventually(async () => expect((await second.infer(ask())).modelVersion).toBe('2'));
    expect(registry.resumeTokens.at(-1)).toBe(revision);
    await eventually(async () => expect(await second.state()).toMatchObject({ registryConnected: true, ready: true }));
  });

  it('is not ready without a placement, and says so', async () => {
    await registry.stop();
    const runtime = await start();
    expect(await runtime.inference.serverReady({})).toEqual({ ready: false });
    await eventually(async () =>
      expect(await runtime.metrics()).toMatch(/sluice_dependency_up\{dependency="registry".*\} 0/),
    );
  });

  it('does not start from a snapshot that is not one', async () => {
    writeFileSync(path.join(stateDir, 'placement.json'), '{"format":1,"revision":3');
    registry.place(adder(1, ['champion']));
    const runtime = await (await start()).ready();
    expect(runtime.log.some((line) => String(line['msg']).includes('last placement cannot be used'))).toBe(true);
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
  });
});

describe('downloads', () => {
  it('goes on where a broken download stopped, and checks the whole', async () => {
    const large = adder(1, ['champion'], 400_000);
    let broken = false;
    registry.onChunk = (_sha, at, chunk) => {
      if (at >= 196_608 && !broken) {
        broken = true;
        throw unavailable('the disk of the registry went away');
      }
      return chunk;
    };
    registry.place(large);
    const runtime = await (await start()).ready();
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    expect(registry.downloads.map(({ offset }) => offset)).toEqual([0, 196_608]);
  });

  it('refuses bytes without their digest, keeps nothing of them, and serves the others', async () => {
    registry.onChunk = (sha, _at, chunk) =>
      sha === sha256(adder(2).files['m.onnx']!) ? Buffer.alloc(chunk.length, 7) : chunk;
    registry.place(adder(1, ['champion']), adder(2));
    const runtime = await (await start()).ready();
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    await expect(runtime.infer(ask('2'))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/expected SHA-256 .* got .*thrown away/) as string,
    });
    await eventually(() =>
      expect(registry.leases.at(-1)?.versions[1]).toMatchObject({
        state: 'LOAD_STATE_FAILED',
        reason: expect.stringContaining('SHA-256') as string,
      }),
    );
    expect(readdirSync(path.join(stateDir, 'artifacts'))).toHaveLength(1);
  });

  it('fetches again what was changed on disk', async () => {
    registry.place(adder(1, ['champion']));
    await stop(await (await start()).ready());
    const [name] = readdirSync(path.join(stateDir, 'artifacts'));
    const file = path.join(stateDir, 'artifacts', name!);
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const runtime = await (await start()).ready();
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    expect(registry.downloads).toHaveLength(2);
  });

  it('resolves external data inside the version only', async () => {
    const weights = rawData('FP32', [5, 5, 5]);
    const external = (location: string): Uint8Array =>
      model({
        graph: graph({
          nodes: [node('Add', ['x', 'w'], ['y'])],
          inputs: [value('x', 'FP32', ['batch', 3])],
          outputs: [value('y', 'FP32', ['batch', 3])],
          initializers: [externalTensor('w', 'FP32', [3], { location, length: 12 })],
        }),
      });
    writeFileSync(path.join(stateDir, 'secret.bin'), weights);
    const of = (version: number, files: TestVersion['files']): TestVersion => ({
      ...adder(version),
      files,
      graphPath: 'm.onnx',
    });
    registry.place(
      of(1, { 'm.onnx': external('data/w.bin'), 'data/w.bin': weights }),
      of(2, { 'm.onnx': external('../../secret.bin') }),
      of(3, { 'm.onnx': external(path.join(stateDir, 'secret.bin')) }),
      of(4, { 'm.onnx': external('w.bin'), '../w.bin': weights }),
    );
    const runtime = await (await start()).ready();
    const response = await runtime.infer(ask('1'));
    expect([...decodeTensor('FP32', response.outputs[0]!.data)]).toEqual([5, 6, 7]);
    const { versions } = await runtime.state();
    expect(versions.map((version) => version['state'])).toEqual(['ready', 'failed', 'failed', 'failed']);
    expect(versions[3]!['reason']).toContain('leaves its folder');
  });

  it('keeps the old version when the new one loads and cannot run', async () => {
    // A Reshape that no number of rows fits.
    const broken = model({
      graph: graph({
        nodes: [node('Reshape', ['x', 'shape'], ['y'])],
        inputs: [value('x', 'FP32', ['batch', 3])],
        outputs: [value('y', 'FP32', ['batch', 3])],
        initializers: [tensor('shape', 'INT64', [2], [7, 5])],
      }),
    });
    registry.place(adder(1, ['champion']), { ...adder(2), files: { 'm.onnx': broken } });
    const runtime = await (await start()).ready();
    const reason = expect.stringMatching(/warm-up: .*the model failed: .*Reshape/) as string;
    await eventually(() =>
      expect(registry.leases.at(-1)?.versions).toMatchObject([
        { version: '1', state: 'LOAD_STATE_READY' },
        { version: '2', state: 'LOAD_STATE_FAILED', reason },
      ]),
    );
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    await expect(runtime.infer(ask('2'))).rejects.toMatchObject({ kind: 'unavailable', message: reason });
  });

  it('keeps serving when a version cannot be loaded', async () => {
    registry.place(
      adder(1, ['champion']),
      { ...adder(2), files: { 'm.onnx': adder(2).files['m.onnx']!.subarray(0, 60) } },
      {
        ...adder(3),
        signature: identitySignature('INT64', [-1, 3]),
      },
    );
    const runtime = await (await start()).ready();
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    await expect(runtime.infer(ask('2'))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('ONNX Runtime could not load') as string,
    });
    await expect(runtime.infer(ask('3'))).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('"x" is FP32, not INT64') as string,
    });
  });
});

describe('status', () => {
  it('tells watchers that a version is ready before the registry, and that it drains', async () => {
    const runtime = await (await start()).ready();
    const seen: { ready: boolean; draining: boolean; reported: boolean }[] = [];
    const watching = (async () => {
      for await (const status of runtime.status.watchStatus({ routerId: 'r', protocolVersion: 1 })) {
        const reported = registry.leases.some((lease) =>
          lease.versions.some((version) => version.state === 'LOAD_STATE_READY'),
        );
        seen.push({ ready: status.versions[0]?.ready ?? false, draining: status.draining, reported });
      }
    })().catch(() => undefined);
    await eventually(() => expect(seen).toHaveLength(1));
    registry.place(adder(1, ['champion']));
    await eventually(() =>
      expect(registry.leases.at(-1)).toMatchObject({
        appliedRevision: String(registry.revision),
        versions: [{ state: 'LOAD_STATE_READY' }],
      }),
    );
    expect(seen.find(({ ready }) => ready)).toEqual({ ready: true, draining: false, reported: false });
    await runtime.running.stopAccepting();
    await watching;
    expect(seen.at(-1)).toMatchObject({ ready: true, draining: true });
    expect(registry.released).toBe(1);
  });

  it('counts as Triton does', async () => {
    registry.place(adder(1, ['champion']));
    const runtime = await (await start()).ready();
    await Promise.all(Array.from({ length: 50 }, () => runtime.infer(ask())));
    await runtime.infer(requestOf('adder', 'FP32', [7, 3], new Array<number>(21).fill(1)));
    await expect(runtime.infer(requestOf('adder', 'FP32', [1, 2], [1, 2]))).rejects.toMatchObject({
      kind: 'invalid-argument',
    });
    const text = await runtime.metrics();
    const read = (name: string, more = ''): number =>
      Number(new RegExp(`^${name}\\{model="adder",version="1"${more}[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(read('nv_inference_request_success')).toBe(51);
    expect(read('nv_inference_count')).toBe(57);
    expect(read('nv_inference_request_failure', ',reason="OTHER"')).toBe(1);
    expect(read('nv_inference_exec_count')).toBeLessThan(51);
    expect(read('nv_inference_pending_request_count')).toBe(0);
    expect(read('nv_inference_compute_infer_duration_us')).toBeGreaterThan(0);
    expect(read('sluice_batch_rows_count')).toBe(read('nv_inference_exec_count'));
  });
});
