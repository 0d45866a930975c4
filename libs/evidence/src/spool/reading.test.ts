import { describe, expect, it } from 'vitest';
import type { StoredBlock } from './contract.ts';
import { SpoolRig, blockOf, folder, keyOf, put, quiet, readAll, textOf } from '../../test/spool-rig.ts';
import { turn } from '../../testing/simulated-files.ts';

const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, each) => String(from + each));

async function filled(count: number, rig = new SpoolRig()) {
  const spool = await rig.open();
  for (let each = 1; each <= count; each++) await put(spool, blockOf(each));
  return spool;
}

describe('a cursor', () => {
  it('C1 gives the blocks behind a position, in order, with their positions and times', async () => {
    const rig = new SpoolRig();
    const spool = await filled(9, rig);
    const [first] = await readAll(spool, 3);
    expect(first).toMatchObject({ position: 4, timeMs: rig.clock.now() });
    expect((await readAll(spool)).map(textOf)).toEqual(names(1, 9));
    expect((await readAll(spool, 5)).map(({ position }) => position)).toEqual([6, 7, 8, 9]);
    expect(await readAll(spool, 9)).toEqual([]);
  });

  it('C2 gives only what is synced, and waits for more', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    const cursor = spool.read(0);
    const given: StoredBlock[] = [];
    const reading = cursor.next().then((block) => given.push(block!));
    rig.files.isHeld = true;
    spool.append(blockOf(1), 1);
    spool.flush();
    do await rig.files.step();
    while (rig.files.trace.at(-1)!.kind !== 'write');
    await turn();
    expect(given).toEqual([]);
    await rig.files.run();
    await reading;
    expect(given.map(textOf)).toEqual(['1']);
  });

  it('C3 ends when it or the spool is closed, also while it waits', async () => {
    const spool = await filled(1);
    const [one, other] = [spool.read(1), spool.read(1)];
    const reading = [one.next(), other.next()];
    await turn();
    await one.close();
    expect(await reading[0]).toBe(undefined);
    await spool.close();
    expect(await reading[1]).toBe(undefined);
    expect(await spool.read(0).next()).toBe(undefined);
  });

  it('C3 leaves no file open when it is closed while a block is read, which is given all the same', async () => {
    const rig = new SpoolRig();
    const spool = await filled(3, rig);
    await quiet(spool);
    const opened = () => rig.files.trace.filter(({ kind }) => kind === 'open' || kind === 'create').length;
    const closed = () => rig.files.trace.filter(({ kind }) => kind === 'close').length;
    const before = opened() - closed();
    const cursor = spool.read(0);
    expect(textOf((await cursor.next())!)).toBe('1');
    const reading = cursor.next();
    const closing = cursor.close();
    expect(textOf((await reading)!)).toBe('2');
    await closing;
    expect(opened() - closed()).toBe(before);
    expect(await cursor.next()).toBe(undefined);
    expect(opened() - closed()).toBe(before);
  });

  it('C4 reads large blocks and many small ones in pieces, and only as fast as it is asked', async () => {
    const rig = new SpoolRig({ segmentBytes: 2 ** 20, maxBytes: 2 ** 23, bufferBytes: 2 ** 22 });
    const spool = await rig.open();
    const lengths = [300_000, 5, 262_144 - 44, 1, 400_000, 600_000];
    for (const [each, length] of lengths.entries()) await put(spool, Buffer.alloc(length, each));
    for (let each = 0; each < 5000; each++) spool.append(Buffer.alloc(100, each), 1);
    spool.flush();
    await quiet(spool);
    const reads = () => rig.files.trace.filter(({ kind }) => kind === 'read').length;
    const before = reads();
    const cursor = spool.read(0);
    expect((await cursor.next())!.block).toHaveLength(300_000);
    expect(reads() - before).toBeLessThanOrEqual(2);
    const blocks = await readAll(spool);
    expect(blocks.map(({ block }) => block.length)).toEqual([...lengths, ...Array.from({ length: 5000 }, () => 100)]);
    expect(
      blocks.every(({ block, position }) =>
        block.every((octet) => octet === ((position < 7 ? position - 1 : position - 7) & 255)),
      ),
    ).toBe(true);
    expect(reads() - before).toBeLessThan(30);
  });

  it('C5 goes on after a fault of the disk, with the block that it could not read', async () => {
    const rig = new SpoolRig();
    const spool = await filled(9, rig);
    const cursor = spool.read(0);
    for (const kind of ['open', 'read']) {
      rig.files.fault = (operation) => (operation.kind === kind ? 'EIO' : undefined);
      await expect(cursor.next()).rejects.toThrow('EIO');
    }
    rig.files.fault = () => undefined;
    expect(textOf((await cursor.next())!)).toBe('1');
  });

  it('C6 goes on behind a segment that is deleted under it', async () => {
    const rig = new SpoolRig();
    const spool = await filled(20, rig);
    const cursor = spool.read(0);
    expect(textOf((await cursor.next())!)).toBe('1');
    spool.acknowledge(12);
    await quiet(spool);
    expect(textOf((await cursor.next())!)).toBe('13');
  });
});

