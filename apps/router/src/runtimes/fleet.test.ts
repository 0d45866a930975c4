import { describe, expect, it } from 'vitest';
import { settle } from '../../test/doubles.ts';
import { fleetWorld, status } from '../../test/fleet-world.ts';

describe('Fleet', () => {
  it('tells of a runtime that has nothing ready, whatever the reason is', async () => {
    const { fleet, streams } = fleetWorld();
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
    const { fleet, streams, at } = fleetWorld();
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
    const { clock, fleet, streams, at } = fleetWorld();
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
    const { clock, fleet, streams } = fleetWorld();
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
    const { fleet, streams, closed, at } = fleetWorld();
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
    const { fleet, pending, given } = fleetWorld();
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
    const { fleet } = fleetWorld();
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
      const { fleet, streams } = fleetWorld();
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
    const { clock, fleet, streams } = fleetWorld();
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
    const { fleet, streams } = fleetWorld();
    fleet.setAddresses(['a:1']);
    await settle();
    streams.get('a:1')!.send({ ...status([['digits', 1, true]]), protocolVersion: 3 });
    await settle();
    expect(fleet.anyUp).toBe(false);
  });

  it('counts what is in flight', async () => {
    const { fleet, streams, pending } = fleetWorld();
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
    const { clock, fleet, streams } = fleetWorld((failures) => failures * 100);
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
