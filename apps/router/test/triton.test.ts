import { inferenceService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, ResponseInput } from '@sluice/contracts/services';
import { unavailable } from '@sluice/domain/errors';
import { raw } from '@sluice/rpc/handlers';
import type { CallContext, Handlers } from '@sluice/rpc/handlers';
import { createRawClient } from '@sluice/rpc/raw-client';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import type { Loaded, TestRuntime } from './runtime.ts';
import { onEnd, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

type Methods = Partial<Handlers<GRPCInferenceServiceMethods>>;
type Statistics = NonNullable<ResponseInput<GRPCInferenceServiceMethods['modelStatistics']>['modelStats']>[number];

async function setUp(runtimes: readonly TestRuntime[]) {
  const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3, 2, 10], unplaced: [1] });
  const other = wireModel({ model: 'a/other', placed: [1] });
  const addresses = runtimes.map(({ address }) => address);
  const registry = await testRegistry(wireRoutes(7, [digits, other], { addresses }));
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir });
  await whenUp(router, runtimes.length);
  return { client: router.client, address: `127.0.0.1:${router.ports['port']!}` };
}

/** A runtime whose versions have answered so many requests. */
function counting(epoch: string, requests: Record<string, number>, hangs: () => boolean = () => false): Methods {
  const statistics = (version: string, count: number): Statistics => ({
    name: 'digits',
    version,
    inferenceCount: 2 * count,
    executionCount: count,
    inferenceStats: { success: { count, ns: 100 * count }, computeInfer: { count, ns: 10 * count } },
  });
  return {
    modelStatistics: async ({ name, version }: { name: string; version: string }, ctx: CallContext) => {
      if (hangs()) await new Promise<never>(() => undefined);
      ctx.setTrailer('sluice-statistics-epoch', epoch);
      const asked = Object.entries(requests).filter(([each]) => version === '' || version === each);
      return { modelStats: name === 'a/other' ? [] : asked.map(([each, count]) => statistics(each, count)) };
    },
  };
}

const loaded: Loaded = [
  ['digits', 3, true],
  ['digits', 2, true],
];

