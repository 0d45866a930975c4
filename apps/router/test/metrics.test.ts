import { eventually } from '@sluice/testkit/eventually';
import { compareWithPage } from '@sluice/testkit/metrics-page';
import { describe, expect, it } from 'vitest';
import { evidenceSettings } from './evidence-settings.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { testRegistry, testRouter, testRuntime, whenUp } from './world.ts';
import type { TestRouter } from './world.ts';

const digits = (...placed: number[]) => wireModel({ aliases: { champion: 3 }, release: 3, placed });
const loaded = [
  ['digits', 2, true],
  ['digits', 3, true],
] as const;

async function setUp() {
  const runtimes = [await testRuntime({ id: 'r1', loaded }), await testRuntime({ id: 'r2', loaded })] as const;
  const addresses = runtimes.map(({ address }) => address);
  const registry = await testRegistry(wireRoutes(7, [digits(2, 3)], { addresses }));
  const { settings } = await evidenceSettings();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, ...settings });
  await whenUp(router, 2);
  return { router, registry, runtimes, addresses };
}

async function scrape(router: TestRouter) {
  const text = await (await fetch(`http://127.0.0.1:${router.ports['metricsPort']!}/metrics`)).text();
  const series = text.split('\n').filter((line) => line.startsWith('sluice_'));
  /** The sum of the series with this name and these labels, whatever others they have; undefined when there is none. */
  const read = (name: string, ...labels: string[]): number | undefined => {
    const found = series.filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));
    if (found.length === 0) return undefined;
    return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  return { text, series, read };
}

const failing = (kind: string) => ({ parameters: { test_fail: { kind: 'string', value: kind } } }) as const;
const runtimeIs = (address: string): string => `runtime="${address}"`;

describe('what a scrape of a router has', () => {
  it('is what the page says: names, types and labels', async () => {
    const { router } = await setUp();
    await router.infer();
    await router.infer(failing('unavailable'));
    const { differences, withoutSeries } = compareWithPage((await scrape(router)).text, 'router');
    expect(differences).toEqual([]);
    expect(withoutSeries.filter((name) => !name.startsWith('nodejs_'))).toEqual(['sluice_streamed_requests_total']);
  });

  it('counts by version and outcome, with retries and the time of answers, also what had no request yet', async () => {
    const { router, addresses } = await setUp();
    for (let count = 0; count < 5; count++) expect((await router.infer()).outcome).toBe('ok');
    expect((await router.infer(failing('unavailable'))).outcome).toBe('unavailable');
    expect((await router.infer(failing('invalid-argument'))).outcome).toBe('invalid-argument');
    const { read } = await scrape(router);
    const two = ['model="digits"', 'version="2"'];
    const three = ['model="digits"', 'version="3"'];
    const outcome = (name: string) => read('sluice_router_inferences_total', ...three, `outcome="${name}"`);
    expect(['ok', 'unavailable', 'invalid-argument', 'internal'].map(outcome)).toEqual([5, 1, 1, undefined]);
    expect(read('sluice_router_inferences_total', ...two)).toBe(0);
    expect(read('sluice_router_inference_duration_seconds_count', ...three)).toBe(5);
    expect(read('sluice_router_inference_duration_seconds_count', ...two)).toBe(0);
    const seconds = read('sluice_router_inference_duration_seconds_sum', ...three);
    expect(seconds).toBeGreaterThan(0.000_1);
    expect(seconds).toBeLessThan(20);
    // The unavailable one was tried on both runtimes.
    expect(read('sluice_router_retries_total', ...three)).toBe(1);
    expect(read('sluice_router_retries_total', ...two)).toBe(0);
    expect(read('sluice_router_attempts_total')).toBe(8);
    for (const address of addresses)
      expect(read('sluice_router_attempts_total', runtimeIs(address))).toBeGreaterThan(0);
    expect(read('sluice_router_failed_attempts_total', 'kind="unavailable"', 'retried="true"')).toBe(1);
  });

  it('has breakers by version and runtime: 2 open, then 1 without a request, then 0', async () => {
    const { router, addresses } = await setUp();
    const state = async (address: string, version: string) =>
      (await scrape(router)).read('sluice_router_breaker_state', runtimeIs(address), `version="${version}"`);
    await router.infer({ version: '2' });
    const seen = await Promise.all(addresses.map((address) => state(address, '2')));
    expect(seen.filter((each) => each !== undefined)).toEqual([0]);
    expect(await state(addresses[0]!, '3')).toBeUndefined();
    await eventually(async () => {
      await router.infer({ ...failing('internal'), version: '3' });
      expect([await state(addresses[0]!, '3'), await state(addresses[1]!, '3')]).toEqual([2, 2]);
    });
    await eventually(async () =>
      expect([await state(addresses[0]!, '3'), await state(addresses[1]!, '3')]).toEqual([1, 1]),
    );
    await eventually(async () => {
      await router.infer({ version: '3' });
      expect([await state(addresses[0]!, '3'), await state(addresses[1]!, '3')]).toEqual([0, 0]);
    });
  });

  it('has of each runtime what is in flight there and the state of its link', async () => {
    const { router, runtimes, addresses } = await setUp();
    const held = Array.from({ length: 10 }, () =>
      router.infer({ parameters: { test_wait: { kind: 'bool', value: true } } }),
    );
    await eventually(async () => expect((await scrape(router)).read('sluice_router_runtime_in_flight')).toBe(10));
    const { read } = await scrape(router);
    for (const address of addresses) {
      expect(read('sluice_router_runtime_in_flight', runtimeIs(address))).toBeGreaterThan(0);
      expect(read('sluice_router_link_state', runtimeIs(address), 'state="up"')).toBe(1);
      expect(read('sluice_router_link_state', runtimeIs(address))).toBe(1);
    }
    expect(read('sluice_queue_length', 'queue="runtimes"')).toBe(10);
    for (const runtime of runtimes) runtime.releaseAll();
    for (const result of await Promise.all(held)) expect(result.outcome).toBe('ok');
    expect((await scrape(router)).read('sluice_router_runtime_in_flight')).toBe(0);
    runtimes[1].setStatus(loaded, true);
    await eventually(async () => {
      const now = await scrape(router);
      expect(now.read('sluice_router_link_state', runtimeIs(addresses[1]!), 'state="draining"')).toBe(1);
      expect(now.read('sluice_router_link_state', runtimeIs(addresses[1]!), 'state="up"')).toBe(0);
    });
  });
});

