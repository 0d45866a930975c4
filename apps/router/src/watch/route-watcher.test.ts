import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { FedStreams, recordingLogger, settle } from '../../test/doubles.ts';
import { wireModel, wireRoutes } from '../../test/routes.ts';
import type { RouteTable } from '../route/table.ts';
import type { RuntimeSite, WireRoutes } from './decode-routes.ts';
import { RouteWatcher } from './route-watcher.ts';

function setUp(saved?: WireRoutes | Error) {
  const clock = new FakeClock();
  const streams = new FedStreams<number, WireRoutes>();
  const { logger, lines } = recordingLogger();
  const seen = {
    tables: [] as RouteTable[],
    runtimes: [] as (readonly string[])[],
    sites: [] as RuntimeSite[],
    connections: [] as boolean[],
    written: [] as WireRoutes[],
  };
  let release: (() => void) | undefined;
  const store = {
    read: async () => {
      if (saved instanceof Error) throw saved;
      return saved;
    },
    write: async (routes: WireRoutes) => {
      seen.written.push(routes);
      if (gate.closed) await new Promise<void>((resolve) => (release = resolve));
    },
  };
  const gate = { closed: false, open: () => release?.() };
  const watcher = new RouteWatcher({
    clock,
    logger,
    store,
    open: streams.open,
    backoffMs: (failures) => failures * 100,
    onTable: (table) => seen.tables.push(table),
    onRuntimes(sites) {
      seen.runtimes.push(sites.map(({ address }) => address));
      seen.sites = [...sites];
    },
    onConnection: (up) => seen.connections.push(up),
  });
  const stop = new AbortController();
  return { clock, streams, lines, seen, gate, watcher, stop, run: () => watcher.run(stop.signal) };
}

