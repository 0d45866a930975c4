import { readInferResponse } from '@sluice/inference/infer-response';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { modelOverride } from '@sluice/inference/rewrite';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { inferBytes, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';
import type { TestRouter } from './world.ts';

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const digits = (release: number, revision = 1) =>
  wireModel({ revision, aliases: { champion: release, mlp: 2 }, release, placed: [2, 3], unplaced: [1] });
const unready = wireModel({ model: 'unready', release: 1, placed: [1] });
const bare = wireModel({ model: 'team/bare', unplaced: [1] });

async function setUp(settings: Readonly<Record<string, string>> = {}) {
  const runtime = await testRuntime({
    id: 'r1',
    loaded: [
      ['digits', 2, true],
      ['digits', 3, true],
      ['unready', 1, false],
    ],
  });
  const registry = await testRegistry(wireRoutes(7, [digits(3), unready, bare], { addresses: [runtime.address] }));
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, ...settings });
  await whenUp(router, 1);
  return { runtime, registry, router, stateDir };
}

describe('ModelInfer', () => {
  it('goes by release, number and alias, and says which version and arm answered', async () => {
    const { router } = await setUp();
    const stamps = async (version: string) => {
      const result = await router.infer({ version, id: 'my-id', values: [1, 2, 3, 4] });
      expect(result.outcome).toBe('ok');
      expect(result.values).toEqual([1, 2, 3, 4]);
      const { modelName, modelVersion, id, parameters } = result.response!;
      expect([modelName, id]).toEqual(['digits', 'my-id']);
      expect(result.predictionId).toMatch(uuid7);
      expect(parameters.get('prediction_id')).toEqual({ kind: 'string', value: result.predictionId });
      return [modelVersion, parameters.get('sluice_arm')];
    };
    expect(await stamps('')).toEqual(['3', { kind: 'string', value: 'primary' }]);
    expect(await stamps('2')).toEqual(['2', { kind: 'string', value: '' }]);
    expect(await stamps('mlp')).toEqual(['2', { kind: 'string', value: '' }]);
    expect(await stamps('champion')).toEqual(['3', { kind: 'string', value: '' }]);
  });

  it('forwards the bytes as they came, and answers with those of the runtime before its own', async () => {
    const { router, runtime } = await setUp();
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: new Uint8Array(8) }] as const;
    // A field that nobody knows (1000), the name behind the tensors, and a length in two bytes where one would do.
    const unknown = Buffer.from([0xc2, 0x3e, 3, 1, 2, 3]);
    const name = Buffer.concat([Buffer.from([0x0a, 0x86, 0x00]), Buffer.from('digits')]);
    const raw = Buffer.concat([unknown, buildInferRequest({ modelName: '', inputs }), name]);
    // x: FP32 [1, 2] in typed contents, 1.5 and -2.
    const typed = Buffer.concat([name, Buffer.from('2a190a01781204465033321a0201022a0a32080000c03f000000c0', 'hex')]);
    for (const message of [raw, typed]) {
      const byRelease = await router.send(message);
      expect(byRelease.error).toBeUndefined();
      expect(runtime.last.request).toEqual(Buffer.concat([message, modelOverride({ modelVersion: '3' })]));
      expect(byRelease.message!.subarray(0, runtime.last.answer.length)).toEqual(runtime.last.answer);

      const byNumber = Buffer.concat([message, Buffer.from([0x12, 1, 0x32])]);
      const answered = await router.send(byNumber);
      expect(runtime.last.request).toEqual(byNumber);
      expect(answered.message!.subarray(0, runtime.last.answer.length)).toEqual(runtime.last.answer);
      expect(readInferResponse(answered.message!).modelVersion).toBe('2');
    }
  });

  it('refuses with one clear status and message, and a prediction id', async () => {
    const { router, runtime } = await setUp();
    const cases: [Parameters<TestRouter['infer']>[0], string, string][] = [
      [{ model: 'nope' }, 'not-found', "Request for unknown model: 'nope' is not found"],
      [{ version: '9' }, 'not-found', "Request for unknown model: 'digits' version 9 is not found"],
      [{ version: 'best' }, 'not-found', "'digits' has no version or alias 'best'"],
      [
        { version: '1' },
        'unavailable',
        'digits version 1 is not placed, and no runtime that this router reaches loads it',
      ],
      [{ version: '-1' }, 'invalid-argument', 'model_version: "-1" is neither a version number nor an alias'],
      [{ model: '' }, 'invalid-argument', 'model_name'],
      [{ model: 'team/bare' }, 'failed-precondition', '`sluice alias set team/bare champion VERSION`'],
      [{ model: 'unready' }, 'unavailable', 'unready version 1 is ready on no runtime that this router reaches'],
      [{ parameters: { sluice_arm: { kind: 'string', value: 'x' } } }, 'invalid-argument', 'sluice_'],
      [{ metadata: { 'sluice-caller': 'x'.repeat(257) } }, 'invalid-argument', 'metadata sluice-caller'],
      [{ metadata: { 'sluice-arm': 'blue' } }, 'invalid-argument', "no arm 'blue'"],
      [{ metadata: { 'sluice-arm': 'primary' }, version: '3' }, 'invalid-argument', 'goes to no arm'],
    ];
    for (const [options, kind, message] of cases) {
      const result = await router.infer(options);
      expect([result.outcome, result.message]).toEqual([kind, expect.stringContaining(message)]);
      expect(result.predictionId).toMatch(uuid7);
    }
    expect(runtime.seen.requests).toBe(0);
    expect((await router.infer({ metadata: { 'sluice-arm': 'primary' } })).outcome).toBe('ok');
  });

  it("passes on the runtime's own answers with their time to wait", async () => {
    const { router, runtime } = await setUp();
    for (const kind of ['invalid-argument', 'resource-exhausted', 'internal'] as const) {
      const result = await router.infer({ parameters: { test_fail: { kind: 'string', value: kind } } });
      expect(result).toMatchObject({ outcome: kind, message: `r1 answers ${kind}`, retryAfterMs: 7 });
      expect(result.predictionId).toMatch(uuid7);
    }
    expect(runtime.seen.requests).toBe(3);
    const wrong = await router.infer({ values: [1, 2, 3], columns: 3 });
    expect([wrong.outcome, wrong.message]).toEqual([
      'invalid-argument',
      "input 'x' for model 'digits' has shape [1,3]; expected [-1,2]",
    ]);
  });

  it('forwards deadline and trace, and sends the number even when an alias was asked for', async () => {
    const { router, runtime } = await setUp();
    await router.infer({ version: 'mlp', metadata: { traceparent: '00-ab-cd-01' }, deadlineMs: Date.now() + 5_000 });
    expect(runtime.seen.versions).toEqual(['2']);
    expect(runtime.seen.traceparents).toEqual(['00-ab-cd-01']);
    expect(runtime.seen.deadlines[0]).toBeLessThanOrEqual(5_001);
    expect(runtime.seen.deadlines[0]).toBeGreaterThan(3_000);
  });

  it('answers DEADLINE_EXCEEDED and cancels at the runtime, when the caller or the default says so', async () => {
    const { router, runtime } = await setUp({ SLUICE_DEFAULT_DEADLINE_MS: '2000' });
    expect((await router.infer()).outcome).toBe('ok');
    const waits = { parameters: { test_wait: { kind: 'bool', value: true } } } as const;
    expect((await router.infer({ ...waits, deadlineMs: Date.now() + 1_000 })).outcome).toBe('deadline-exceeded');
    await eventually(() => expect(runtime.seen.cancelled).toBe(1));
    // A client without any deadline: the router's own counts, and it has time to answer with a trailer.
    const result = await router.infer({ ...waits, deadlineMs: Infinity });
    expect(result.outcome).toBe('deadline-exceeded');
    expect(result.predictionId).toMatch(uuid7);
    await eventually(() => expect(runtime.seen.cancelled).toBe(2));
    expect((await router.state()).inFlight).toMatchObject({ requests: 0, bytes: 0 });
  });

  it('cancels at the runtime when the caller goes away', async () => {
    const { router, runtime } = await setUp();
    const call = router.start(inferBytes({ parameters: { test_wait: { kind: 'bool', value: true } } }));
    await eventually(() => expect(runtime.seen.requests).toBe(1));
    expect((await router.state()).inFlight.requests).toBe(1);
    call.cancel();
    expect((await call.outcome).error?.kind).toBe('cancelled');
    await eventually(() => expect(runtime.seen.cancelled).toBe(1));
    await eventually(async () => expect((await router.state()).inFlight).toMatchObject({ requests: 0, bytes: 0 }));
    await eventually(async () => expect((await router.state()).runtimes[0]!.inFlight).toBe(0));
  });

  it('turns requests away beyond its bound, with a time to wait', async () => {
    const { router, runtime } = await setUp({ SLUICE_MAX_IN_FLIGHT: '2' });
    const waits = inferBytes({ parameters: { test_wait: { kind: 'bool', value: true } } });
    const held = [router.send(waits), router.send(waits)];
    await eventually(() => expect(runtime.seen.requests).toBe(2));
    const refused = await router.infer();
    expect(refused).toMatchObject({ outcome: 'resource-exhausted', retryAfterMs: 100 });
    runtime.releaseAll();
    expect((await Promise.all(held)).every((outcome) => !outcome.error)).toBe(true);
    expect((await router.infer()).outcome).toBe('ok');
  });
});

