import { eventually } from '@sluice/testkit/eventually';
import { keptPort } from '@sluice/testkit/kept-port';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import type { RuntimeProcess, TestRouter } from './world.ts';
import {
  inferBytes,
  resultOf,
  runtimeProcess,
  temporaryFolder,
  testRegistry,
  testRouter,
  testRuntime,
  whenUp,
} from './world.ts';

const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });
const loaded = [['digits', 3, true]] as const;
const waits = { parameters: { test_wait: { kind: 'bool', value: true } } } as const;

async function routerFor(addresses: readonly string[], settings: Readonly<Record<string, string>> = {}) {
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses }));
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, ...settings });
  await whenUp(router, addresses.length);
  return { registry, router };
}

const counts = async (router: TestRouter) => (await router.state()).runtimes.map((runtime) => runtime.inFlight);

describe('a runtime that is killed', () => {
  it('loses no request: what it had is answered by another, and nothing new goes there', async () => {
    const dying = await runtimeProcess('r1', loaded);
    const other = await testRuntime({ id: 'r2', loaded });
    const { router } = await routerFor([dying.address, other.address]);
    const held = Array.from({ length: 64 }, (_, index) => router.send(inferBytes({ ...waits, id: String(index) })));
    await eventually(async () => expect((await counts(router)).reduce((sum, each) => sum + each, 0)).toBe(64));
    const [onDying] = await counts(router);
    expect(onDying).toBeGreaterThan(20);
    const afterKill: Promise<unknown>[] = [];
    await dying.kill();
    for (let index = 0; index < 50; index++) {
      afterKill.push(router.infer().then((result) => expect(result.outcome).toBe('ok')));
    }
    await Promise.all(afterKill);
    await eventually(async () => expect(other.seen.requests).toBe(64 + 50));
    other.releaseAll();
    const results = (await Promise.all(held)).map(resultOf);
    expect(results.filter((result) => result.outcome !== 'ok')).toEqual([]);
    expect(new Set(results.map((result) => result.response!.id)).size).toBe(64);
    expect((await router.infer()).outcome).toBe('ok');
    expect((await router.client.modelReady({ name: 'digits', version: '' })).ready).toBe(true);
  });

  it('loses none of 600 requests that it had soon after the start', async () => {
    const dying = await runtimeProcess('r1', loaded);
    const { router, registry } = await routerFor([dying.address]);
    const other = await testRuntime({ id: 'r2', loaded });
    const held = Array.from({ length: 600 }, (_, index) => router.send(inferBytes({ ...waits, id: String(index) })));
    await eventually(async () => expect(await counts(router)).toEqual([600]));
    const routes = wireRoutes(8, [digits], { addresses: [dying.address, other.address] });
    registry.publish(routes, routes);
    await whenUp(router, 2);
    await dying.kill();
    await eventually(() => expect(other.seen.requests).toBe(600));
    other.releaseAll();
    const outcomes = (await Promise.all(held)).map((outcome) => resultOf(outcome).outcome);
    expect(new Set(outcomes)).toEqual(new Set(['ok']));
  });

  it('is used again when it is back on its address', async () => {
    const port = await keptPort();
    const first = await runtimeProcess('r1', loaded, port);
    const { router } = await routerFor([first.address]);
    expect((await router.infer()).outcome).toBe('ok');
    await first.kill();
    await eventually(async () => expect((await router.infer()).outcome).toBe('unavailable'));
    expect((await router.client.serverReady({})).ready).toBe(false);
    await runtimeProcess('r1', loaded, port);
    await eventually(async () => expect((await router.infer()).outcome).toBe('ok'));
    expect((await router.client.serverReady({})).ready).toBe(true);
  });

  it('is not held against the versions that it had: all are asked again as soon as it is back', async () => {
    const port = await keptPort();
    const first = await runtimeProcess('r1', loaded, port);
    const { router } = await routerFor([first.address]);
    const held = Array.from({ length: 64 }, () => router.send(inferBytes(waits)));
    await eventually(async () => expect(await counts(router)).toEqual([64]));
    await first.kill();
    // So many failures would open the breaker of a runtime that lives.
    const outcomes = (await Promise.all(held)).map((outcome) => resultOf(outcome).outcome);
    expect(new Set(outcomes)).toEqual(new Set(['unavailable']));
    await runtimeProcess('r1', loaded, port);
    await whenUp(router, 1);
    expect((await router.infer()).outcome).toBe('ok');
    expect((await router.state()).runtimes[0]!.breakers).toEqual({ 'digits@3': 'closed' });
  });

  it('answers INTERNAL when a request ends two runtimes, and asks no third', async () => {
    const fragile: RuntimeProcess[] = [];
    for (const id of ['r1', 'r2']) fragile.push(await runtimeProcess(id, loaded));
    const { router } = await routerFor(fragile.map((each) => each.address));
    const poison = router.infer({ parameters: { test_exit: { kind: 'bool', value: true } } });
    const result = await poison;
    expect([result.outcome, result.message]).toEqual([
      'internal',
      expect.stringContaining('model ended its runtime') as string,
    ]);
    expect(router.lines).toContainEqual(
      expect.objectContaining({
        msg: 'inference failed',
        prediction_id: result.predictionId,
        model: 'digits',
        version: 3,
      }),
    );
    await eventually(() => expect(fragile.map((each) => each.child.exitCode)).toEqual([86, 86]));
  });

  it('leaves a third runtime untouched by what ended two', async () => {
    const ids = ['r1', 'r2', 'r3'];
    const fragile: RuntimeProcess[] = [];
    for (const id of ids) fragile.push(await runtimeProcess(id, loaded));
    const { router } = await routerFor(fragile.map((each) => each.address));
    expect((await router.infer({ parameters: { test_exit: { kind: 'bool', value: true } } })).outcome).toBe('internal');
    await eventually(() => expect(fragile.filter((each) => each.child.exitCode === 86)).toHaveLength(2));
    expect((await router.infer()).outcome).toBe('ok');
    expect(fragile.filter((each) => each.child.exitCode === null)).toHaveLength(1);
  });
});