describe('series', () => {
  it('are there of a version that nothing places from its first request on, and of none that callers make up', async () => {
    const { router, registry, addresses } = await setUp();
    const facts = { aliases: { champion: 4, good: 3 }, release: 4, placed: [3], unplaced: [1, 2, 4] };
    const model = (more: object) => wireModel({ ...facts, quarantined: { 4: 'it ended its runtime' }, ...more });
    const publish = (revision: number, unplaced = facts.unplaced): void => {
      const models = [model({ unplaced })];
      registry.publish(
        wireRoutes(revision, models, { snapshot: false, addresses }),
        wireRoutes(revision, models, { addresses }),
      );
    };
    publish(8);
    await eventually(async () => expect((await router.state()).revision).toBe(8));
    const ended = async (version: string, outcome = '') =>
      (await scrape(router)).read('sluice_router_inferences_total', `version="${version}"`, `outcome="${outcome}`);
    for (const version of ['1', '4']) expect(await ended(version)).toBeUndefined();
    const first = await router.infer({ version: '1' });
    expect(await ended('1', first.outcome)).toBe(1);
    // The champion, by the release and by its alias and number.
    for (const version of ['', 'champion', '4'])
      expect((await router.infer({ version })).outcome).toBe('failed-precondition');
    expect(await ended('4', 'failed-precondition')).toBe(3);
    expect((await router.infer({ version: '99' })).outcome).toBe('not-found');
    for (const version of ['2', '99']) expect(await ended(version)).toBeUndefined();
    publish(9, [2, 4]);
    await eventually(async () => expect((await router.state()).revision).toBe(9));
    expect([await ended('1'), await ended('4')]).toEqual([undefined, 3]);
  });

  it('go with their versions and runtimes', async () => {
    const { router, registry, runtimes, addresses } = await setUp();
    for (let count = 0; count < 10; count++) await router.infer({ version: String(2 + (count % 2)) });
    const seriesWith = async (label: string) => (await scrape(router)).series.filter((line) => line.includes(label));
    expect((await seriesWith('version="2"')).length).toBeGreaterThan(20);
    expect((await seriesWith(runtimeIs(addresses[1]!))).length).toBeGreaterThan(3);
    // One that is still on its way when its version goes ends without a trace.
    const late = router.infer({ version: '2', parameters: { test_wait: { kind: 'bool', value: true } } });
    await eventually(async () => expect((await scrape(router)).read('sluice_router_runtime_in_flight')).toBe(1));
    const kept = { addresses: [addresses[0]!] };
    registry.publish(wireRoutes(8, [digits(3)], { snapshot: false, ...kept }), wireRoutes(8, [digits(3)], kept));
    await eventually(async () => expect((await router.state()).revision).toBe(8));
    for (const runtime of runtimes) runtime.setStatus([['digits', 3, true]]);
    await eventually(async () => expect(await seriesWith('version="2"')).toEqual([]));
    for (const runtime of runtimes) runtime.releaseAll();
    expect((await late).outcome).toBe('ok');
    expect(await seriesWith('version="2"')).toEqual([]);
    // A runtime that the registry names no more is used while its link stands.
    expect((await seriesWith(runtimeIs(addresses[1]!))).length).toBeGreaterThan(3);
    await runtimes[1].stop();
    await eventually(async () => expect(await seriesWith(runtimeIs(addresses[1]!))).toEqual([]));
    expect((await seriesWith(runtimeIs(addresses[0]!))).length).toBeGreaterThan(3);
    expect((await scrape(router)).read('sluice_router_inferences_total', 'version="3"', 'outcome="ok"')).toBe(5);
  });
});