describe('acknowledging', () => {
  it('G1 deletes the segments of which all is acknowledged, keys first and for good', async () => {
    const rig = new SpoolRig();
    const spool = await filled(20, rig);
    const before = rig.files.trace.length;
    spool.acknowledge(11);
    await quiet(spool);
    expect(rig.segments[0]).toBe('0000000002.segment');
    spool.acknowledge(12);
    spool.acknowledge(3);
    await quiet(spool);
    expect(rig.segments[0]).toBe('0000000003.segment');
    const [key, sync, segment] = ['1.key', '/spool', '1.segment'].map((end) =>
      rig.files.trace.findIndex(({ path, kind }, at) => at >= before && path.endsWith(end) && kind !== 'close'),
    );
    expect(key! < sync! && sync! < segment!).toBe(true);
    expect(rig.files.trace[sync!]!.kind).toBe('syncFolder');
    rig.files.crash();
    expect((await readAll(await rig.open())).map(textOf)).toEqual(names(13, 20));
  });

  it('G2 of a part delivers the rest after a restart: what is behind the position that was kept within a second', async () => {
    const rig = new SpoolRig();
    const spool = await filled(20, rig);
    spool.acknowledge(14);
    rig.clock.advance(999);
    await quiet(spool);
    rig.clock.advance(1);
    await quiet(spool);
    spool.acknowledge(15);
    await quiet(spool);
    rig.files.kill();
    const again = await rig.open();
    expect(again.status.acknowledged).toBe(14);
    expect((await readAll(again, again.status.acknowledged)).map(textOf)).toEqual(names(15, 20));
    again.acknowledge(17);
    await again.close();
    const last = await rig.open();
    expect((await readAll(last, last.status.acknowledged)).map(textOf)).toEqual(names(18, 20));
  });

  it('G6 that is not kept delivers the segment again, and none before it: it was lost, or is damaged', async () => {
    const spoil: Record<string, (rig: SpoolRig) => Promise<void>> = {
      lost: async ({ files }) => files.crash(),
      damaged: async ({ files }) => {
        const path = `${folder}/acknowledged`;
        const file = await files.process().open(path);
        await file.write(Buffer.from([7]), 5);
        files.kill();
      },
      'of another length': async ({ files }) => {
        await (await files.process().open(`${folder}/acknowledged`)).truncate(12);
        files.kill();
      },
    };
    for (const [what, how] of Object.entries(spoil)) {
      const rig = new SpoolRig();
      const spool = await filled(20, rig);
      spool.acknowledge(15);
      await quiet(spool);
      rig.clock.advance(1000);
      await quiet(spool);
      await how(rig);
      const again = await rig.open();
      expect([what, again.status.acknowledged]).toEqual([what, 0]);
      expect((await readAll(again)).map(textOf)).toEqual(names(13, 20));
      expect(rig.told).toEqual([]);
    }
  });

  it('G6 is not kept where the disk was full at the start, and needs no room later', async () => {
    const rig = new SpoolRig();
    await put(await rig.open(), blockOf(1), blockOf(2));
    rig.files.kill();
    await rig.files.process().remove(`${folder}/acknowledged`);
    rig.files.disk.capacity = rig.files.disk.bytes;
    const full = await rig.open();
    full.acknowledge(1);
    await full.close();
    rig.files.disk.capacity = Infinity;
    const again = await rig.open();
    expect(again.status).toMatchObject({ acknowledged: 0, bytes: rig.files.disk.bytes });
    rig.files.disk.capacity = rig.files.disk.bytes;
    again.acknowledge(1);
    await again.close();
    expect((await rig.open()).status.acknowledged).toBe(1);
  });

  it('G6 that is kept is never given to other blocks, whatever became of its segment', async () => {
    const rig = new SpoolRig();
    const spool = await filled(20, rig);
    spool.acknowledge(20);
    await spool.close();
    for (const path of rig.files.disk.paths.filter((each) => /segment|key/.test(each)))
      await rig.files.process().remove(path);
    const again = await rig.open();
    expect(await put(again, blockOf(21))).toEqual([21]);
    expect((await readAll(again, again.status.acknowledged)).map(textOf)).toEqual(['21']);
  });

  it('G3 of all empties the folder once the segment is ended: by its age, or when it is told to', async () => {
    const rig = new SpoolRig({ segmentMs: 5000 });
    const spool = await filled(2, rig);
    spool.acknowledge(2);
    await quiet(spool);
    rig.clock.advance(4999);
    await quiet(spool);
    expect(rig.segments).toContain('0000000001.segment');
    expect(spool.oldestMs).toBeDefined();
    rig.clock.advance(1);
    await quiet(spool);
    // One that takes blocks, and a spare one.
    expect(rig.segments).toEqual(['0000000002.segment', '0000000003.segment']);
    expect(spool.status).toMatchObject({ oldestMs: undefined, segments: 1 });
    await put(spool, blockOf(3));
    spool.acknowledge(3);
    spool.seal();
    await quiet(spool);
    expect([rig.segments[0], spool.oldestMs]).toEqual(['0000000003.segment', undefined]);
    // An empty one is not ended again and again.
    spool.seal();
    rig.clock.advance(20_000);
    await quiet(spool);
    expect(rig.segments[0]).toBe('0000000003.segment');
  });

  it('G4 is tried again where the disk refuses it', async () => {
    const rig = new SpoolRig();
    const spool = await filled(20, rig);
    rig.files.fault = ({ kind }) => (kind === 'remove' ? 'EIO' : undefined);
    spool.acknowledge(12);
    await quiet(spool);
    rig.clock.advance(1000);
    await quiet(spool);
    expect(rig.told).toEqual(['upkeep-failed']);
    expect(rig.segments).toContain('0000000001.segment');
    // They are not read any more, whatever becomes of their files.
    expect((await readAll(spool)).map(textOf)).toEqual(names(13, 20));
    rig.files.fault = () => undefined;
    rig.clock.advance(1000);
    await quiet(spool);
    expect(rig.segments[0]).toBe('0000000003.segment');
  });

  it('G5 makes room again', async () => {
    const rig = new SpoolRig({ maxBytes: 4096 });
    const spool = await rig.open();
    let count = 0;
    while (spool.append(blockOf(count), 1) !== undefined) {
      count++;
      spool.flush();
      await quiet(spool);
    }
    expect(spool.keepProbability()).toBe(0.01);
    spool.acknowledge(count);
    await quiet(spool);
    expect(spool.keepProbability()).toBe(1);
    expect(spool.append(blockOf(count), 1)).toBe(count + 1);
    expect(rig.told).toEqual([]);
  });
});

