import { createBreaker } from '@sluice/resilience/breaker';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { FedStreams, recordingLogger, settle } from '../../test/doubles.ts';
import { Breakers } from './breakers.ts';
import { Fleet } from './fleet.ts';
import { RuntimeLink } from './runtime-link.ts';
import type { RuntimeStatus } from './runtime-link.ts';

function status(
  versions: readonly (readonly [string, number, boolean | 'on demand' | 'failed'])[],
  draining = false,
): RuntimeStatus {
  return {
    runtimeId: 'r1',
    versions: versions.map(([model, version, ready]) => ({
      ...{ model, version: String(version), ready: ready === true, onDemand: ready === 'on demand' },
      reason: ready === 'failed' ? 'no' : '',
    })),
    draining,
    protocolVersion: 1,
    loadsOnDemand: true,
  };
}

function setUp(backoffMs: (failures: number) => number = () => 100) {
  const clock = new FakeClock();
  const { logger } = recordingLogger();
  const streams = new Map<string, FedStreams<string, RuntimeStatus>>();
  const closed: string[] = [];
  const pending: ((outcome: RawOutcome) => void)[] = [];
  const given = { up: 0 };
  const fleet = new Fleet({
    clock,
    connect: (address, onChange) => {
      const fed = new FedStreams<string, RuntimeStatus>();
      streams.set(address, fed);
      const link = new RuntimeLink({
        address,
        clock,
        logger,
        connection: {
          call: (_path, _message, _options, done) => {
            pending.push(done);
            return { cancel: () => (given.up += 1) };
          },
          isConnected: () => true,
          close: () => closed.push(address),
        },
        watchStatus: (signal) => fed.open(address, signal),
        backoffMs,
        onChange,
      });
      void link.run();
      return link;
    },
  });
  return {
    clock,
    fleet,
    streams,
    closed,
    pending,
    given,
    at: (key: string) => fleet.readyFor(key).map((link) => link.address),
  };
}