describe('a runtime that leaves', () => {
  it('gets nothing new while it drains, and finishes what it has', async () => {
    const leaving = await testRuntime({ id: 'r1', loaded });
    const { router } = await routerFor([leaving.address]);
    const held = router.send(inferBytes(waits));
    await eventually(() => expect(leaving.seen.requests).toBe(1));
    const other = await testRuntime({ id: 'r2', loaded });
    leaving.setStatus(loaded, true);
    await eventually(async () => expect((await router.state()).runtimes[0]!.state).toBe('draining'));
    expect((await router.infer()).outcome).toBe('unavailable');
    leaving.releaseAll();
    expect((await held).error).toBeUndefined();
    await other.stop();
  });

  it('that unloaded the version meanwhile is passed by for another', async () => {
    const without = await testRuntime({ id: 'r1', loaded });
    const other = await testRuntime({ id: 'r2', loaded });
    const { router } = await routerFor([without.address, other.address]);
    // Both refuse: each is asked once, and the answer of the last stands.
    const refused = await router.infer({ parameters: { test_fail: { kind: 'string', value: 'not-found' } } });
    expect(refused.outcome).toBe('unavailable');
    expect(refused.message).toContain('does not have digits version 3 any more');
    expect([without.seen.requests, other.seen.requests]).toEqual([1, 1]);
  });
});

describe('a version that keeps failing', () => {
  it('gets no requests for a while on the runtime where it fails, and then a trial', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded });
    const { router } = await routerFor([runtime.address]);
    const fails = { parameters: { test_fail: { kind: 'string', value: 'internal' } } } as const;
    // It is open for a second, which a busy machine may let pass: then it fails and opens again.
    await eventually(async () => {
      for (let index = 0; index < 12; index++) await router.infer(fails);
      const seen = runtime.seen.requests;
      const refused = await router.infer();
      expect(refused).toMatchObject({ outcome: 'unavailable', retryAfterMs: 1_000 });
      expect(refused.message).toBe('digits version 3 keeps failing on every runtime that has it; try again later');
      expect(runtime.seen.requests).toBe(seen);
      expect((await router.state()).runtimes[0]!.breakers).toEqual({ 'digits@3': 'open' });
    });
    await eventually(async () => expect((await router.infer()).outcome).toBe('ok'));
    expect((await router.state()).runtimes[0]!.breakers).toEqual({ 'digits@3': 'closed' });
  });

  it('is not taken for broken because callers send nonsense or give up', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded });
    const { router } = await routerFor([runtime.address]);
    for (let index = 0; index < 20; index++) await router.infer({ values: [1, 2, 3], columns: 3 });
    // Nor because one of them sends inputs that the graph fails on.
    const fails = { parameters: { test_fail: { kind: 'string', value: 'model-failed' } } } as const;
    for (let index = 0; index < 60; index++) expect((await router.infer(fails)).outcome).toBe('model-failed');
    const short = Array.from({ length: 20 }, () => router.infer({ ...waits, deadlineMs: Date.now() + 50 }));
    await Promise.all(short);
    expect((await router.infer()).outcome).toBe('ok');
    expect((await router.state()).runtimes[0]!.breakers).toEqual({ 'digits@3': 'closed' });
  });
});

describe('load', () => {
  it('goes to the less loaded of two runtimes', async () => {
    const [a, b] = [await testRuntime({ id: 'r1', loaded }), await testRuntime({ id: 'r2', loaded })];
    const { router } = await routerFor([a.address, b.address]);
    const held = Array.from({ length: 40 }, () => router.send(inferBytes(waits)));
    await eventually(() => expect(a.seen.requests + b.seen.requests).toBe(40));
    expect([a.seen.requests, b.seen.requests]).toEqual([20, 20]);
    a.releaseAll();
    b.releaseAll();
    await Promise.all(held);
    const more = Array.from({ length: 20 }, () => router.infer());
    await Promise.all(more);
  });
});