describe('an order to drop what is old', () => {
  it('X1 deletes the segments that have blocks from before it, delivered or not, and nothing that came later', async () => {
    const rig = new SpoolRig();
    const spool = await filled(8, rig);
    rig.clock.advance(10);
    const time = rig.clock.now();
    expect(spool.oldestMs).toBe(time - 10);
    const dropping = spool.dropOlderThan(time);
    expect(spool.append(blockOf(9), 1)).toBe(9);
    await dropping;
    expect(spool.oldestMs).toBe(time);
    expect(spool.status.lostBlocks).toBe(8);
    spool.flush();
    await quiet(spool);
    expect((await readAll(spool)).map(textOf)).toEqual(['9']);
    rig.files.crash();
    expect((await readAll(await rig.open())).map(textOf)).toEqual(['9']);
  });

  it('X2 ends only when the keys are gone for good', async () => {
    const rig = new SpoolRig();
    const spool = await filled(8, rig);
    rig.clock.advance(10);
    rig.files.fault = ({ kind, path }) =>
      kind === 'syncFolder' || (kind === 'remove' && path.endsWith('2.key')) ? 'EIO' : undefined;
    let isDone = false;
    void spool.dropOlderThan(rig.clock.now()).then(() => (isDone = true));
    await quiet(spool);
    rig.clock.advance(1000);
    await quiet(spool);
    expect(isDone).toBe(false);
    rig.files.fault = () => undefined;
    rig.clock.advance(1000);
    await quiet(spool);
    expect(isDone).toBe(true);
    rig.files.crash();
    expect(await readAll(await rig.open())).toEqual([]);
  });

  it('X3 holds for what was set aside, readable or not', async () => {
    const rig = new SpoolRig();
    await (await filled(8, rig)).close();
    rig.options = { ...rig.options, key: keyOf('two', 2) };
    rig.clock.advance(10);
    const spool = await rig.open();
    expect(spool.oldestMs).toBe(rig.clock.now() - 10);
    await put(spool, blockOf(9));
    await spool.dropOlderThan(rig.clock.now());
    expect(rig.paths.filter((path) => path.startsWith('set-aside') && path.endsWith('.key'))).toEqual([]);
    expect((await readAll(spool)).map(textOf)).toEqual(['9']);
  });

  it('X4 of what is not there ends at once, and one that a closed spool cannot end fails', async () => {
    const rig = new SpoolRig();
    const spool = await filled(2, rig);
    await spool.dropOlderThan(rig.clock.now());
    expect((await readAll(spool)).map(textOf)).toEqual(names(1, 2));
    rig.clock.advance(1);
    rig.files.fault = ({ kind }) => (kind === 'create' ? 'ENOSPC' : undefined);
    const dropping = spool.dropOlderThan(rig.clock.now());
    const failing = expect(dropping).rejects.toThrow('the spool was closed');
    await spool.close();
    await failing;
  });

  it('X6 holds where what it is for has to be written again, and keeps what came later apart from it', async () => {
    const rig = new SpoolRig();
    const spool = await filled(1, rig);
    rig.files.isHeld = true;
    spool.append(blockOf(2), 1);
    spool.flush();
    await turn();
    rig.clock.advance(1);
    const dropping = spool.dropOlderThan(rig.clock.now());
    spool.append(blockOf(3), 1);
    let isSynced = false;
    spool.synced(3, (error) => (isSynced = error === undefined));
    let isFirst = true;
    rig.files.fault = ({ kind }) => {
      if (kind !== 'write' || !isFirst) return undefined;
      isFirst = false;
      return 'EIO';
    };
    await rig.files.run();
    for (let each = 0; each < 3; each++) {
      await quiet(spool);
      rig.clock.advance(1000);
    }
    await dropping;
    expect([rig.told[0], isSynced]).toEqual(['write-failed', true]);
    expect((await readAll(spool)).map(textOf)).toEqual(['3']);
    rig.files.crash();
    expect((await readAll(await rig.open())).map(textOf)).toEqual(['3']);
  });

  it('X5 reaches what a clock that went back has dated, and no later block for it', async () => {
    const rig = new SpoolRig();
    const now = rig.clock.now();
    let back = 0;
    const clock = {
      now: () => rig.clock.now() - back,
      monotonic: () => 0,
      schedule: () => ({ cancel: () => undefined }),
    };
    const { openSpool } = await import('./spool.ts');
    const spool = await openSpool(rig.options, { ...rig.ports, clock });
    await put(spool, blockOf(1));
    back = 1000;
    await put(spool, blockOf(2));
    expect(spool.oldestMs).toBe(now - 1000);
    await spool.dropOlderThan(now - 500);
    await put(spool, blockOf(3));
    expect((await readAll(spool)).map(textOf)).toEqual(['3']);
  });
});