describe('Fleet', () => {
  it('tells of a runtime that has nothing ready, whatever the reason is', async () => {
    const { fleet, streams } = setUp();
    let changes = 0;
    fleet.onChange(() => (changes += 1));
    fleet.setAddresses(['a:1']);
    await settle();
    streams.get('a:1')!.send(status([]));
    await settle();
    const said = async (reason: string): Promise<number> => {
      const before = changes;
      const [version] = status([['digits', 1, false]]).versions;
      streams.get('a:1')!.send({ ...status([]), versions: [{ ...version!, reason }] });
      await settle();
      return changes - before;
    };
    expect(await said('')).toBe(1);
    expect(await said('no memory')).toBe(1);
    expect(fleet.links[0]!.notReady.get('digits@1')).toBe('no memory');
  });

  it('knows what is ready from the runtimes themselves', async () => {
    const { fleet, streams, at } = setUp();
    fleet.setAddresses(['a:1', 'b:1']);
    await settle();
    expect(fleet.anyUp).toBe(false);
    streams.get('a:1')!.send(
      status([
        ['digits', 1, true],
        ['digits', 2, false],
      ]),
    );
    streams.get('b:1')!.send(
      status([
        ['digits', 1, true],
        ['wdbc', 1, true],
      ]),
    );
    await settle();
    expect(fleet.anyUp).toBe(true);
    expect(at('digits@1')).toEqual(['a:1', 'b:1']);
    expect(at('digits@2')).toEqual([]);
    expect(at('wdbc@1')).toEqual(['b:1']);
    streams.get('a:1')!.send(status([['digits', 2, true]]));
    await settle();
    expect(at('digits@1')).toEqual(['b:1']);
    expect(at('digits@2')).toEqual(['a:1']);
  });

  it('stops sending to a runtime that drains or whose stream broke, and goes on when it is back', async () => {
    const { clock, fleet, streams, at } = setUp();
    fleet.setAddresses(['a:1']);
    await settle();
    const fed = streams.get('a:1')!;
    fed.send(status([['digits', 1, true]]));
    await settle();
    const [link] = fleet.links;
    expect(link!.session).toBe(1);
    fed.send(status([['digits', 1, true]], true));
    await settle();
    expect(at('digits@1')).toEqual([]);
    expect(fleet.anyUp).toBe(false);
    fed.fail();
    await settle();
    expect(link!.state).toBe('connecting');
    clock.advance(100);
    await settle();
    fed.send(status([['digits', 1, true]]));
    await settle();
    expect(at('digits@1')).toEqual(['a:1']);
    expect(link!.session).toBe(2);
  });

  it('takes a runtime for lost when a try to reach it has failed, not while one is under way', async () => {
    const { clock, fleet, streams } = setUp();
    fleet.setAddresses(['a:1']);
    await settle();
    const [link] = fleet.links;
    const fed = streams.get('a:1')!;
    expect(link!.isLost).toBe(false);
    fed.fail();
    await settle();
    expect(link!.isLost).toBe(true);
    clock.advance(100);
    await settle();
    fed.send(status([]));
    await settle();
    expect([link!.isLost, link!.state]).toEqual([false, 'up']);
    fed.fail();
    await settle();
    expect([link!.isLost, link!.state]).toEqual([false, 'connecting']);
    clock.advance(100);
    await settle();
    expect(link!.isLost).toBe(false);
    fed.end();
    await settle();
    expect(link!.isLost).toBe(true);
  });

  it('keeps a runtime that the registry forgot while its link stands, and not longer', async () => {
    const { fleet, streams, closed, at } = setUp();
    fleet.setAddresses(['a:1', 'b:1']);
    await settle();
    streams.get('a:1')!.send(status([['digits', 1, true]]));
    await settle();
    fleet.setAddresses([]);
    expect(closed).toEqual(['b:1']);
    expect(at('digits@1')).toEqual(['a:1']);
    streams.get('a:1')!.fail();
    await settle();
    expect(closed).toEqual(['b:1', 'a:1']);
    expect(fleet.links).toEqual([]);
  });

  it('gives up a question when whoever asked is gone, and not after its answer', async () => {
    const { fleet, pending, given } = setUp();
    fleet.setAddresses(['a:1']);
    const [link] = fleet.links;
    const caller = new AbortController();
    const ask = (signal: AbortSignal) => link!.ask('/x', new Uint8Array(0), { deadlineMs: Infinity }, signal);
    const answered = ask(caller.signal);
    pending[0]!({ error: undefined, message: undefined, messageArrived: true, trailer: () => undefined });
    await answered;
    void ask(caller.signal);
    caller.abort();
    expect(given.up).toBe(1);
    void ask(caller.signal);
    expect(given.up).toBe(2);
  });

  it('knows what each runtime offers, as the registry last told', () => {
    const { fleet } = setUp();
    const site = (address: string, pool: string, ...devices: readonly string[]) => ({ address, pool, devices });
    const offers = () => fleet.links.map(({ address, offer }) => [address, offer?.pool, offer?.devices]);
    fleet.setRuntimes([site('a:1', 'gpu', 'cuda:0'), site('b:1', 'default')]);
    expect(offers()).toEqual([
      ['a:1', 'gpu', ['cuda:0']],
      ['b:1', 'default', []],
    ]);
    let told = 0;
    fleet.onChange(() => (told += 1));
    fleet.setRuntimes([site('a:1', 'gpu', 'cuda:0', 'cpu')]);
    expect(offers()).toEqual([['a:1', 'gpu', ['cuda:0', 'cpu']]]);
    expect(told).toBeGreaterThan(0);
  });

  it('knows who loads a version on demand, in one order for all routers', async () => {
    const addresses = ['a:1', 'b:1', 'c:1', 'd:1'];
    const known = async (order: readonly string[]) => {
      const { fleet, streams } = setUp();
      fleet.setAddresses(order);
      await settle();
      streams.get('a:1')!.send(
        status([
          ['m', 1, 'on demand'],
          ['m', 2, 'failed'],
        ]),
      );
      streams.get('b:1')!.send(
        status([
          ['m', 1, 'on demand'],
          ['m', 3, 'on demand'],
        ]),
      );
      streams.get('c:1')!.send(status([['m', 1, false]]));
      streams.get('d:1')!.send(status([['m', 1, 'on demand']], true));
      await settle();
      const of = (version: number, placed: boolean) =>
        fleet.onDemandFor({ key: `m@${version}`, placed }).map(({ address }) => address);
      return { of, streams };
    };
    const { of, streams } = await known(addresses);
    // Placed: only who gave it up for others. d:1 drains.
    expect(new Set(of(1, true))).toEqual(new Set(['a:1', 'b:1']));
    expect(of(2, true)).toEqual([]);
    // Not placed: all but those that failed to load it, and where it is on its way those alone.
    expect(new Set(of(2, false))).toEqual(new Set(['b:1', 'c:1']));
    expect(of(3, false)).toEqual(['b:1']);
    const other = await known([...addresses].reverse());
    for (let version = 4; version < 40; version += 1) expect(other.of(version, false)).toEqual(of(version, false));
    expect(new Set(Array.from({ length: 36 }, (_, index) => of(4 + index, false)[0])).size).toBe(3);
    streams.get('c:1')!.send({ ...status([]), loadsOnDemand: false });
    await settle();
    expect(new Set(of(5, false))).toEqual(new Set(['a:1', 'b:1']));
  });

  it('does not ask a runtime soon again for what it cannot load, nor after the routes or its process changed', async () => {
    const { clock, fleet, streams } = setUp();
    fleet.setAddresses(['a:1', 'b:1']);
    await settle();
    for (const address of ['a:1', 'b:1']) streams.get(address)!.send(status([]));
    await settle();
    const order = (version: number) =>
      fleet.onDemandFor({ key: `m@${version}`, placed: false }).map(({ address }) => address);
    const refuse = () => {
      fleet.cannotLoad(fleet.links[0]!, 'm@1', 'not here');
      expect([order(1), order(2).length]).toEqual([['b:1'], 2]);
    };
    expect([order(1).length, fleet.whyNotLoaded('m@1')]).toEqual([2, undefined]);
    refuse();
    expect([fleet.whyNotLoaded('m@1'), fleet.whyNotLoaded('m@2')]).toEqual(['not here', undefined]);
    clock.advance(9_999);
    expect(order(1)).toEqual(['b:1']);
    clock.advance(1);
    expect([order(1).length, fleet.whyNotLoaded('m@1')]).toEqual([2, undefined]);
    refuse();
    fleet.routesChanged();
    expect(order(1)).toHaveLength(2);
    refuse();
    streams.get('a:1')!.fail();
    await settle();
    expect(fleet.whyNotLoaded('m@1')).toBeUndefined();
    clock.advance(100);
    await settle();
    streams.get('a:1')!.send(status([]));
    await settle();
    expect(order(1)).toHaveLength(2);
  });

  it('refuses a runtime that is two protocol versions ahead', async () => {
    const { fleet, streams } = setUp();
    fleet.setAddresses(['a:1']);
    await settle();
    streams.get('a:1')!.send({ ...status([['digits', 1, true]]), protocolVersion: 3 });
    await settle();
    expect(fleet.anyUp).toBe(false);
  });

  it('counts what is in flight', async () => {
    const { fleet, streams, pending } = setUp();
    fleet.setAddresses(['a:1']);
    await settle();
    streams.get('a:1')!.send(status([['digits', 1, true]]));
    await settle();
    const [link] = fleet.links;
    let ended = 0;
    for (let index = 0; index < 2; index++) {
      link!.send('/p', new Uint8Array(0), { deadlineMs: 0 }, () => {
        ended++;
      });
    }
    expect(link!.inFlight).toBe(2);
    pending[0]!({ error: undefined, message: Buffer.alloc(0), messageArrived: true, trailer: () => undefined });
    expect([link!.inFlight, ended]).toEqual([1, 1]);
  });

  it('asks a runtime that it cannot understand less and less often', async () => {
    const { clock, fleet, streams } = setUp((failures) => failures * 100);
    fleet.setAddresses(['a:1']);
    await settle();
    const fed = streams.get('a:1')!;
    for (const [at, ms] of [100, 200, 300].entries()) {
      fed.send({ ...status([]), protocolVersion: 9 });
      await settle();
      clock.advance(ms - 1);
      await settle();
      expect(fed.opened).toHaveLength(at + 1);
      clock.advance(1);
      await settle();
      expect(fed.opened).toHaveLength(at + 2);
    }
  });
});

