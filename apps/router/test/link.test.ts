import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
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

async function routerFor(addresses: readonly string[]) {
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses }));
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: await temporaryFolder() });
  await whenUp(router, addresses.length);
  return router;
}

describe('the link to a runtime', () => {
  it('carries all inferences over one stream', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded });
    const router = await routerFor([runtime.address]);
    const results = await Promise.all(Array.from({ length: 100 }, (_, index) => router.infer({ id: String(index) })));
    expect(results.map(({ outcome, response }) => [outcome, response?.id])).toEqual(
      results.map((_, index) => ['ok', String(index)]),
    );
    expect([runtime.links(), runtime.seen.requests]).toEqual([1, 100]);
  });

  it('is done without where a runtime has none, and the log says so once', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded, link: false });
    const router = await routerFor([runtime.address]);
    for (let index = 0; index < 20; index++) expect((await router.infer()).outcome).toBe('ok');
    expect(runtime.seen.requests).toBe(20);
    const said = router.lines.filter(({ msg }) => msg === 'there is no link to it: calls go one by one');
    expect(said).toEqual([expect.objectContaining({ runtime: runtime.address, reason: 'no link here' })]);
  });

  it('takes large requests and small ones at once', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded });
    const router = await routerFor([runtime.address]);
    const values = Array.from({ length: 1_000_000 }, (_, index) => index % 1_000);
    const large = router.infer({ values });
    const small = Array.from({ length: 50 }, () => router.infer());
    for (const { outcome } of await Promise.all(small)) expect(outcome).toBe('ok');
    expect((await large).values).toEqual(values);
  });

  it('of one that stops lets it finish what it has', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded });
    const router = await routerFor([runtime.address]);
    const held = router.send(inferBytes(waits));
    await eventually(() => expect(runtime.seen.requests).toBe(1));
    runtime.setStatus(loaded, true);
    const drained = runtime.drain();
    await eventually(async () => expect((await router.infer()).outcome).toBe('unavailable'));
    runtime.releaseAll();
    expect(resultOf(await held).outcome).toBe('ok');
    expect(await drained).toEqual([]);
  });

  it('to one that stands still is left within a second, and what it had is answered by another', async () => {
    const standing = await runtimeProcess('r1', loaded);
    const other = await testRuntime({ id: 'r2', loaded });
    const router = await routerFor([standing.address, other.address]);
    for (let index = 0; index < 20; index++) expect((await router.infer()).outcome).toBe('ok');
    standing.child.kill('SIGSTOP');
    const started = performance.now();
    const results = await Promise.all(Array.from({ length: 40 }, () => router.infer()));
    expect(results.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    // A second; the rest is for a busy machine. Requests themselves have twenty.
    expect(performance.now() - started).toBeLessThan(10_000);
    const later = performance.now();
    for (let index = 0; index < 20; index++) expect((await router.infer()).outcome).toBe('ok');
    expect(performance.now() - later).toBeLessThan(5_000);
    expect(router.lines).toContainEqual(
      expect.objectContaining({
        msg: 'a link broke',
        runtime: standing.address,
        reason: 'it said nothing for 1000 ms',
      }),
    );
    standing.child.kill('SIGCONT');
    const before = (await standing.seen()).requests;
    await eventually(async () => {
      await router.infer();
      expect((await standing.seen()).requests).toBeGreaterThan(before);
    });
  });
});
