import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { answered, ask, expectLost, publish, routerOf } from './sequence-requests.ts';
import { testRegistry, testRuntime, whenUp } from './world.ts';

const facts = { aliases: { champion: 3 }, release: 3, placed: [3], sequences: true } as const;
const digits = wireModel(facts);
const loaded = [['digits', 3, true]] as const;
const waits = { parameters: { test_wait: { kind: 'bool', value: true } } } as const;

async function setUp(model = digits, settings: Readonly<Record<string, string>> = {}) {
  const runtime = await testRuntime({ id: 'r1', loaded, loadsOnDemand: true });
  const registry = await testRegistry(wireRoutes(7, [model], { addresses: [runtime.address] }));
  const router = await routerOf(registry, 1, settings);
  return { runtime, registry, router };
}

describe('a start that the router refuses', () => {
  it('leaves no sequence, whatever it was refused for', async () => {
    const { router, runtime } = await setUp();
    const refusals = [
      [{ version: '-1' }, 'invalid-argument'],
      [{ version: 'nobody' }, 'not-found'],
      [{ version: '9' }, 'not-found'],
      [{ metadata: { 'sluice-arm': 'no-such' } }, 'invalid-argument'],
      [{ version: '3', metadata: { 'sluice-arm': 'primary' } }, 'invalid-argument'],
      [{ metadata: { 'sluice-unit': 'u'.repeat(257) } }, 'invalid-argument'],
    ] as const;
    for (const [options, kind] of refusals) {
      expect(answered(await ask(router, 7, 's'))).toBe('1,2@3');
      expect((await ask(router, 7, 's', options)).outcome).toBe(kind);
      expectLost(await ask(router, 7));
      expectLost(await ask(router, 7, '', { version: '3' }));
    }
    // What is refused and no start ends nothing.
    expect(answered(await ask(router, 7, 's'))).toBe('1,2@3');
    expect((await ask(router, 7, '', { version: '-1' })).outcome).toBe('invalid-argument');
    expect(answered(await ask(router, 7, 'e'))).toBe('2,4@3');
    expect(runtime.sequences.asked).toEqual([]);
  });

  it('leaves none when the router is full', async () => {
    const { router, runtime } = await setUp(digits, { SLUICE_MAX_IN_FLIGHT: '1' });
    expect(answered(await ask(router, 7, 's'))).toBe('1,2@3');
    const held = ask(router, 8, 's', waits);
    await eventually(() => expect(runtime.seen.requests).toBe(2));
    expect((await ask(router, 7, 's')).outcome).toBe('resource-exhausted');
    runtime.releaseAll();
    expect(answered(await held)).toBe('1,2@3');
    expectLost(await ask(router, 7));
    expect(answered(await ask(router, 7, 's'))).toBe('1,2@3');
  });
});

describe('a sequence_id of more than 128 bytes', () => {
  it('is refused where ids mean something, and no matter where they do not', async () => {
    const { router, registry, runtime } = await setUp();
    const id = 'é'.repeat(65);
    expect(answered(await ask(router, 'é'.repeat(64), 's'))).toBe('1,2@3');
    expect(answered(await ask(router, id, 's'))).toBe(
      'invalid-argument: parameter "sequence_id": expected at most 128 bytes, got 130',
    );
    await publish(registry, 8, [runtime.address], [router], [wireModel({ ...facts, sequences: false })]);
    // It means something to this runtime alone.
    expect(answered(await ask(router, id, 's'))).toBe('1,2@3');
  });
});

describe('a version with sequences that is not placed', () => {
  it('keeps them: its requests are one sequence on one runtime, and are not sent again', async () => {
    const model = wireModel({
      aliases: { champion: 3 },
      release: 3,
      placed: [3],
      unplaced: [4],
      sequences: 'unplaced',
    });
    const { router, runtime, registry } = await setUp(model);
    const other = await testRuntime({ id: 'r2', loaded, loadsOnDemand: true });
    await publish(registry, 8, [runtime.address, other.address], [router], [model]);
    await whenUp(router, 2);
    for (const id of [1, 2, 3, 4]) expect(answered(await ask(router, id, 's', { version: '4' }))).toBe('1,2@4');
    for (const id of [1, 2, 3, 4]) expect(answered(await ask(router, id, '', { version: '4' }))).toBe('2,4@4');
    // Who loads it does so for all of them.
    expect([runtime, other].map(({ sequences }) => sequences.live.length).sort()).toEqual([0, 4]);
    expectLost(await ask(router, 5, '', { version: '4' }));
    const failing = { test_fail: { kind: 'string', value: 'unavailable' } } as const;
    const before = runtime.seen.requests + other.seen.requests;
    expect((await ask(router, 1, '', { version: '4', parameters: failing })).outcome).toBe('unavailable');
    expect(runtime.seen.requests + other.seen.requests).toBe(before + 1);
  });
});

describe('a version that is quarantined', () => {
  it('gets no more requests of the sequences that live on it, and goes on with them once that is lifted', async () => {
    const { router, runtime, registry } = await setUp();
    expect(answered(await ask(router, 7, 's'))).toBe('1,2@3');
    const poison = wireModel({
      ...facts,
      placed: [],
      unplaced: [3],
      quarantined: { 3: 'it ended its runtime 3 times' },
    });
    await publish(registry, 8, [runtime.address], [router], [poison]);
    const before = runtime.seen.requests;
    for (const mark of ['', 'e']) {
      expect(answered(await ask(router, 7, mark))).toMatch(
        /^failed-precondition: digits version 3 is quarantined: it ended its runtime 3 times; .*sluice quarantine lift digits 3/,
      );
    }
    expect(runtime.seen.requests).toBe(before);
    await publish(registry, 9, [runtime.address], [router], [digits]);
    expect(answered(await ask(router, 7, 'e'))).toBe('2,4@3');
  });
});
