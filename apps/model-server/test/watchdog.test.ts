import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endlessTrips } from '@sluice/testkit/counting-model';
import { eventually } from '@sluice/testkit/eventually';
import { adder, ask } from './support/adder.ts';
import { counting } from './support/counting-model.ts';
import { loopingModel } from './support/looping-model.ts';
import { identitySignature, requestOf, temporaryFolder } from './support/runtime.ts';
import { RuntimeProcess } from './support/runtime-process.ts';
import { TestRegistry } from './support/test-registry.ts';

const stateDir = temporaryFolder();
let registry: TestRegistry;
let runtime: RuntimeProcess;

const start = (...args: readonly string[]): void => {
  runtime = new RuntimeProcess(registry.address, stateDir, ...args);
};
const endless = (model: string) => runtime.send(requestOf(model, 'INT64', [], [endlessTrips], { input: 'trips' }));
const stateOf = async (model: string) => (await runtime.state()).versions.find((each) => each['model'] === model);
/** Waits until a batch of each of these is with its thread. */
const runs = (...models: readonly string[]) =>
  eventually(async () => {
    for (const model of models) expect(await stateOf(model)).toMatchObject({ running: { batches: 1 } });
  });
const loaded = () => runtime.said('version loaded').map((line) => line['model']);
const struck = () => registry.strikes.map(({ model, kind }) => `${kind} ${model}`);

beforeAll(async () => {
  registry = await new TestRegistry().start();
  registry.place(counting('poison'), counting('other'), adder(1, ['champion']));
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

// One runtime, life after life: each begins with what the one before left.
describe('a version that ends its runtime', () => {
  it('by a batch that never ends: its callers get INTERNAL, the others their answers, and the process ends', async () => {
    start('--run-timeout-ms=1500', '--hang-drain-ms=20000');
    for (const model of ['poison', 'adder', 'other']) await runtime.modelReady(model);
    const callers = [endless('poison'), endless('poison'), endless('poison'), endless('poison')];
    const other = runtime.send(ask());
    for (const { error } of await Promise.all(callers)) {
      expect(error).toMatchObject({ kind: 'internal', origin: 'answered', neverAgain: true });
      expect(error!.message).toMatch(
        /^poison version 1: the model did not end a run within \d+ ms; its runtime is being restarted$/,
      );
    }
    expect((await other).error).toBeUndefined();
    expect(await runtime.ended).toBe('SIGKILL');
    expect(runtime.said('the process ends itself')).toMatchObject([{ severity: 'fatal', model: 'poison', version: 1 }]);
    expect(registry.released).toBe(1);
    expect(registry.strikes).toEqual([]);
  });

  it('is struck for it once, and comes last at the next start', async () => {
    start();
    await runtime.modelReady('poison');
    expect(loaded()).toEqual(['adder', 'other', 'poison']);
    expect(runtime.said('a version ended the last life of this runtime')).toMatchObject([
      { model: 'poison', version: 1, kind: 'hung', digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    ]);
    await eventually(() => expect(struck()).toEqual(['hung poison']));
    await eventually(async () => expect((await runtime.state())['strikes']).toMatchObject([{ reported: true }]));
    expect(await runtime.metrics()).toMatch(/sluice_watchdog_strikes\{.*kind="hung".*\} 1/);
  });

  it('by a fault in a batch, is struck alone', async () => {
    void endless('poison');
    await runs('poison');
    expect(await runtime.fault()).toBe('SIGSEGV');
    start();
    await eventually(() => expect(struck()).toEqual(['hung poison', 'crashed poison']));
    expect(new Set(registry.strikes.map(({ strikeId }) => strikeId)).size).toBe(2);
  });

  it('while another ran: both are suspected, none is struck, and from then on they run one after the other', async () => {
    await runtime.modelReady('poison');
    void endless('poison');
    void endless('other');
    await runs('poison', 'other');
    await runtime.fault();
    start();
    for (const model of ['poison', 'other', 'adder']) await runtime.modelReady(model);
    const suspects = (await runtime.state()).versions.filter((each) => each['isSuspect'] === true);
    expect(suspects.map((each) => each['model']).sort()).toEqual(['other', 'poison']);
    expect(struck()).toHaveLength(2);
    void endless('poison');
    await runs('poison');
    void endless('other');
    await runs('other');
    await runtime.fault();
    start();
    await eventually(() => expect(struck()).toEqual(['hung poison', 'crashed poison', 'crashed poison']));
    await runtime.modelReady('other');
    expect((await stateOf('other'))!['isSuspect']).toBe(false);
  });

  it('by its load: the next start waits with it until the registry has heard, and serves the others', async () => {
    const slow = { model: 'slow', version: 1, signature: identitySignature('FP32', [-1, 1]) };
    registry.place(adder(1, ['champion']), { ...slow, files: { 'm.onnx': loopingModel(2 ** 40) } });
    await eventually(async () => expect(await stateOf('slow')).toMatchObject({ state: 'warming' }));
    await runs('slow');
    await runtime.fault();
    registry.onStrike = () => {
      throw new Error('not now');
    };
    start();
    await runtime.modelReady('adder');
    await eventually(async () => {
      expect(await stateOf('slow')).toMatchObject({
        state: 'failed',
        reason: 'it ended this runtime while it was loaded; it is tried again when the registry has heard of it',
      });
    });
    expect((await runtime.state())['ready']).toBe(true);
    registry.onStrike = () => undefined;
    await eventually(() => expect(struck().at(-1)).toBe('crashed-loading slow'));
    await eventually(async () => expect(await stateOf('slow')).toMatchObject({ state: 'warming' }));
  });

  it('is forgiven what a stop cut short', async () => {
    const before = registry.strikes.length;
    await runs('slow');
    runtime.child.kill('SIGTERM');
    await eventually(() => expect(runtime.said('model-server is draining')).toHaveLength(1));
    await runtime.stop();
    registry.place(adder(1, ['champion']));
    start();
    await runtime.modelReady('adder');
    expect(runtime.said('a version ended the last life of this runtime')).toEqual([]);
    expect(registry.strikes).toHaveLength(before);
  });
});
