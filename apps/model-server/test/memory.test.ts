import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import { adder, ask } from './support/adder.ts';
import { loopingModel } from './support/looping-model.ts';
import { identitySignature, requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

const mib = 1 << 20;
/** So large that two of them, whatever the process is seen to grow by, leave no room for a third: see `memory-estimate.ts`. */
const weights = 16 * mib;
/** One artifact for all versions: it is downloaded once. */
const ballast = new Uint8Array(weights);
const budget = `--memory-budget-bytes=${54 * mib}`;

const heavy = (number: number, more: Partial<TestVersion> = {}): TestVersion => ({
  ...adder(number),
  files: { ...adder(number).files, 'weights.bin': ballast },
  graphPath: 'm.onnx',
  memoryBytes: weights,
  serving: { maxBatchSize: 8, device: 'cpu', warmupCount: 1 },
  ...more,
});
const pinned = (number: number): TestVersion => heavy(number, { pinned: true });

let registry: TestRegistry;
let runtime: TestRuntime | undefined;

beforeEach(async () => {
  registry = await new TestRegistry().start();
});
afterEach(async () => {
  await runtime?.stop();
  runtime = undefined;
  await registry.stop();
});

async function start(...args: string[]): Promise<TestRuntime> {
  const options = { registry: registry.address, stateDir: temporaryFolder(), args: [budget, ...args] };
  runtime = await startRuntime(options);
  return runtime.ready();
}

const states = async (of: TestRuntime): Promise<Record<string, unknown>> =>
  Object.fromEntries((await of.state()).versions.map(({ version, state }) => [String(version), state]));
const memoryOf = async (of: TestRuntime) => (await of.state())['memory'] as Record<string, number>;
const leased = () =>
  Object.fromEntries(registry.leases.at(-1)!.versions.map(({ version, state }) => [version, state.slice(11)]));

/** Answers show which version made them. */
async function expectAnswer(of: TestRuntime, version: string): Promise<void> {
  const { modelVersion, outputs } = await of.infer(ask(version));
  expect(modelVersion).toBe(version);
  const number = Number(version);
  const expected = [number, number + 1, number + 2];
  expect(Buffer.from(outputs[0]!.data)).toEqual(Buffer.from(encodeTensor('FP32', expected)));
}

describe('a memory budget that is too small for all that is pinned', () => {
  it('is ready with what fits, loads the rest on demand once for all that ask, and unloads what was used least recently', async () => {
    registry.place(pinned(1), pinned(2), pinned(3));
    const server = await start();
    expect(await states(server)).toEqual({ 1: 'ready', 2: 'ready', 3: 'evicted' });
    await eventually(() => expect(leased()).toEqual({ 1: 'READY', 2: 'READY', 3: 'EVICTED' }));
    expect(registry.leases.at(-1)!.versions[2]!.reason).toMatch(/no room: it needs about 26 MiB.*adder\/1/);
    expect((await server.inference.modelReady({ name: 'adder', version: '3' })).ready).toBe(false);
    // What it is, is known without loading it.
    expect(await server.inference.modelMetadata({ name: 'adder', version: '3' })).toMatchObject({ name: 'adder' });
    expect((await server.inference.modelConfig({ name: 'adder', version: '3' })).config).toMatchObject({
      maxBatchSize: 8,
    });

    await expectAnswer(server, '2');
    await expectAnswer(server, '1');
    await Promise.all(Array.from({ length: 20 }, () => expectAnswer(server, '3')));
    expect(await states(server)).toEqual({ 1: 'ready', 2: 'evicted', 3: 'ready' });
    expect(await memoryOf(server)).toMatchObject({ evictions: 1, demandLoads: 1, waitingRequests: 0 });
    expect((await memoryOf(server))['heldBytes']).toBeLessThanOrEqual(54 * mib);
    await eventually(() => expect(leased()).toEqual({ 1: 'READY', 2: 'EVICTED', 3: 'READY' }));
    // A load without an inference, which ends with the same reasons.
    await server.status.loadVersion({ model: 'adder', version: '3' });
    const missing = server.status.loadVersion({ model: 'adder', version: '9' });
    await expect(missing).rejects.toMatchObject({ kind: 'not-found' });
    // Files stay, so that nothing is downloaded again, and counts go on.
    const { length } = registry.downloads;
    await expectAnswer(server, '2');
    expect(registry.downloads).toHaveLength(length);
    expect(await states(server)).toEqual({ 1: 'evicted', 2: 'ready', 3: 'ready' });
    const { modelStats } = await server.inference.modelStatistics({ name: 'adder', version: '2' });
    expect(modelStats[0]!.inferenceStats!.success!.count).toBe('2');
    const metrics = await server.metrics();
    expect(metrics).toMatch(/sluice_evictions_total\{[^}]*\} 2\n/);
    expect(metrics).toMatch(/sluice_demand_loads_total\{[^}]*\} 2\n/);
    expect(metrics).toMatch(/sluice_memory_held_bytes\{[^}]*\} [1-9]/);
    expect(metrics).toMatch(/nv_model_load_duration_secs\{[^}]*version="2"[^}]*\} [0-9.]+\n/);
  });

  it('tells routers what can be had on demand, and an older registry that it is unloading', async () => {
    registry.takesEvicted = false;
    registry.place(pinned(1), pinned(2), pinned(3));
    const server = await start();
    await eventually(() => expect(leased()).toEqual({ 1: 'READY', 2: 'READY', 3: 'UNLOADING' }));
    const watching = new AbortController();
    for await (const status of server.status.watchStatus({ routerId: 'r' }, { signal: watching.signal })) {
      expect(status.loadsOnDemand).toBe(true);
      expect(status.versions.map(({ ready, onDemand }) => [ready, onDemand])).toEqual([
        [true, false],
        [true, false],
        [false, true],
      ]);
      break;
    }
    watching.abort();
  });

  it('never takes from what an alias holds: the request is told what to do, and what is kept comes when there is room', async () => {
    registry.place(heavy(1, { aliases: ['champion'] }), heavy(2, { aliases: ['a'] }), pinned(3));
    const server = await start();
    const { error } = await server.send(ask('3'));
    expect(error).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 1_000 });
    expect(error!.message).toMatch(/^adder version 3 is not loaded: no room: .*adder\/1 .*raise --memory-budget-bytes/);
    expect(await states(server)).toEqual({ 1: 'ready', 2: 'ready', 3: 'evicted' });
    // With an alias of its own it has to be there, and cannot.
    registry.place(heavy(1, { aliases: ['champion'] }), heavy(2, { aliases: ['a'] }), heavy(3, { aliases: ['b'] }));
    await eventually(async () => expect(await states(server)).toEqual({ 1: 'ready', 2: 'ready', 3: 'failed' }));
    await eventually(() => expect(leased()).toEqual({ 1: 'READY', 2: 'READY', 3: 'FAILED' }));
    // Room appears: the pinned one gives way.
    registry.place(heavy(1, { aliases: ['champion'] }), pinned(2), heavy(3, { aliases: ['b'] }));
    await eventually(async () => expect(await states(server)).toEqual({ 1: 'ready', 2: 'evicted', 3: 'ready' }));
    // And what gave way comes back by itself when an alias needs it.
    registry.place(heavy(1, { aliases: ['champion'] }), heavy(2, { aliases: ['a'] }), pinned(3));
    await eventually(async () => expect(await states(server)).toEqual({ 1: 'ready', 2: 'ready', 3: 'evicted' }));
  });

  it('lets requests finish before their version gives way', async () => {
    const slow: TestVersion = {
      model: 'slow',
      version: 1,
      signature: identitySignature('FP32', [-1, 1]),
      files: { 'm.onnx': loopingModel(60_000), 'weights.bin': ballast },
      graphPath: 'm.onnx',
      serving: { maxBatchSize: 1, device: 'cpu', warmupCount: 0 },
      pinned: true,
      memoryBytes: weights,
    };
    registry.place(heavy(1, { aliases: ['champion'] }), slow, pinned(2));
    const server = await start();
    await eventually(async () => expect(await states(server)).toMatchObject({ 2: 'evicted' }));
    const works = { queue: { queuedRequests: expect.toSatisfy((count: number) => count > 0) as number } };
    const one = requestOf('slow', 'FP32', [1, 1], [0]);
    const running = Array.from({ length: 8 }, () => server.send(one));
    await eventually(async () => expect((await server.state()).versions[1]).toMatchObject(works));
    const asked = server.send(ask('2'));
    await eventually(async () => expect((await server.state()).versions[1]).toMatchObject({ state: 'evicting' }));
    // One more for the version that gives way waits until it is back: for that the other gives way in turn.
    const again = server.send(one);
    for (const { error } of await Promise.all([...running, asked, again])) expect(error).toBeUndefined();
    expect(await memoryOf(server)).toMatchObject({ evictions: 2, demandLoads: 2 });
    // One that gets an alias while it gives way is needed again: it comes back without a request.
    const more = Array.from({ length: 8 }, () => server.send(one));
    await eventually(async () => expect((await server.state()).versions[1]).toMatchObject(works));
    const last = server.send(ask('2'));
    await eventually(async () => expect((await server.state()).versions[1]).toMatchObject({ state: 'evicting' }));
    registry.place(heavy(1, { aliases: ['champion'] }), { ...slow, pinned: false, aliases: ['a'] }, pinned(2));
    for (const { error } of await Promise.all([...more, last])) expect(error).toBeUndefined();
    await eventually(async () =>
      expect((await server.state()).versions).toMatchObject([
        { state: 'ready' },
        { state: 'ready', hold: 'kept' },
        { state: 'evicted' },
      ]),
    );
  });
});