describe('RouteWatcher', () => {
  it('asks for a snapshot, applies it, saves it, and goes on from its revision', async () => {
    const { clock, streams, seen, stop, run } = setUp();
    const ended = run();
    await settle();
    expect(streams.opened[0]!.request).toBe(0);
    streams.send(wireRoutes(7, [wireModel({ release: 1, placed: [1] })], { addresses: ['a:1'] }));
    await settle();
    expect(seen.tables.map((table) => [table.revision, [...table.models.keys()]])).toEqual([[7, ['digits']]]);
    expect(seen.runtimes).toEqual([['a:1']]);
    expect(seen.sites).toEqual([{ address: 'a:1', pool: 'default', devices: ['cpu', 'cuda:0'] }]);
    expect(seen.connections).toEqual([true]);
    streams.fail();
    await settle();
    expect(seen.connections).toEqual([true, false]);
    clock.advance(99);
    await settle();
    expect(streams.opened).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(streams.opened.map((each) => each.request)).toEqual([0, 7]);
    expect(seen.written.at(-1)).toMatchObject({ resumeToken: '7', snapshot: true });
    stop.abort();
    await ended;
  });

  it('applies changes and removals, and saves the whole state', async () => {
    const { streams, seen, stop, run } = setUp();
    const ended = run();
    await settle();
    streams.send(wireRoutes(7, [wireModel({ release: 1, placed: [1] }), wireModel({ model: 'wdbc' })]));
    streams.send(wireRoutes(9, [wireModel({ release: 2, placed: [1, 2] })], { snapshot: false }));
    streams.send(wireRoutes(10, [], { snapshot: false, removed: ['wdbc'] }));
    await settle();
    expect(seen.tables.map((table) => table.revision)).toEqual([7, 9, 10]);
    expect([...seen.tables.at(-1)!.models.keys()]).toEqual(['digits']);
    expect(seen.tables.at(-1)!.models.get('digits')!.release!.arms[0]!.version).toBe(2);
    expect(seen.written.at(-1)!.models.map((model) => model.model)).toEqual(['digits']);
    stop.abort();
    await ended;
  });

  it('takes messages that only name runtimes, and moves to a revision that changes no model', async () => {
    const { streams, seen, stop, run, watcher } = setUp();
    const ended = run();
    await settle();
    streams.send(wireRoutes(7, [wireModel()], { addresses: ['a:1'] }));
    streams.send(wireRoutes(0, [], { snapshot: false, addresses: ['a:1', 'b:1'] }));
    streams.send(wireRoutes(8, [], { snapshot: false }));
    await settle();
    expect(seen.runtimes).toEqual([['a:1'], ['a:1', 'b:1']]);
    expect(watcher.table?.revision).toBe(8);
    stop.abort();
    await ended;
  });

  it('starts from what was saved, and resumes there', async () => {
    const { streams, seen, stop, run, watcher } = setUp(wireRoutes(5, [wireModel()], { addresses: ['a:1'] }));
    await watcher.load();
    expect(watcher.table?.revision).toBe(5);
    expect(seen.runtimes).toEqual([['a:1']]);
    const ended = run();
    await settle();
    expect(streams.opened[0]!.request).toBe(5);
    stop.abort();
    await ended;
  });

  it('reports a damaged file and waits for the registry', async () => {
    const { watcher, lines } = setUp(new Error('routes are damaged'));
    await watcher.load();
    expect(watcher.table).toBeUndefined();
    expect(lines.map((line) => line['msg'])).toEqual(['saved routes cannot be used; waiting for the registry']);
  });

  it('keeps the old routes of a model that it cannot read, and takes the others', async () => {
    const { streams, seen, lines, stop, run } = setUp();
    const ended = run();
    await settle();
    streams.send(wireRoutes(7, [wireModel({ release: 1, placed: [1] })]));
    const strange = wireModel({ release: 2, placed: [2] });
    strange.placed[0]!.signature!.inputs[0]!.datatype = 'FP4';
    streams.send(wireRoutes(8, [strange, wireModel({ model: 'wdbc', placed: [1] })], { snapshot: false }));
    await settle();
    const table = seen.tables.at(-1)!;
    expect(table.revision).toBe(8);
    expect(table.models.get('digits')!.placed.has(1)).toBe(true);
    expect(table.models.get('wdbc')!.placed.has(1)).toBe(true);
    expect(lines.some((line) => line['msg'] === 'routes of a model cannot be read')).toBe(true);
    stop.abort();
    await ended;
  });

  it('refuses a registry that is two protocol versions ahead, takes one that is one ahead', async () => {
    const { streams, seen, stop, run } = setUp();
    const ended = run();
    await settle();
    streams.send(wireRoutes(7, [wireModel()], { protocolVersion: 3 }));
    streams.send(wireRoutes(8, [wireModel()], { protocolVersion: 4 }));
    await settle();
    expect(seen.tables.map((table) => table.revision)).toEqual([7]);
    expect(seen.connections).toEqual([true, false]);
    stop.abort();
    await ended;
  });

  it('writes one state at a time, and the last one at the end', async () => {
    const { streams, seen, gate, stop, run } = setUp();
    gate.closed = true;
    const ended = run();
    await settle();
    for (const revision of [1, 2, 3]) streams.send(wireRoutes(revision, [wireModel()]));
    await settle();
    expect(seen.written.map((routes) => routes.resumeToken)).toEqual(['1']);
    gate.closed = false;
    gate.open();
    await settle();
    expect(seen.written.map((routes) => routes.resumeToken)).toEqual(['1', '3']);
    stop.abort();
    await ended;
  });

  it.each([
    { what: 'failure', fail: (streams: FedStreams<number, WireRoutes>) => streams.fail() },
    {
      what: 'message that it cannot take',
      fail: (streams: FedStreams<number, WireRoutes>) => streams.send(wireRoutes(8, [], { protocolVersion: 9 })),
    },
  ])('waits longer after every $what and warns once', async ({ fail }) => {
    const { clock, streams, lines, stop, run } = setUp();
    const ended = run();
    await settle();
    for (const ms of [100, 200, 300]) {
      fail(streams);
      await settle();
      clock.advance(ms);
      await settle();
    }
    expect(streams.opened).toHaveLength(4);
    expect(lines.filter((line) => line['severity'] === 'warn')).toHaveLength(1);
    stop.abort();
    await ended;
  });
});
