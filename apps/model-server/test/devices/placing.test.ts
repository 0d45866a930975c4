import type { Worker } from 'node:worker_threads';
import { decodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adder } from '../support/adder.ts';
import { requestOf, startRuntime, temporaryFolder, type TestRuntime } from '../support/runtime.ts';
import { TestRegistry, type TestVersion } from '../support/test-registry.ts';
import { fakePorts } from './fake.ts';

let registry: TestRegistry;
let runtime: TestRuntime;
let workers: Set<Worker>;
const collect = (worker: Worker): void => {
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
};

beforeEach(async () => {
  workers = new Set();
  process.on('worker', collect);
  registry = await new TestRegistry().start();
});
afterEach(async () => {
  process.off('worker', collect);
  await runtime.stop();
  await registry.stop();
});

const version = (number: number, serving: NonNullable<TestVersion['serving']>): TestVersion => ({
  ...adder(number),
  serving: { maxBatchSize: 4, warmupCount: 1, ...serving },
});
const start = async (names: readonly string[]) => {
  const devices = { names, ports: fakePorts };
  runtime = await startRuntime({ registry: registry.address, stateDir: temporaryFolder(), devices });
  await runtime.ready();
};
const ask = async (number: number): Promise<number[]> => {
  const more = { version: String(number) };
  const [output] = (await runtime.infer(requestOf('adder', 'FP32', [1, 3], [0, 1, 2], more))).outputs;
  return [...decodeTensor('FP32', output!.data)].map(Number);
};
const states = async () => (await runtime.state()).versions.map(({ state, reason }) => ({ state, reason }));

describe('a device', () => {
  it('that is missing fails the load of those that ask for it with the way to install it, and of nobody else', async () => {
    registry.place(version(1, { device: 'cpu' }), version(2, { device: 'fake:9' }), version(3, { device: 'fake' }));
    await start(['cpu', 'fake:9']);
    const reason = 'fake:9 is missing: nobody has a fake:9. plug in a fake';
    expect(await states()).toEqual([
      { state: 'ready', reason: '' },
      { state: 'failed', reason: `device "fake:9" cannot be used: ${reason}` },
      { state: 'failed', reason: `device "fake" cannot be used: ${reason}` },
    ]);
    expect(await ask(1)).toEqual([1, 2, 3]);
    await expect(ask(2)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining(reason) as string,
    });
    await eventually(() =>
      expect(registry.leases.at(-1)).toMatchObject({
        devices: [
          { name: 'cpu', state: 'DEVICE_STATE_AVAILABLE', detail: '' },
          { name: 'fake:9', state: 'DEVICE_STATE_MISSING', detail: 'nobody has a fake:9. plug in a fake' },
        ],
        versions: [
          { state: 'LOAD_STATE_READY' },
          { state: 'LOAD_STATE_FAILED', devicesAsked: 'fake:9', devicesGot: '' },
          { state: 'LOAD_STATE_FAILED', devicesAsked: 'fake', devicesGot: '' },
        ],
      }),
    );
    expect(registry.offered).toEqual(['cpu', 'fake:9']);
    expect((await runtime.state())['devices']).toMatchObject([{ name: 'cpu' }, { name: 'fake:9', state: 'missing' }]);
    expect(runtime.log).toContainEqual(
      expect.objectContaining({ msg: 'a device of SLUICE_DEVICES is missing', device: 'fake:9' }),
    );
  });

  it('whose provider turns out not to be there fails the load, and nothing runs on the CPU instead', async () => {
    registry.place(version(1, { device: 'fake:7' }), version(2, { device: 'cpu' }));
    await start(['fake:7']);
    const [cuda, cpu] = await states();
    expect(cuda).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^ONNX Runtime could not load the model on fake:7: .*(CUDA|Cuda)/) as string,
    });
    expect(cpu!.reason).toContain('device "cpu" is not one that this runtime offers (fake:7)');
    expect(workers.size).toBe(0);
  });

  it('that is not offered fails a version that requests bring, which is not fetched and takes no room from others', async () => {
    registry.place({ ...version(1, { device: 'cpu' }), pinned: true });
    registry.know(version(2, { device: 'cuda' }));
    const devices = { names: ['cpu'], ports: fakePorts };
    // There is room for one of them.
    const args = ['--memory-budget-bytes=12000000'];
    runtime = await startRuntime({ registry: registry.address, stateDir: temporaryFolder(), devices, args });
    await runtime.ready();
    const refusal = {
      kind: 'unavailable',
      message: expect.stringContaining(
        'device "cuda" is not one that this runtime offers (cpu): start it with --devices=cpu,cuda, or push the version for another device',
      ) as string,
    };
    await expect(ask(2)).rejects.toMatchObject(refusal);
    await expect(ask(2)).rejects.toMatchObject(refusal);
    expect(registry.asked).toEqual(['adder/2']);
    expect(registry.downloads).toHaveLength(1);
    expect(await states()).toMatchObject([{ state: 'ready' }, { state: 'failed' }]);
  });

  it('without an operator of the graph fails the load, until operators on the CPU are allowed', async () => {
    registry.place(version(1, { device: 'fake:8' }), version(2, { device: 'fake:8', cpuOperators: true }));
    await start(['fake:8']);
    const [refused, allowed] = await states();
    expect(refused).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('the graph has operators that fake:8 cannot run') as string,
    });
    expect(allowed).toEqual({ state: 'ready', reason: '' });
    expect(await ask(2)).toEqual([2, 3, 4]);
  });

  it('of several shares the sessions of its kind, those that are missing have none', async () => {
    registry.place(version(1, { instanceGroups: [{ count: 3, device: 'fake' }] }));
    await start(['fake:9', 'fake:0', 'fake:1']);
    expect((await runtime.state()).versions).toMatchObject([
      { state: 'ready', devices: { asked: 'fake ×3', got: 'fake:0 ×2, fake:1 ×1' } },
    ]);
    expect(workers.size).toBe(3);
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask(1)));
    expect(new Set(answers.map(String))).toEqual(new Set(['1,2,3']));
  });

  it('for one thread at a time has one for all sessions of all versions, a new one when that was lost', async () => {
    registry.place(version(1, { instanceGroups: [{ count: 2, device: 'fake:6' }] }), version(2, { device: 'fake:6' }));
    await start(['fake:6']);
    expect(workers.size).toBe(1);
    const [first] = workers;
    const answers = await Promise.all([1, 2, 1, 2, 1, 2].map(ask));
    expect(answers.map(String)).toEqual(['1,2,3', '2,3,4', '1,2,3', '2,3,4', '1,2,3', '2,3,4']);
    first!.postMessage(null);
    await expect(ask(1)).rejects.toMatchObject({ kind: 'internal' });
    await runtime.modelReady('adder', '1');
    await runtime.modelReady('adder', '2');
    expect([await ask(1), await ask(2)]).toEqual([
      [1, 2, 3],
      [2, 3, 4],
    ]);
    expect([...workers]).toHaveLength(1);
    expect(workers.has(first!)).toBe(false);
  });
});