describe('a change of routes', () => {
  it('is in force before the registry is told of it, and splits no request', async () => {
    const { router, registry } = await setUp();
    await eventually(() => expect(registry.renewals.at(-1)?.appliedRevision).toBe(7));
    let running = true;
    const versions = new Set<string>();
    const load = (async () => {
      while (running) {
        const result = await router.infer();
        expect(result.outcome).toBe('ok');
        versions.add(result.response!.modelVersion);
      }
    })();
    await eventually(() => expect([...versions]).toEqual(['3']));
    registry.publish(
      wireRoutes(8, [digits(2, 8)], { snapshot: false }),
      wireRoutes(8, [digits(2, 8), unready, bare], {}),
    );
    await eventually(() => expect(registry.renewals.at(-1)?.appliedRevision).toBe(8));
    const after = await Promise.all(Array.from({ length: 20 }, () => router.infer()));
    expect(after.map((result) => result.response!.modelVersion)).toEqual(Array.from({ length: 20 }, () => '2'));
    running = false;
    await load;
    expect([...versions].sort()).toEqual(['2', '3']);
    // Other models are as they were.
    expect((await router.infer({ model: 'team/bare' })).outcome).toBe('failed-precondition');
    registry.publish(wireRoutes(9, [], { snapshot: false, removed: ['digits'] }), wireRoutes(9, [unready, bare]));
    await eventually(async () => expect((await router.infer()).outcome).toBe('not-found'));
  });
});