describe('ModelStatistics', () => {
  it('is the sum over the runtimes; of all versions, those of a model, or one by number or alias', async () => {
    const { client } = await setUp([
      await testRuntime({ id: 'r1', loaded, methods: counting('p1', { 2: 1, 3: 5 }) }),
      await testRuntime({ id: 'r2', loaded, methods: counting('p2', { 3: 7 }) }),
    ]);
    const of = async (name: string, version: string) => {
      const { modelStats } = await client.modelStatistics({ name, version });
      return modelStats.map((each) => [`${each.name}@${each.version}`, each.inferenceStats!.success!.count]);
    };
    const digits = [
      ['digits@2', '1'],
      ['digits@3', '12'],
      ['digits@10', '0'],
    ];
    expect(await of('', '')).toEqual([['a/other@1', '0'], ...digits]);
    expect(await of('digits', '')).toEqual(digits);
    expect(await of('digits', 'champion')).toEqual([['digits@3', '12']]);
    expect(await of('digits', '2')).toEqual([['digits@2', '1']]);
    const [three] = (await client.modelStatistics({ name: 'digits', version: '3' })).modelStats;
    expect(three).toMatchObject({ inferenceCount: '24', executionCount: '12', batchStats: [] });
    expect(three!.inferenceStats).toMatchObject({
      computeInfer: { count: '12', ns: '120' },
      cacheHit: { count: '0', ns: '0' },
    });
    await expect(client.modelStatistics({ name: 'nope' })).rejects.toMatchObject({ kind: 'not-found' });
    await expect(client.modelStatistics({ name: 'digits', version: '9' })).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('never goes back: a runtime that hangs, one that restarts, and one that is gone', async () => {
    const requests = { 3: 5 };
    let hangs = false;
    const steady = await testRuntime({ id: 'r1', loaded, methods: counting('p1', requests, () => hangs) });
    const first = await testRuntime({ id: 'r2', loaded, methods: counting('p2', { 3: 10 }) });
    const { client } = await setUp([steady, first]);
    const count = async () => {
      const { modelStats } = await client.modelStatistics({ name: 'digits', version: '3' });
      return Number(modelStats[0]!.inferenceStats!.success!.count);
    };
    expect(await count()).toBe(15);
    hangs = true;
    requests[3] = 6;
    const started = performance.now();
    expect(await count()).toBe(15);
    expect(performance.now() - started).toBeLessThan(5_000);
    hangs = false;
    expect(await count()).toBe(16);
    // A runtime that stops still finishes what it has.
    steady.setStatus(loaded, true);
    requests[3] = 7;
    await eventually(async () => expect((await client.repositoryIndex({})).models).toHaveLength(5));
    expect(await count()).toBe(17);
    await first.stop();
    expect(await count()).toBe(17);
    // The next of that name has counted further already.
    await testRuntime({ id: 'r2', loaded, port: first.port, methods: counting('p3', { 3: 12 }) });
    await eventually(async () => expect(await count()).toBe(29), 10_000);
  });
});

describe('ModelConfig', () => {
  it('is what a runtime says that has the version ready, and another’s where one fails', async () => {
    const asked: string[] = [];
    const config = (id: string, fails = false): Methods => ({
      modelConfig: async ({ name, version }: { name: string; version: string }) => {
        asked.push(`${id}: ${name} ${version}`);
        if (fails) throw unavailable('not now');
        return { config: { name, maxBatchSize: 8, parameters: { by: { stringValue: id } } } };
      },
    });
    const { client } = await setUp([
      await testRuntime({ id: 'r1', loaded, methods: config('r1', true) }),
      await testRuntime({ id: 'r2', loaded: [['digits', 3, true]], methods: config('r2') }),
    ]);
    const { config: answer } = await client.modelConfig({ name: 'digits', version: 'champion' });
    expect(answer).toMatchObject({ name: 'digits', maxBatchSize: 8, parameters: { by: { stringValue: 'r2' } } });
    expect(new Set(asked)).toContain('r2: digits 3');
    await expect(client.modelConfig({ name: 'digits', version: '2' })).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(client.modelConfig({ name: 'digits', version: '1' })).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(client.modelConfig({ name: 'nope' })).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('the answer of a runtime', () => {
  const definition = inferenceService.definition['ModelConfig']!;

  it('goes through as it is: levels of priorities, and fields that this router does not know', async () => {
    const priorityQueuePolicy = { 1: { maxQueueSize: 7 }, 3: { maxQueueSize: 9, timeoutAction: 'DELAY' } };
    const config = { name: 'digits', dynamicBatching: { priorityLevels: 3, priorityQueuePolicy } };
    const unknown = Buffer.of(0xfa, 0x7f, 2, 8, 1);
    const answer = Buffer.concat([definition.responseSerialize({ config }), unknown]);
    const methods: Methods = { modelConfig: raw((_bytes, call) => call.respond(answer)) };
    const { address } = await setUp([await testRuntime({ id: 'r1', loaded, methods })]);
    const client = createRawClient(address);
    onEnd(() => client.close());
    const send = (bytes: Uint8Array) =>
      new Promise<RawOutcome>((resolve) => {
        client.call(definition.path, bytes, { deadlineMs: systemClock.now() + 10_000 }, resolve);
      });
    const { error, message } = await send(definition.requestSerialize({ name: 'digits', version: '3' }));
    expect([error, message?.toString('hex')]).toEqual([undefined, answer.toString('hex')]);
    expect((await send(Buffer.from('no message'))).error).toMatchObject({
      kind: 'invalid-argument',
      message: expect.stringContaining('no ModelConfigRequest') as string,
    });
  });

  it('is UNIMPLEMENTED where every runtime is older, since trying again would not help', async () => {
    const methods: Methods = { modelConfig: async () => Promise.reject(unavailable('not now')) };
    const { client } = await setUp([
      await testRuntime({ id: 'r1', loaded }),
      await testRuntime({ id: 'r2', loaded: [['digits', 2, true]], methods }),
    ]);
    await expect(client.modelConfig({ name: 'digits', version: '3' })).rejects.toMatchObject({
      kind: 'unimplemented',
      message: expect.stringContaining('that has digits version 3 ready is older than this router') as string,
    });
    // One that has the method may be back, or the first to have it ready.
    await expect(client.modelConfig({ name: 'digits', version: '2' })).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(client.modelConfig({ name: 'digits', version: '10' })).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('RepositoryIndex', () => {
  it('has every version with its state on the runtimes that live', async () => {
    const one = await testRuntime({
      id: 'r1',
      loaded: [
        ['digits', 3, true],
        ['digits', 2, false, 'no such operator'],
        ['a/other', 1, false, 'no disk'],
      ],
    });
    const two = await testRuntime({
      id: 'r2',
      loaded: [
        ['digits', 3, false, 'no memory'],
        ['digits', 2, false, 'no such operator'],
        ['digits', 10, false],
      ],
    });
    const { client } = await setUp([one, two]);
    const failed = { name: 'digits', version: '2', state: 'UNAVAILABLE' };
    const both = { ...failed, reason: 'r1: no such operator; r2: no such operator' };
    const ready = { name: 'digits', version: '3', state: 'READY', reason: '' };
    expect((await client.repositoryIndex({})).models).toEqual([
      // The second runtime has not heard of it yet.
      { name: 'a/other', version: '1', state: 'LOADING', reason: '' },
      { name: 'digits', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
      both,
      ready,
      { name: 'digits', version: '10', state: 'LOADING', reason: '' },
    ]);
    expect((await client.repositoryIndex({ ready: true })).models).toEqual([ready]);
    two.setStatus([], true);
    await eventually(async () => {
      const { models } = await client.repositoryIndex({});
      expect(models[0]).toEqual({ name: 'a/other', version: '1', state: 'UNAVAILABLE', reason: 'r1: no disk' });
    });
    one.setStatus([], true);
    await eventually(async () => {
      const { models } = await client.repositoryIndex({});
      const states = models.map(({ state, reason }) => `${state} ${reason}`);
      expect(new Set(states)).toEqual(new Set(['UNAVAILABLE no runtime is up', 'UNAVAILABLE unloaded']));
      expect(states).toHaveLength(5);
    });
    await expect(client.repositoryIndex({ repositoryName: 'models' })).rejects.toMatchObject({
      kind: 'invalid-argument',
      message: expect.stringContaining('repository_name') as string,
    });
  });
});
