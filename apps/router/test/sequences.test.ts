import { eventually } from '@sluice/testkit/eventually';
import { keptPort } from '@sluice/testkit/kept-port';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { answered, ask, expectLost, publish, routerOf } from './sequence-requests.ts';
import { runtimeProcess, testRegistry, testRuntime, whenUp } from './world.ts';

const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3, 4], sequences: true });
const loaded = [
  ['digits', 3, true],
  ['digits', 4, true],
] as const;

const ids = Array.from({ length: 40 }, (_, index) => index + 1);
const waits = { parameters: { test_wait: { kind: 'bool', value: true } } } as const;

describe('two routers and a runtime that joins', () => {
  it('keep sequences where they began; a router that did not see a start asks, once for all that wait', async () => {
    const runtimes = [await testRuntime({ id: 'r1', loaded }), await testRuntime({ id: 'r2', loaded })];
    const addresses = runtimes.map(({ address }) => address);
    const registry = await testRegistry(wireRoutes(7, [digits], { addresses }));
    const [one, two] = [await routerOf(registry, 2), await routerOf(registry, 2)];
    for (const id of ids) expect(answered(await ask(one, id, 's'))).toBe('1,2@3');
    const home = () => runtimes.map(({ sequences }) => sequences.live.length);
    const before = home();
    expect(before.every((count) => count > 0)).toBe(true);
    const joined = await testRuntime({ id: 'r3', loaded });
    await publish(registry, 8, [...addresses, joined.address], [one, two], [digits]);
    for (const router of [one, two]) await whenUp(router, 3);
    // The second router knows none of them, and is asked for each three times at once.
    for (const id of ids) {
      const results = await Promise.all([ask(two, id), ask(two, id), ask(two, id)]);
      expect(results.map(answered).sort()).toEqual(['2,4@3', '3,6@3', '4,8@3']);
    }
    const asked = [...runtimes, joined].flatMap(({ sequences }) => sequences.asked);
    const rounds = new Map<string, number>();
    for (const each of asked) rounds.set(each, (rounds.get(each) ?? 0) + 1);
    expect(rounds.size).toBe(ids.length);
    // The owner alone, or all: never one of them twice.
    expect(new Set(rounds.values())).toEqual(new Set([1, 3]));
    for (const id of ids) expect(answered(await ask(one, id, 'e'))).toBe('5,10@3');
    expect([home(), joined.sequences.live]).toEqual([[0, 0], []]);
    expect((await one.state()).sequences).toBe(0);
    // Starts do go to the one that joined.
    for (const id of ids) await ask(two, id, 's');
    expect(joined.sequences.live.length).toBeGreaterThan(0);
  });

  it('lose none whose version left the routes and is ready nowhere: its runtime says when it is over', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded });
    const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
    const [one, two] = [await routerOf(registry, 1), await routerOf(registry, 1)];
    expect(answered(await ask(one, 'a', 's', { version: 'champion' }))).toBe('1,2@3');
    const moved = wireModel({ aliases: { champion: 4 }, release: 4, placed: [4], unplaced: [3], sequences: true });
    await publish(registry, 8, [runtime.address], [one, two], [moved]);
    runtime.setStatus([['digits', 4, true]]);
    expect(answered(await ask(one, 'a', '', { version: 'champion' }))).toBe('2,4@3');
    expect(answered(await ask(two, 'a'))).toBe('3,6@3');
    expect(answered(await ask(one, 'a', '', { version: '3' }))).toBe('4,8@3');
    expect(answered(await ask(one, 'b', 's'))).toBe('1,2@4');
    expectLost(await ask(one, 'a', '', { version: '4' }));
    expect(runtime.sequences.asked).toEqual(['digits string a 0', 'digits string a 4']);
    // Also when the model keeps no sequences any more.
    const plain = wireModel({ aliases: { champion: 4 }, release: 4, placed: [4], unplaced: [3] });
    await publish(registry, 9, [runtime.address], [one, two], [plain]);
    expect(answered(await ask(one, 'a'))).toBe('5,10@3');
    await publish(registry, 10, [runtime.address], [one, two], [moved]);
    // It idles out.
    runtime.sequences.clear();
    expectLost(await ask(one, 'a'));
    expectLost(await ask(one, 'a'));
    expect((await one.state()).sequences).toBe(1);
    const metrics = await (await fetch(`http://127.0.0.1:${one.ports['metricsPort']!}/metrics`)).text();
    expect(metrics).toMatch(/^sluice_router_sequences\{[^}]*\} 1$/m);
  });

  it('do not take a sequence for lost while a runtime does not say, and wait for it no longer than a second', async () => {
    const runtimes = [await testRuntime({ id: 'r1', loaded }), await testRuntime({ id: 'r2', loaded })];
    const addresses = runtimes.map(({ address }) => address);
    const registry = await testRegistry(wireRoutes(7, [digits], { addresses }));
    const router = await routerOf(registry, 2);
    const gate = Promise.withResolvers<undefined>();
    runtimes[0]!.sequences.beforeLocate = () => gate.promise;
    const started = performance.now();
    const result = await ask(router, 7);
    expect(answered(result)).toBe(
      'unavailable: sequence 7 of digits may be on a runtime that cannot be asked now; try again',
    );
    expect(result.retryAfterMs).toBe(250);
    // A second is waited; the rest is for a busy machine.
    expect(performance.now() - started).toBeLessThan(5_000);
    gate.resolve(undefined);
    expectLost(await ask(router, 7));
  });
});

