import { readFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { decodeStrings } from '@sluice/inference/bytes-tensor';
import { decodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digitsSignature, exampleFile, holdout } from '../support/examples.ts';
import { adder } from '../support/adder.ts';
import { referenceRun } from '../support/reference.ts';
import { requestOf, startRuntime, temporaryFolder, type TestRuntime } from '../support/runtime.ts';
import { openSlowly } from '../support/shareable.ts';
import { TestRegistry, type TestVersion } from '../support/test-registry.ts';
import { fakePorts } from './fake.ts';
import { echo, ones, places } from './models.ts';

/** A device that the suite is run on. */
export interface DeviceUnderTest {
  /** With its number where it has one: `cuda:0`. */
  readonly name: string;
  /** Whether ONNX Runtime computes there and not on the CPU: some operators may be missing, and digits may differ. */
  readonly isReal: boolean;
}

type Serving = NonNullable<TestVersion['serving']>;

/** What every device has to do, whatever is behind it. */
export function deviceContract({ name, isReal }: DeviceUnderTest): void {
  const kind = name.split(':')[0]!;
  const oneThread = name === 'webgpu';
  const names = [...new Set(['cpu', name])];
  const mixedTwoAndOne = [
    { count: 2, device: kind },
    { count: 1, device: 'cpu' },
  ];
  const asked = kind === 'cpu' ? 'cpu ×2, cpu ×1' : `${kind} ×2, cpu ×1`;
  const got = kind === 'cpu' ? 'cpu ×3' : `${name} ×2, cpu ×1`;
  const digits = (version: number, file: string, serving: Serving): TestVersion => ({
    ...{ model: 'digits', version, signature: digitsSignature, serving },
    files: { 'model.onnx': readFileSync(exampleFile(`digits/${file}`)) },
  });
  const onDevice = (serving: Serving = {}): Serving => ({ ...serving, device: kind });

  const registry = new TestRegistry();
  const workers = new Set<Worker>();
  const collect = (worker: Worker): void => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  };
  let runtime: TestRuntime;
  /** The thread that has the version that was loaded last: its own, started last, or the one that the device has. */
  let holder: Worker;
  /** Of version `version` of a model, as Admin shows it. */
  const stateOf = async (model: string, version: number) =>
    (await runtime.state()).versions.find((one) => one['model'] === model && one['version'] === version);
  const outputOf = async (...request: Parameters<typeof requestOf>) => {
    const [output] = (await runtime.infer(requestOf(...request))).outputs;
    return output!;
  };

  describe(`on ${name}`, () => {
    const loadedOf = (version: number) =>
      runtime.log.find(
        ({ msg, model, version: loaded }) => msg === 'version loaded' && model === 'digits' && loaded === version,
      );
    let fast: () => void;
    beforeAll(async () => {
      fast = openSlowly();
      process.on('worker', collect);
      await registry.start();
      registry.place(
        { ...digits(1, 'linear', onDevice({ maxBatchSize: 16, warmupCount: 1 })), aliases: ['champion'] },
        digits(2, 'cnn', onDevice({ maxBatchSize: 16, warmupCount: 2, instanceGroups: mixedTwoAndOne })),
        echo(1, onDevice()),
        echo(2, onDevice({ cpuOperators: true })),
        places(1, onDevice({ cpuOperators: true })),
        ones(1, onDevice()),
        // Large enough for a thread of its own, and the last to get one.
        { ...adder(7, [], 1_100_000), model: 'weak', serving: { ...onDevice(), maxBatchSize: 8, warmupCount: 0 } },
      );
      // No probe here: what the suite is run on is taken to be there, and fails if it is not.
      const ports = { ...fakePorts, probe: async () => '' };
      const options = {
        registry: registry.address,
        stateDir: temporaryFolder(),
        args: ['--lease-ttl-ms=600', '--threads=3'],
      };
      runtime = await (await startRuntime({ ...options, devices: { names, ports } })).ready(60_000);
      holder = [...workers].at(oneThread ? 0 : -1)!;
    });
    afterAll(async () => {
      fast();
      process.off('worker', collect);
      await runtime.stop();
      await registry.stop();
    });

    it.each(['1', '2'])('answers as the CPU does, in batches of every size: version %s', async (version) => {
      const rows = holdout('digits').rows.slice(0, 60);
      const file = exampleFile(`digits/${version === '1' ? 'linear' : 'cnn'}`);
      const right = await referenceRun(file, 'pixels', rows, 'probabilities');
      const sizes = [1, 2, 3, 5, 7, 11, 16, 15];
      let at = 0;
      const parts = sizes.map((size) => ({ from: at, rows: rows.slice(at, (at += size)) }));
      await Promise.all(
        parts.map(async ({ from, rows: part }) => {
          const more = { version, input: 'pixels' };
          const output = await outputOf('digits', 'FP32', [part.length, 64], part.flat(), more);
          const values = [...decodeTensor(output.datatype, output.data)].map(Number);
          expect(values).toHaveLength(part.length * 10);
          values.forEach((value, index) => {
            const truth = right[from + Math.floor(index / 10)]![index % 10]!;
            expect(Math.abs(value - truth), `row ${from}, value ${index}`).toBeLessThan(isReal ? 2e-3 : 1e-6);
          });
        }),
      );
    });

    it('has sessions on several devices in one pool, and shows what was asked and what was got', async () => {
      const loaded = loadedOf(2);
      expect(loaded).toMatchObject({ instances: 3, sharesThread: false, devices: { asked, got } });
      expect(await stateOf('digits', 2)).toMatchObject({ devices: { asked, got } });
      await eventually(() =>
        expect(registry.leases.at(-1)?.versions).toContainEqual(
          expect.objectContaining({ model: 'digits', version: '2', devicesAsked: asked, devicesGot: got }),
        ),
      );
      expect(registry.leases.at(-1)?.devices).toEqual(
        names.map((each) => ({ name: each, state: 'DEVICE_STATE_AVAILABLE', detail: '' })),
      );
      const metrics = await runtime.metrics();
      const gauge = (device: string): RegExp =>
        new RegExp(`sluice_model_instances\\{(?=[^}]*device="${device}")(?=[^}]*version="2")[^}]*\\} (\\d)`);
      expect(gauge(name).exec(metrics)?.[1]).toBe(kind === 'cpu' ? '3' : '2');
      const { config } = await runtime.inference.modelConfig({ name: 'digits', version: '2' });
      const groups = config!.instanceGroup.map(({ kind: group, count, gpus }) => ({ group, count, gpus }));
      const number = name.split(':')[1];
      const onGpu = { group: 'KIND_GPU', count: 2, gpus: number === undefined ? [] : [Number(number)] };
      expect(groups).toEqual(
        kind === 'cpu'
          ? [{ group: 'KIND_CPU', count: 3, gpus: [] }]
          : [onGpu, { group: 'KIND_CPU', count: 1, gpus: [] }],
      );
    });

    it('warms every session up, and a version beside the CPU shares no thread', async () => {
      const loaded = runtime.log.find((line) => line['msg'] === 'version loaded' && line['version'] === 2);
      // Once alone, and then each of two rounds on both slots of each of three sessions, with some sizes.
      expect((Number(loaded?.['warmUpRuns']) - 1) % (2 * 2 * 3)).toBe(0);
      expect(Number(loaded?.['warmUpRuns'])).toBeGreaterThan(12);
      // As it was loaded: on a busy machine it may be too slow for others since.
      expect(loadedOf(1)?.['sharesThread']).toBe(kind === 'cpu');
      expect(await stateOf('digits', 1)).toMatchObject({ devices: { asked: kind, got: `${name} ×1` } });
    });

    it('serves text, and refuses to load where the device has no operators for it until that is allowed', async () => {
      const words = ['a', '', 'zwölf', '\u{1F600}'];
      for (const version of isReal ? ['2'] : ['1', '2']) {
        const { data } = await outputOf('echo', 'BYTES', [4, 1], words, { version });
        expect(decodeStrings(data)).toEqual(words);
      }
      if (!isReal) return;
      const reason = `ONNX Runtime could not load the model on ${name}: the graph has operators that ${name} cannot run`;
      expect(await stateOf('echo', 1)).toMatchObject({ state: 'failed', devices: { got: '' } });
      expect((await stateOf('echo', 1))?.['reason']).toContain(reason);
      expect(await stateOf('echo', 2)).toMatchObject({
        devices: { got: `${name} ×1, some operators perhaps on cpu` },
      });
    });

    it('gives outputs whose shape only the run decides', async () => {
      for (const [values, found] of [
        [
          [0, 5, 0, 6],
          [1, 3],
        ],
        [[1, 0, 0, 0], [0]],
      ] as const) {
        const output = await outputOf('places', 'FP32', [4], values);
        expect(output.shape).toEqual([1, found.length]);
        expect([...decodeTensor(output.datatype, output.data)].map(Number)).toEqual(found);
      }
    });

    it('says when it has no memory for an answer, and others go on', async () => {
      const { error } = await runtime.send(requestOf('ones', 'INT64', [1], [1n << 44n]));
      expect(['resource-exhausted', ...(isReal ? ['model-failed'] : [])]).toContain(error?.kind);
      expect(await stateOf('ones', 1)).toMatchObject({ state: 'ready' });
      const { shape } = await outputOf('digits', 'FP32', [1, 64], Array(64).fill(0), { version: '1', input: 'pixels' });
      expect(shape).toEqual([1, 10]);
    });

    it('costs the callers of a lost session an INTERNAL, and is there again on the same device', async () => {
      const before = workers.size;
      const request = requestOf('weak', 'FP32', [1, 3], [0, 0, 0]);
      await runtime.modelReady('weak');
      holder.postMessage(null);
      const { error } = await runtime.send(request);
      expect(error).toMatchObject({
        kind: 'internal',
        message: expect.stringContaining('ended its session') as string,
      });
      await runtime.modelReady('weak');
      const { data } = await outputOf('weak', 'FP32', [1, 3], [0, 0, 0]);
      expect([...decodeTensor('FP32', data)]).toEqual([7, 7, 7]);
      expect(await stateOf('weak', 7)).toMatchObject({ devices: { got: `${name} ×1` } });
      expect(workers.size).toBe(before);
    });

    it('gives everything back when versions are withdrawn', async () => {
      registry.place();
      await eventually(() => expect(workers.size).toBe(0), 20_000);
      // Those on their way out are shown until they are gone.
      await eventually(async () => expect((await runtime.state()).versions).toEqual([]));
      expect(await runtime.metrics()).not.toMatch(/^sluice_model_instances\{/m);
    });
  });
}
