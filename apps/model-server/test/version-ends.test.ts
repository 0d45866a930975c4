import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endlessTrips } from '@sluice/testkit/counting-model';
import { eventually } from '@sluice/testkit/eventually';
import { accumulator, read, start, step } from './support/accumulator.ts';
import { adder, ask } from './support/adder.ts';
import { counting } from './support/counting-model.ts';
import { requestOf, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { RuntimeProcess } from './support/runtime-process.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

const mib = 1 << 20;
/** Of two versions so large there is no room for a third, but for a small one: also when loads take ten MiB less than was thought. */
const weights = 32 * mib;
const ballast = new Uint8Array(weights);
const budget = `--memory-budget-bytes=${100 * mib}`;
const heavy = (of: TestVersion, more: Partial<TestVersion> = {}): TestVersion => ({
  ...of,
  files: { ...of.files, 'weights.bin': ballast },
  graphPath: 'm.onnx',
  serving: { device: 'cpu', maxBatchSize: 8, warmupCount: 1, instanceCount: 1, ...of.serving },
  memoryBytes: weights,
  ...more,
});
const pinned = (of: TestVersion) => heavy(of, { aliases: [], pinned: true });

let registry: TestRegistry;
let server: TestRuntime | undefined;
let child: RuntimeProcess | undefined;
const workers: Worker[] = [];
const collect = (worker: Worker): void => void workers.push(worker);

beforeEach(async () => {
  process.on('worker', collect);
  registry = await new TestRegistry().start();
});
afterEach(async () => {
  process.off('worker', collect);
  await server?.stop();
  await child?.stop();
  server = child = undefined;
  await registry.stop();
});

async function serve(...args: string[]): Promise<TestRuntime> {
  const options = { registry: registry.address, stateDir: temporaryFolder(), args: [budget, ...args] };
  server = await startRuntime(options);
  return server.ready();
}
const statesOf = async (of: Pick<TestRuntime, 'state'> | RuntimeProcess): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (await of.state()).versions.map((each) => [`${String(each['model'])}/${String(each['version'])}`, each['state']]),
  );
const becomes = (of: TestRuntime, expected: Record<string, unknown>) =>
  eventually(async () => expect(await statesOf(of)).toEqual(expected), 20_000);
const lost = { kind: 'failed-precondition', message: expect.stringContaining('sequence lost') as string };

describe('a version on which sequences live', () => {
  it('gives way only to what is kept, and serves them to their end meanwhile', async () => {
    registry.place(pinned(accumulator()), heavy(adder(2, ['a'])), pinned(adder(4)));
    const runtime = await serve('--eviction-drain-ms=600000');
    expect(await statesOf(runtime)).toEqual({ 'accumulator/1': 'ready', 'adder/2': 'ready', 'adder/4': 'evicted' });
    expect(read(await runtime.infer(start(1n, 5))).sum).toBe(5);
    const { error } = await runtime.send(ask('4'));
    expect(error).toMatchObject({ kind: 'resource-exhausted' });
    expect(error!.message).toMatch(/accumulator\/1 \(\d+ MiB, sequences live on it\)/);

    registry.place(pinned(accumulator()), heavy(adder(2, ['a'])), heavy(adder(3, ['b'])));
    await becomes(runtime, { 'accumulator/1': 'evicting', 'adder/2': 'ready', 'adder/3': 'assigned' });
    const located = await runtime.status.locateSequence({ model: 'accumulator', number: '1' });
    expect(located.version).toBe('1');
    expect(read(await runtime.infer(step(1n, 2))).sum).toBe(7);
    // Another one lives nowhere, and nothing is loaded to say so: not now, and not when it is gone.
    expect((await runtime.send(step(9n, 1))).error).toMatchObject(lost);
    expect(read(await runtime.infer(step(1n, 1, { end: true }))).sum).toBe(8);
    const after = { 'accumulator/1': 'evicted', 'adder/2': 'ready', 'adder/3': 'ready' };
    await becomes(runtime, after);
    expect((await runtime.send(step(1n, 1))).error).toMatchObject(lost);
    expect(await statesOf(runtime)).toEqual(after);
    // So it is with a version that is not placed, once the registry has said what it is.
    registry.know(accumulator({ version: 7 }));
    expect((await runtime.send(step(1n, 1, { version: '7' }))).error).toMatchObject(lost);
    expect(await statesOf(runtime)).toEqual(after);
  });

  it('ends them when its time is over, and loads go on', async () => {
    registry.place(pinned(accumulator()), heavy(adder(2, ['a'])));
    const runtime = await serve('--eviction-drain-ms=100');
    await runtime.infer(start(1n, 5));
    registry.place(pinned(accumulator()), heavy(adder(2, ['a'])), heavy(adder(3, ['b'])));
    await becomes(runtime, { 'accumulator/1': 'evicted', 'adder/2': 'ready', 'adder/3': 'ready' });
    expect((await runtime.send(step(1n, 1))).error).toMatchObject(lost);
  });

  it('loses them with its session while it gives way, and is gone at once', async () => {
    registry.place(pinned(accumulator()));
    const runtime = await serve('--eviction-drain-ms=600000');
    const worker = workers.at(-1)!;
    registry.place(pinned(accumulator()), heavy(adder(2, ['a'])));
    await runtime.modelReady('adder', '2');
    await runtime.infer(start(1n, 5));
    registry.place(pinned(accumulator()), heavy(adder(2, ['a'])), heavy(adder(3, ['b'])));
    await becomes(runtime, { 'accumulator/1': 'evicting', 'adder/2': 'ready', 'adder/3': 'assigned' });
    worker.postMessage(null);
    // A batch wakes the thread, which finds what it cannot read.
    expect((await runtime.send(step(1n, 1))).error).toBeDefined();
    await becomes(runtime, { 'accumulator/1': 'evicted', 'adder/2': 'ready', 'adder/3': 'ready' });
    expect((await runtime.send(step(1n, 1))).error).toMatchObject(lost);
  });

  it('keeps nobody from loading while it drains, is seen, and is gone at once when it loses its session', async () => {
    registry.place(heavy(accumulator({ aliases: ['champion'] })));
    const runtime = await serve();
    const worker = workers.at(-1)!;
    registry.place(heavy(accumulator({ aliases: ['champion'] })), pinned(adder(2)));
    await runtime.modelReady('adder', '2');
    await runtime.infer(start(1n, 5));
    registry.place(accumulator({ version: 2, aliases: ['champion'] }), pinned(adder(2)), heavy(adder(3, ['b'])));
    const others = { 'accumulator/2': 'ready', 'adder/2': 'evicted', 'adder/3': 'ready' };
    await becomes(runtime, { ...others, 'accumulator/1': 'draining' });
    expect(read(await runtime.infer(step(1n, 2))).sum).toBe(7);
    const metrics = await runtime.metrics();
    const of = (name: string) =>
      new RegExp(`${name}\\{[^}]*model="accumulator"[^}]*version="1"[^}]*\\} (\\d+)`).exec(metrics)?.[1];
    expect([of('sluice_sequences'), of('sluice_sequence_backlog'), of('sluice_sequence_state_bytes')]).toEqual([
      '1',
      '0',
      '4',
    ]);
    expect(metrics).toMatch(/sluice_version_state\{[^}]*version="1"[^}]*state="draining"[^}]*\} 1/);
    worker.postMessage(null);
    // A batch wakes the thread, which finds what it cannot read.
    expect((await runtime.send(step(1n, 1))).error).toBeDefined();
    await becomes(runtime, others);
    expect((await runtime.send(step(1n, 1))).error).toMatchObject(lost);
  });
});

