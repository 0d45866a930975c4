import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { adder, ask } from './support/adder.ts';
import { requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { openSlowly } from './support/shareable.ts';
import { TestRegistry } from './support/test-registry.ts';

describe('a session that ends by itself', () => {
  let registry: TestRegistry;
  let runtime: TestRuntime;
  const workers: Worker[] = [];
  const collect = (worker: Worker): void => void workers.push(worker);
  beforeEach(async () => {
    registry = await new TestRegistry().start();
    workers.length = 0;
    process.on('worker', collect);
  });
  afterEach(async () => {
    process.off('worker', collect);
    await runtime.stop();
    await registry.stop();
  });

  const start = () =>
    startRuntime({ registry: registry.address, stateDir: temporaryFolder(), args: ['--lease-ttl-ms=600'] });
  /** Ends the worker thread of a version when the next batch wakes it: nothing that the threads' protocol knows. */
  const poison = (): void => workers.at(-1)!.postMessage(null);

  it('costs its callers an INTERNAL, is loaded again, and stays failed after the third time', async () => {
    const weak = { ...adder(7), model: 'weak', serving: { maxBatchSize: 8, device: 'cpu', warmupCount: 0 } };
    registry.place(adder(1, ['champion']), weak);
    runtime = await (await start()).ready();
    const request = requestOf('weak', 'FP32', [1, 3], [0, 0, 0]);
    const before = workers.length;
    for (const loss of [1, 2, 3]) {
      await runtime.modelReady('weak');
      poison();
      expect((await runtime.send(request)).error).toMatchObject({
        kind: 'internal',
        message: expect.stringContaining('ended its session') as string,
        neverAgain: true,
      });
      if (loss < 3) await eventually(() => expect(workers).toHaveLength(before + loss));
    }
    await eventually(async () => expect((await runtime.state()).versions[1]).toMatchObject({ state: 'failed' }));
    expect(workers).toHaveLength(before + 2);
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    expect((await runtime.send(request)).error).toMatchObject({ kind: 'unavailable' });
    await eventually(() => expect(registry.leases.at(-1)?.versions[1]).toMatchObject({ state: 'LOAD_STATE_FAILED' }));
  });

  it('costs those that wait an UNAVAILABLE: their requests never began and may go elsewhere', async () => {
    const weak = { ...adder(7), model: 'weak', serving: { maxBatchSize: 1, device: 'cpu', warmupCount: 0 } };
    registry.place(weak);
    runtime = await (await start()).ready();
    await runtime.modelReady('weak');
    poison();
    const request = requestOf('weak', 'FP32', [1, 3], [0, 0, 0]);
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => runtime.send(request)));
    const failures = outcomes.flatMap(({ error }) => (error ? [error] : []));
    expect(failures.filter(({ kind }) => kind === 'internal')).toHaveLength(1);
    const others = failures.filter(({ kind }) => kind !== 'internal');
    expect(others.length).toBeGreaterThan(5);
    for (const each of others)
      expect(each).toMatchObject({ kind: 'unavailable', origin: 'answered', neverAgain: false });
  });

  it('gives versions that shared its thread threads of their own', async () => {
    onTestFinished(openSlowly());
    const serving = { maxBatchSize: 8, device: 'cpu', warmupCount: 5 };
    registry.place(
      { ...adder(1, ['champion']), serving },
      { ...adder(2), serving },
      {
        ...adder(3),
        serving: { maxBatchSize: 8, device: 'cpu', warmupCount: 0 },
      },
    );
    runtime = await (await start()).ready();
    const sharing = async () =>
      (await runtime.state()).versions.map((version) => [version['state'], version['sharesThread']]);
    // The third was not seen to be quick: it had no warm-up.
    expect(await sharing()).toEqual([
      ['ready', true],
      ['ready', true],
      ['ready', false],
    ]);
    workers[1]!.postMessage(null);
    // One batch of one version ended the thread; those of the other did not begin.
    const outcomes = await Promise.all(['2', '1', '2', '1'].map((version) => runtime.send(ask(version))));
    const kinds = outcomes.map(({ error }) => error?.kind);
    const [ofTwo, ofOne] = [
      [kinds[0], kinds[2]],
      [kinds[1], kinds[3]],
    ];
    for (const kind of kinds) expect(['internal', 'unavailable']).toContain(kind);
    expect([ofTwo.includes('internal'), ofOne.includes('internal')].filter(Boolean)).toHaveLength(1);
    await eventually(async () =>
      expect(await sharing()).toEqual([
        ['ready', false],
        ['ready', false],
        ['ready', false],
      ]),
    );
    expect((await runtime.infer(ask('1'))).modelVersion).toBe('1');
    expect((await runtime.infer(ask('2'))).modelVersion).toBe('2');
  });
});