describe('Breakers', () => {
  async function withBreakers() {
    const world = setUp();
    const { clock, fleet, streams } = world;
    const made: string[] = [];
    const breakers = new Breakers({
      create: (address, key) => {
        made.push(`${address} ${key}`);
        return createBreaker({ name: key, clock, minRequests: 1, isFailure: () => true });
      },
    });
    const shown = () =>
      [...breakers.all()].map(({ runtime, model, version, state }) => `${runtime} ${model} ${version} ${state}`);
    fleet.onChange(() => breakers.retain(fleet.links));
    fleet.setAddresses(['a:1']);
    await settle();
    const fed = streams.get('a:1')!;
    const has = async (...versions: number[]): Promise<void> => {
      fed.send(status(versions.map((version) => ['digits', version, true])));
      await settle();
    };
    await has(1, 2);
    const restart = async (): Promise<void> => {
      fed.fail();
      await settle();
      clock.advance(100);
      await settle();
      await has(1, 2);
    };
    return { ...world, breakers, made, shown, has, restart, link: fleet.links[0]! };
  }

  it('keeps one per runtime and version, and starts anew with a new session', async () => {
    const { breakers, made, restart, link } = await withBreakers();
    expect(breakers.of(link, 'digits@1')).toBe(breakers.of(link, 'digits@1'));
    breakers.of(link, 'digits@2');
    expect(made).toEqual(['a:1 digits@1', 'a:1 digits@2']);
    expect(breakers.states(link)).toEqual({ 'digits@1': 'closed', 'digits@2': 'closed' });
    await restart();
    breakers.of(link, 'digits@1');
    expect(made).toHaveLength(3);
  });

  it('tells what is: a runtime that came back has no open breaker, whatever still ends on the old one', async () => {
    const { breakers, clock, shown, restart, link } = await withBreakers();
    const [first, late] = [breakers.of(link, 'digits@1').begin()!, breakers.of(link, 'digits@1').begin()!];
    expect(shown()).toEqual(['a:1 digits 1 closed']);
    first.fail(new Error('broken'));
    await settle();
    expect(shown()).toEqual(['a:1 digits 1 open']);
    // It need not be asked for leave to show that its time is over.
    clock.advance(1_000);
    expect(shown()).toEqual(['a:1 digits 1 half-open']);
    await restart();
    expect(shown()).toEqual([]);
    breakers.of(link, 'digits@1');
    late.fail(new Error('broken'));
    await settle();
    expect(shown()).toEqual(['a:1 digits 1 closed']);
  });

  it('forgets versions that were unloaded and runtimes that are gone', async () => {
    const { breakers, fleet, streams, shown, has, link } = await withBreakers();
    for (const key of ['digits@1', 'digits@2']) breakers.of(link, key);
    await has(2);
    expect(shown()).toEqual(['a:1 digits 2 closed']);
    fleet.setAddresses([]);
    streams.get('a:1')!.fail();
    await settle();
    expect(shown()).toEqual([]);
    expect(breakers.states(link)).toEqual({});
  });
});