describe('a model that keeps no sequences', () => {
  it('takes ids for nothing: requests with one go anywhere, and need no start', async () => {
    const plain = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });
    const runtimes = [await testRuntime({ id: 'r1', loaded }), await testRuntime({ id: 'r2', loaded })];
    const addresses = runtimes.map(({ address }) => address);
    const registry = await testRegistry(wireRoutes(7, [plain], { addresses }));
    const router = await routerOf(registry, 2);
    const held = Array.from({ length: 20 }, () => ask(router, 7, 's', waits));
    await eventually(() => expect(runtimes[0]!.seen.requests + runtimes[1]!.seen.requests).toBe(20));
    for (const runtime of runtimes) {
      expect(runtime.seen.requests).toBeGreaterThan(0);
      runtime.releaseAll();
    }
    await Promise.all(held);
    await ask(router, 8);
    expect([runtimes.flatMap(({ sequences }) => sequences.asked), (await router.state()).sequences]).toEqual([[], 0]);
  });
});

describe('a runtime that is killed', () => {
  it('takes its sequences along: under way, between two requests, and when it is back on its address', async () => {
    const port = await keptPort();
    const dying = await runtimeProcess('r1', loaded, port);
    const other = await testRuntime({ id: 'r2', loaded });
    const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [dying.address, other.address] }));
    const router = await routerOf(registry, 2);
    for (const id of ids) await ask(router, id, 's');
    const elsewhere = new Set(other.sequences.live.map((key) => Number(key.split(' ').at(-1))));
    const [underWay, between, untouched] = ids.filter((id) => !elsewhere.has(id)) as [number, number, number];
    const inFlight = [0, 1, 2].map(() => ask(router, underWay, '', waits));
    await eventually(async () => {
      const counts = (await router.state()).runtimes.map((runtime) => runtime.inFlight);
      expect(counts.reduce((sum, each) => sum + each, 0)).toBe(3);
    });
    const before = other.seen.requests;
    await dying.kill();
    for (const result of await Promise.all(inFlight)) expectLost(result);
    expectLost(await ask(router, underWay));
    // Until a try to reach it has failed, its link may be about to come back.
    await eventually(async () => expectLost(await ask(router, between)));
    expect(other.seen.requests).toBe(before);
    // A start goes to one that lives, and what follows goes after it.
    expect(answered(await ask(router, underWay, 's'))).toBe('1,2@3');
    expect(answered(await ask(router, underWay, 'e'))).toBe('2,4@3');
    await runtimeProcess('r1', loaded, port);
    await whenUp(router, 2);
    await eventually(async () => expectLost(await ask(router, untouched)));
    for (const id of [between, untouched]) expect(answered(await ask(router, id, 's'))).toBe('1,2@3');
  });
});