describe('a restart', () => {
  it('serves from the saved routes with the registry away, and follows it when it is back', async () => {
    const { router, registry, runtime, stateDir } = await setUp();
    expect((await router.infer()).outcome).toBe('ok');
    await eventually(() => expect(registry.renewals.length).toBeGreaterThan(0));
    await router.stop();
    expect(registry.released).toEqual(['router-1']);
    await registry.stop();

    const second = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir });
    await whenUp(second, 1);
    const result = await second.infer();
    expect([result.outcome, result.response?.modelVersion]).toEqual(['ok', '3']);
    expect((await second.client.serverReady({})).ready).toBe(true);
    expect(await second.state()).toMatchObject({ registry: { watching: false, leaseHeld: false }, revision: 7 });

    await registry.start();
    await eventually(async () => expect((await second.state()).registry).toEqual({ watching: true, leaseHeld: true }));
    expect(registry.resumeTokens.at(-1)).toBe('7');
    registry.publish(
      wireRoutes(12, [digits(2, 12)], { snapshot: false }),
      wireRoutes(12, [digits(2, 12)], { addresses: [runtime.address] }),
    );
    await eventually(async () => expect((await second.infer()).response?.modelVersion).toBe('2'));
  });

  it('without saved routes says that there are none, and is not ready', async () => {
    const registry = await testRegistry(wireRoutes(1, []));
    await registry.stop();
    const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: await temporaryFolder() });
    expect((await router.client.serverReady({})).ready).toBe(false);
    expect((await router.client.serverLive({})).live).toBe(true);
    expect(await router.infer()).toMatchObject({
      outcome: 'unavailable',
      message: expect.stringContaining('this router has no routes yet') as string,
    });
  });
});