describe('a version that hangs while it gives way', () => {
  it('tells its callers INTERNAL, and those that wait for loads UNAVAILABLE, before the process ends', async () => {
    registry.place(pinned(counting('poison')), heavy(adder(2, ['a'])), pinned(adder(3)));
    registry.know(adder(9));
    registry.onAsked = () => new Promise(() => undefined);
    child = new RuntimeProcess(
      registry.address,
      temporaryFolder(),
      budget,
      '--run-timeout-ms=1500',
      '--hang-drain-ms=20000',
    );
    const runtime = child;
    await runtime.modelReady('poison');
    await eventually(async () => expect(await statesOf(runtime)).toMatchObject({ 'adder/3': 'evicted' }));
    const endless = () => runtime.send(requestOf('poison', 'INT64', [], [endlessTrips], { input: 'trips' }));
    const callers = Array.from({ length: 5 }, endless);
    await eventually(async () => {
      const poison = (await runtime.state()).versions.find(({ model }) => model === 'poison');
      expect(poison).toMatchObject({ running: { batches: 2 } });
    });
    const waiting = [runtime.send(ask('3')), runtime.send(ask('9'))];
    for (const { error } of await Promise.all(callers)) {
      expect(error).toMatchObject({ kind: 'internal', origin: 'answered' });
      expect(error!.message).toContain('the model did not end a run within');
    }
    for (const { error } of await Promise.all(waiting)) {
      expect(error).toMatchObject({ kind: 'unavailable', origin: 'answered' });
      expect(error!.message).toContain('this runtime is about to end');
    }
    expect(await runtime.ended).toBe('SIGKILL');
  });
});

describe('a version that is quarantined', () => {
  it('is unloaded although requests brought it, and comes back with them when that is lifted', async () => {
    const brought = adder(7);
    registry.place(adder(1, ['champion']));
    registry.know(brought);
    const runtime = await serve();
    await runtime.infer(ask('7'));
    registry.quarantine(brought);
    await becomes(runtime, { 'adder/1': 'ready' });
    const { error } = await runtime.send(ask('7'));
    expect(error).toMatchObject({ kind: 'failed-precondition' });
    expect(error!.message).toContain('adder version 7 is quarantined: it ended its runtime');
    registry.quarantine();
    await eventually(async () => expect((await runtime.send(ask('7'))).error).toBeUndefined());
  });
});