describe('a version that is not placed', () => {
  it('is brought by the first request, once for all, and goes when nobody asks for it', async () => {
    registry.place(adder(1, ['champion']));
    registry.know(adder(7));
    const server = await start('--demand-idle-ms=3000');
    // More than are handed over in one turn.
    await Promise.all(Array.from({ length: 600 }, () => expectAnswer(server, '7')));
    expect(registry.asked).toEqual(['adder/7']);
    await expectAnswer(server, '7');
    expect((await server.state()).versions).toMatchObject([{ hold: 'kept' }, { hold: 'demand', state: 'ready' }]);
    await eventually(() => expect(leased()).toEqual({ 1: 'READY', 7: 'READY' }));
    await eventually(async () => expect(Object.keys(await states(server))).toEqual(['1']));
    await expectAnswer(server, '7');
    expect(registry.asked).toEqual(['adder/7', 'adder/7']);
    // Placed, it stays; the request that brought it is forgotten.
    registry.place(adder(1, ['champion']), adder(7));
    await eventually(async () =>
      expect((await server.state()).versions).toMatchObject([{ version: 1 }, { version: 7, hold: 'kept' }]),
    );
  });

  it('is NOT_FOUND when the registry has none, UNAVAILABLE when it is away or the version does not load', async () => {
    registry.place(adder(1, ['champion']));
    registry.know({ ...adder(8), files: { 'm.onnx': new Uint8Array([1, 2, 3]) } });
    const server = await start();
    await expect(server.infer(ask('99'))).rejects.toMatchObject({ kind: 'not-found' });
    await expect(server.infer(ask('nowhere'))).rejects.toMatchObject({ kind: 'not-found' });
    expect(registry.asked).toEqual(['adder/99']);
    const both = await Promise.all([server.send(ask('8')), server.send(ask('8'))]);
    for (const { error } of both) {
      expect(error).toMatchObject({ kind: 'unavailable' });
      expect(error!.message).toMatch(/^adder version 8 is not loaded: ONNX Runtime could not load the model/);
    }
    await registry.stop();
    const { error } = await server.send(ask('9'));
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(error!.message).toMatch(/adder version 9 is not placed here, and the registry that knows it is away/);
    await expectAnswer(server, '1');
  });

  it('keeps no more requests waiting than the byte budget allows, none beyond its deadline, and gives all back', async () => {
    registry.place(adder(1, ['champion']));
    registry.know(adder(7));
    const server = await start('--max-queued-bytes=1048576');
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    registry.onAsked = () => held;
    const late = server.send(ask('7'), 300);
    expect((await late).error).toMatchObject({ kind: 'deadline-exceeded' });
    await eventually(async () => expect(await server.state()).toMatchObject({ heldRequestBytes: 0 }));
    const outcomes = Array.from({ length: 200 }, () => server.send(ask('7')));
    await eventually(async () => expect((await memoryOf(server))['waitingRequests']).toBeGreaterThan(100));
    const refused = (await Promise.race(outcomes)).error;
    expect(refused).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 100 });
    release();
    const ended = await Promise.all(outcomes);
    const answered = ended.filter(({ error }) => !error).length;
    expect(answered).toBeGreaterThan(100);
    expect(ended.filter(({ error }) => error?.kind === 'resource-exhausted')).toHaveLength(200 - answered);
    await eventually(async () => expect(await server.state()).toMatchObject({ heldRequestBytes: 0 }));
    // A placement says nothing of what requests brought.
    const { length } = registry.asked;
    registry.place(adder(1, ['champion']), adder(2));
    await server.modelReady('adder', '2');
    expect(await states(server)).toEqual({ 1: 'ready', 2: 'ready', 7: 'ready' });
    await expectAnswer(server, '7');
    expect(registry.asked).toHaveLength(length);
  });
});
