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
import type { InferOptions, TestRouter } from './world.ts';

const loaded = [3, 4, 5].map((version) => ['digits', version, true] as const);
const digits = wireModel({
  aliases: { champion: 3 },
  release: { arms: { primary: [3, 'PRIMARY', 0.7], candidate: [4, 'CANDIDATE', 0.3], s: [5, 'SHADOW', 1] } },
  placed: [3, 4, 5],
});

async function setUp(settings: Readonly<Record<string, string>> = {}) {
  const runtimes = [await testRuntime({ id: 'r1', loaded }), await testRuntime({ id: 'r2', loaded })] as const;
  const addresses = runtimes.map(({ address }) => address);
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses }));
  const start = async (): Promise<TestRouter> => {
    const stateDir = await temporaryFolder();
    const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, ...settings });
    await whenUp(router, 2);
    return router;
  };
  const seen = (): string[] => runtimes.flatMap(({ seen: { versions } }) => versions).toSorted();
  return { router: await start(), start, runtimes, seen };
}

async function metric(router: TestRouter, name: string, ...labels: string[]): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${router.ports['metricsPort']!}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  const found = lines.filter((line) => labels.every((label) => line.includes(label)));
  return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const unit = (name: string): InferOptions => ({ metadata: { 'sluice-unit': name } });
const armOf = async (router: TestRouter, options: InferOptions): Promise<string> => {
  const { outcome, response } = await router.infer(options);
  const arm = response?.parameters.get('sluice_arm');
  return `${outcome} ${response?.modelVersion ?? '-'} ${arm?.kind === 'string' ? arm.value : '-'}`;
};
const candidate: InferOptions = unit('user-1');
type Parameters = NonNullable<InferOptions['parameters']>;
const failing = (kind: string, more: Parameters = {}): Parameters => ({
  ...{ test_fail: { kind: 'string', value: kind }, test_version: { kind: 'string', value: '4' } },
  ...more,
});

