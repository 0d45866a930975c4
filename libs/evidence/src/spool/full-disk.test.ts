import { describe, expect, it } from 'vitest';
import { SpoolRig, blockOf, put, quiet, readAll, textOf } from '../../test/spool-rig.ts';
import type { Operation } from '../../testing/simulated-files.ts';
import type { Spool } from './spool.ts';

/** What a router does: best-effort blocks all the time, and durable ones whose model runs only where there is room. */
class Load {
  readonly spool: Spool;
  /** Names of blocks by what became of them. */
  readonly answered: string[] = [];
  readonly failed: string[] = [];
  refused = 0;
  /** Best-effort blocks that had no room. */
  dropped = 0;
  #number = 0;

  constructor(spool: Spool) {
    this.spool = spool;
  }

  one(): void {
    if (this.spool.append(blockOf(++this.#number, 60), 3) === undefined) this.dropped++;
    const reservation = this.spool.reserve(60);
    if (!reservation) {
      this.refused++;
      return;
    }
    const name = String(++this.#number);
    this.spool.synced(reservation.append(blockOf(this.#number, 60), 1)!, (error) => {
      if (error) this.failed.push(`${name}: ${error.kind}`);
      else this.answered.push(name);
    });
  }

  async some(count: number): Promise<void> {
    for (let each = 0; each < count; each++) {
      this.one();
      await quiet(this.spool);
    }
  }
}

async function loaded(rig: SpoolRig): Promise<Load> {
  const load = new Load(await rig.open());
  await load.some(2);
  return load;
}

describe('a full disk', () => {
  it('F1 refuses durable blocks before they are made, and fails none that had room', async () => {
    const rig = new SpoolRig();
    const load = await loaded(rig);
    rig.files.disk.capacity = rig.files.disk.bytes;
    await load.some(30);
    expect(load.failed).toEqual([]);
    expect(load.refused).toBeGreaterThan(20);
    expect(rig.told).toEqual(['disk-failed']);
    expect(load.spool.status.diskFailed).toBe(true);
  });

  it('F2 drops best-effort blocks and counts them and their records, and the keep-probability falls', async () => {
    const rig = new SpoolRig();
    const load = await loaded(rig);
    expect(load.spool.keepProbability()).toBe(1);
    rig.files.disk.capacity = rig.files.disk.bytes;
    await load.some(30);
    const { droppedBlocks, droppedRecords, keepProbability } = load.spool.status;
    expect(droppedBlocks).toBeGreaterThan(20);
    expect([droppedRecords, keepProbability]).toEqual([3 * droppedBlocks, 0.01]);
  });

  it('F3 is looked at again every retryMs, however many ask, and all goes on by itself', async () => {
    const rig = new SpoolRig({ retryMs: 500 });
    const load = await loaded(rig);
    rig.files.disk.capacity = rig.files.disk.bytes;
    await load.some(30);
    const attempts = () =>
      rig.files.trace.filter(({ kind, path }) => kind === 'create' && path.endsWith('.key')).length;
    const before = attempts();
    await load.some(5);
    rig.clock.advance(499);
    await load.some(5);
    expect(attempts()).toBe(before);
    rig.clock.advance(1);
    await quiet(load.spool);
    expect(attempts()).toBe(before + 1);
    rig.files.disk.capacity = Infinity;
    rig.clock.advance(500);
    await quiet(load.spool);
    const answered = load.answered.length;
    await load.some(3);
    expect(load.answered).toHaveLength(answered + 3);
    expect(load.spool.keepProbability()).toBe(1);
    expect(rig.told).toEqual(['disk-failed', 'disk-recovered']);
  });

  it('F4 leaves nothing half made, which would keep the room that there is too little of', async () => {
    const rig = new SpoolRig();
    const load = await loaded(rig);
    const before = rig.paths;
    rig.files.disk.capacity = rig.files.disk.bytes + 700;
    await load.some(10);
    expect(rig.paths).toEqual(before);
    expect(load.spool.status.bytes).toBe(rig.files.disk.bytes);
  });

  it('F5 does not keep a spool from opening: it delivers what it has', async () => {
    const rig = new SpoolRig();
    await put(await rig.open(), blockOf(1));
    rig.files.crash();
    rig.files.disk.capacity = 0;
    const spool = await rig.open();
    expect((await readAll(spool)).map(textOf)).toEqual(['1']);
    expect([spool.reserve(1), spool.append(blockOf(2), 1)]).toEqual([undefined, undefined]);
    expect(rig.told).toEqual(['disk-failed']);
  });
});

describe('a write or a sync that fails', () => {
  it('F6 is never taken for one that did not: its blocks go into another segment before anybody is told', async () => {
    for (const kind of ['write', 'sync']) {
      const rig = new SpoolRig();
      const load = await loaded(rig);
      // There is a spare segment, as there is whenever the first one is half full.
      while (load.spool.status.bytes < 2048) await load.some(1);
      const answered = load.answered.length;
      let isFirst = true;
      rig.files.fault = (operation) => {
        if (operation.kind !== kind || !isFirst) return undefined;
        isFirst = false;
        return 'EIO';
      };
      load.one();
      await quiet(load.spool);
      expect(rig.events).toMatchObject([{ kind: 'write-failed', segment: '0000000001.segment', blocks: 2 }]);
      expect(load.answered).toHaveLength(answered + 1);
      const all = Array.from({ length: load.spool.status.position }, (_, each) => each + 1);
      rig.files.crash();
      expect((await readAll(await rig.open())).map(({ position }) => position)).toEqual(all);
    }
  });

  it('F7 without room for another segment refuses those who wait, and keeps their blocks until there is', async () => {
    const rig = new SpoolRig();
    const load = await loaded(rig);
    rig.files.fault = ({ kind }) => (kind === 'write' ? 'ENOSPC' : undefined);
    load.one();
    await quiet(load.spool);
    expect(load.failed).toEqual(['6: resource-exhausted']);
    expect(load.spool.status.bufferedBytes).toBe(208);
    // The next ones are refused before.
    await load.some(2);
    expect([load.failed.length, load.refused]).toEqual([1, 2]);
    load.spool.synced(6, (error) => load.failed.push(error!.kind));
    expect(load.failed.at(-1)).toBe('resource-exhausted');
    rig.files.fault = () => undefined;
    rig.clock.advance(1000);
    await quiet(load.spool);
    expect(load.spool.status).toMatchObject({ bufferedBytes: 0, synced: 6 });
    expect((await readAll(load.spool)).map(textOf)).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it(
    'F8 that comes at any point, ENOSPC or EIO, once or for a while, is survived without a loss',
    { timeout: 60_000 },
    async () => {
      const wholeRun = new SpoolRig();
      await (await loaded(wholeRun)).some(14);
      const { operations } = wholeRun.files;
      expect(operations).toBeGreaterThan(60);
      for (const [code, length] of [
        ['ENOSPC', 1],
        ['ENOSPC', 6],
        ['EIO', 6],
      ] as const) {
        const sum = { failed: 0, dropped: 0 };
        for (let at = 1; at <= operations; at++) {
          const isHit = ({ number }: Operation) => number >= at && number < at + length;
          const { failed, dropped } = await survives((operation) => (isHit(operation) ? code : undefined), code);
          sum.failed += failed.length;
          sum.dropped += dropped;
        }
        expect(sum.dropped).toBeGreaterThan(0);
        // One that comes once fails no durable block that had room: there is another segment for it.
        if (length === 1) expect(sum.failed).toBe(0);
        else expect(sum.failed).toBeGreaterThan(0);
      }
    },
  );

  it('F10 keeps the order where there are several spare segments', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    await put(spool, blockOf(1));
    const reservations = [];
    for (let each = 0; each < 12; each++) {
      const reservation = spool.reserve(100);
      if (reservation) reservations.push(reservation);
      await quiet(spool);
    }
    for (const each of reservations) each.release();
    let failures = 1;
    rig.files.fault = ({ kind }) => (kind === 'write' && failures-- > 0 ? 'EIO' : undefined);
    for (let each = 2; each <= 15; each++) expect(spool.append(blockOf(each), 1)).toBe(each);
    spool.flush();
    await quiet(spool);
    expect(rig.told).toEqual(['write-failed']);
    expect((await readAll(spool)).map(textOf)).toEqual(Array.from({ length: 15 }, (_, each) => String(each + 1)));
  });

  it('F10 that comes again, with more to write than one segment takes, loses nothing and keeps the order', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    await put(spool, blockOf(1));
    rig.files.fault = ({ kind }) => (kind === 'write' || kind === 'create' ? 'EIO' : undefined);
    for (let each = 2; each <= 12; each++) expect(spool.append(blockOf(each), 1)).toBe(each);
    let refusals = 0;
    spool.synced(12, (error) => (refusals += error?.kind === 'unavailable' ? 1 : 0));
    await quiet(spool);
    expect(rig.told.filter((kind) => kind === 'write-failed')).toHaveLength(2);
    expect([refusals, spool.status.synced]).toEqual([1, 1]);
    rig.files.fault = () => undefined;
    for (let each = 0; each < 3; each++) {
      rig.clock.advance(1000);
      await quiet(spool);
    }
    expect(spool.status).toMatchObject({ synced: 12, bufferedBytes: 0 });
    rig.files.crash();
    const read = (await readAll(await rig.open())).map(textOf);
    expect(read).toEqual(Array.from({ length: 12 }, (_, each) => String(each + 1)));
  });

  it('F11 in a spool that has reached its bound refuses those who wait, and goes on when something is acknowledged', async () => {
    const rig = new SpoolRig({ maxBytes: 4096 });
    const spool = await rig.open();
    let count = 0;
    while (rig.files.disk.bytes < 3000 || spool.reserve(600) !== undefined) {
      await put(spool, blockOf(++count));
      if (count > 40) throw new Error('it has no bound');
    }
    rig.files.fault = ({ kind }) => (kind === 'sync' ? 'EIO' : undefined);
    const position = spool.append(blockOf(++count), 1)!;
    const refusals: (string | undefined)[] = [];
    spool.synced(position, (error) => refusals.push(error?.kind));
    await quiet(spool);
    rig.files.fault = () => undefined;
    rig.clock.advance(1000);
    await quiet(spool);
    expect(refusals).toEqual(['resource-exhausted']);
    spool.acknowledge(position - 1);
    await quiet(spool);
    expect(spool.status).toMatchObject({ synced: position, bufferedBytes: 0 });
    expect((await readAll(spool, position - 1)).map(textOf)).toEqual([String(count)]);
  });

  it('F9 of a reservation that was given is made good as soon as there is room', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    const reservation = spool.reserve(300)!;
    rig.files.fault = ({ kind }) => (kind === 'write' ? 'EIO' : undefined);
    spool.append(blockOf(1), 1);
    spool.flush();
    await quiet(spool);
    const position = reservation.append(blockOf(2, 300), 1);
    expect(position).toBe(2);
    rig.files.fault = () => undefined;
    rig.clock.advance(1000);
    await quiet(spool);
    expect((await readAll(spool)).map(textOf)).toEqual(['1', '2']);
  });
});

const kinds = { ENOSPC: 'resource-exhausted', EIO: 'unavailable' } as const;

/** @param code of all that the fault says: who is refused is told its kind */
async function survives(
  fault: (operation: Operation) => string | undefined,
  code: keyof typeof kinds,
): Promise<Pick<Load, 'failed' | 'dropped'>> {
  const rig = new SpoolRig();
  rig.files.fault = fault;
  let load: Load | undefined;
  for (let start = 0; load === undefined; start++) {
    expect(start).toBeLessThan(10);
    load = await loaded(rig).catch((error: unknown) => {
      expect((error as { kind?: string }).kind).toBe(kinds[code]);
      return undefined;
    });
  }
  await load.some(14);
  rig.files.fault = () => undefined;
  for (let each = 0; each < 3; each++) {
    rig.clock.advance(1000);
    await quiet(load.spool);
  }
  // By itself it works again: all is on disk, and more goes there.
  const answered = load.answered.length;
  await load.some(1);
  expect(load.answered).toHaveLength(answered + 1);
  expect(load.spool.status).toMatchObject({ diskFailed: false, bufferedBytes: 0 });
  for (const each of load.failed) expect(each).toContain(`: ${kinds[code]}`);
  // Each had three records.
  expect(load.spool.status.droppedRecords).toBe(3 * load.dropped);
  rig.files.crash();
  const read = new Set((await readAll(await rig.open())).map(textOf));
  for (const name of load.answered) expect(read).toContain(name);
  return load;
}