describe('a release of several arms', () => {
  it('gives a unit the same arm through every router, and after a restart', async () => {
    const { router, start } = await setUp();
    const units = Array.from({ length: 40 }, (_, index) => unit(`user-${index}`));
    const through = (each: TestRouter): Promise<string[]> => Promise.all(units.map((one) => armOf(each, one)));
    const arms = await through(router);
    expect(new Set(arms)).toEqual(new Set(['ok 3 primary', 'ok 4 candidate']));
    expect(arms[1]).toBe('ok 4 candidate');
    const other = await start();
    expect(await through(other)).toEqual(arms);
    await router.stop();
    expect(await through(await start())).toEqual(arms);
  });

  it('answers by the primary when the candidate cannot, and says so; but not where the caller forced it or is to blame', async () => {
    const { router, runtimes } = await setUp();
    for (const kind of ['model-failed', 'internal', 'resource-exhausted'])
      expect(await armOf(router, { ...candidate, parameters: failing(kind) })).toBe('ok 3 primary');
    const forced = { metadata: { 'sluice-arm': 'candidate' } };
    expect(await armOf(router, { ...forced, parameters: failing('model-failed') })).toBe('model-failed - -');
    expect(await armOf(router, forced)).toBe('ok 4 candidate');
    expect(await armOf(router, { ...candidate, parameters: failing('invalid-argument') })).toBe('invalid-argument - -');
    // A watchdog's answer.
    const hung = failing('internal', { test_never_again: { kind: 'bool', value: true } });
    expect(await armOf(router, { ...candidate, parameters: hung })).toBe('internal - -');
    const labels = ['model="digits"', 'version="4"', 'arm="candidate"', 'role="candidate"'];
    const ended = (outcome: string) => metric(router, 'sluice_router_arm_inferences_total', ...labels, outcome);
    expect(await Promise.all(['ok', 'model-failed', 'internal'].map((each) => ended(`outcome="${each}"`)))).toEqual([
      1, 2, 2,
    ]);
    expect(await metric(router, 'sluice_router_arm_fallbacks_total', ...labels)).toBe(3);
    expect(await metric(router, 'sluice_router_inferences_total', 'version="3"', 'outcome="ok"')).toBe(3);
    expect(await metric(router, 'sluice_router_arm_inferences_total', 'arm="primary"')).toBe(0);
    // None has it: it is not loaded.
    for (const runtime of runtimes) runtime.setStatus(loaded.filter(([, version]) => version !== 4));
    await eventually(async () => expect(await armOf(router, candidate)).toBe('ok 3 primary'));
  });

  it('is mirrored to its shadow after the answer, by requests that it answered, and by no other', async () => {
    const { router, runtimes, seen } = await setUp();
    const held = router.send(inferBytes({ parameters: { test_wait: { kind: 'bool', value: true } } }), {
      metadata: { 'sluice-arm': 'primary' },
    });
    await eventually(() => expect(seen()).toEqual(['3']));
    expect(await armOf(router, candidate)).toBe('ok 4 candidate');
    expect(await armOf(router, { version: '3' })).toBe('ok 3 ');
    await router.infer({ ...candidate, parameters: failing('invalid-argument') });
    await eventually(() => expect(seen()).toEqual(['3', '3', '4', '4', '5']));
    await eventually(async () =>
      expect(await metric(router, 'sluice_router_arm_inferences_total', 'arm="s"', 'outcome="ok"')).toBe(1),
    );
    expect((await router.state()).shadows).toEqual({
      ...{ waiting: 0, inFlight: 0, bytes: 0 },
      dropped: { copies: 0, bytes: 0, stopping: 0 },
    });
    for (const runtime of runtimes) runtime.releaseAll();
    expect(resultOf(await held).outcome).toBe('ok');
    await eventually(() => expect(seen()).toEqual(['3', '3', '4', '4', '5', '5']));
  });

  it('drops copies beyond the bound, and those that are left when the router stops, which waits for none', async () => {
    const { router, runtimes, seen } = await setUp({ SLUICE_MAX_SHADOWS: '2', SLUICE_MAX_SHADOWS_IN_FLIGHT: '1' });
    const waits = inferBytes({ parameters: { test_wait: { kind: 'bool', value: true } } });
    const held = Array.from({ length: 5 }, () => router.send(waits, { metadata: { 'sluice-arm': 'primary' } }));
    await eventually(() => expect(seen()).toHaveLength(5));
    for (const runtime of runtimes) runtime.releaseAll();
    for (const outcome of await Promise.all(held)) expect(resultOf(outcome).outcome).toBe('ok');
    await eventually(() => expect(seen().filter((version) => version === '5')).toHaveLength(1));
    expect(await metric(router, 'sluice_router_shadow_dropped_total', 'reason="copies"')).toBe(3);
    expect(await metric(router, 'sluice_queue_length', 'queue="shadows"')).toBe(1);
    await router.stop();
    await eventually(() => expect(runtimes.map((each) => each.seen.cancelled).reduce((a, b) => a + b)).toBe(1));
    expect(seen().filter((version) => version === '5')).toHaveLength(1);
  });

  it("loses no request with the candidate's runtime, and lets one that ends runtimes end two in all, whoever's they are", async () => {
    const of = (id: string, version: number) => runtimeProcess(id, [['digits', version, true]]);
    const [ofCandidate, ...ofPrimary] = await Promise.all([of('r1', 4), of('r2', 3), of('r3', 3)]);
    const all = [ofCandidate, ...ofPrimary];
    const registry = await testRegistry(wireRoutes(7, [digits], { addresses: all.map(({ address }) => address) }));
    const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: await temporaryFolder() });
    await whenUp(router, 3);
    const exits = await armOf(router, { ...candidate, parameters: { test_exit: { kind: 'bool', value: true } } });
    expect(exits).toBe('internal - -');
    await eventually(() => expect(all.filter(({ child }) => child.exitCode === 86)).toHaveLength(2));
    expect(ofCandidate.child.exitCode).toBe(86);
    expect(ofPrimary.filter(({ child }) => child.exitCode === null)).toHaveLength(1);
    expect(await armOf(router, candidate)).toBe('ok 3 primary');
  });
});
