import { describe, expect, it } from 'vitest';
import type { Reservation } from './contract.ts';
import { SpoolRig, blockOf, put, quiet, readAll, textOf } from '../../test/spool-rig.ts';
import { turn } from '../../testing/simulated-files.ts';

describe('appending', () => {
  it('A5 gives positions that ascend by one, over restarts and emptied folders too', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    expect(await put(spool, blockOf(1), blockOf(2))).toEqual([1, 2]);
    await spool.close();
    const again = await rig.open();
    expect(again.spoolId).toBe(spool.spoolId);
    expect(await put(again, blockOf(3))).toEqual([3]);
    again.acknowledge(3);
    again.seal();
    await quiet(again);
    expect((await readAll(again)).length).toBe(0);
    rig.files.crash();
    const last = await rig.open();
    expect(await put(last, blockOf(4))).toEqual([4]);
    expect((await readAll(last)).map(textOf)).toEqual(['4']);
  });

  it('A6 copies the block: its memory is the caller’s again at once', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    const block = blockOf(1);
    spool.append(block, 1);
    block.fill(0);
    spool.flush();
    await quiet(spool);
    expect((await readAll(spool)).map(textOf)).toEqual(['1']);
  });

  it('A7 refuses no block, one that no segment has room for, and a position that there is not', async () => {
    const spool = await new SpoolRig().open();
    expect(() => spool.append(Buffer.alloc(0), 1)).toThrow('a block must have at least one byte');
    expect(() => spool.reserve(0)).toThrow('a block must have 1 to 936 bytes');
    expect(() => spool.reserve(937)).toThrow('not 937');
    expect(spool.append(Buffer.alloc(937), 3)).toBe(undefined);
    expect(spool.status).toMatchObject({ droppedBlocks: 1, droppedRecords: 3 });
    expect(spool.append(Buffer.alloc(936), 1)).toBe(1);
    expect(() => spool.synced(2, () => undefined)).toThrow('there is no position 2 yet: the last one is 1');
    expect(() => spool.acknowledge(1)).toThrow('position 1 is not on disk');
  });

  it('A8 drops and counts what comes faster than the disk takes it', async () => {
    const rig = new SpoolRig({ segmentBytes: 8192, maxBytes: 65_536, bufferBytes: 44 + 3 * 144, flushBytes: 10_000 });
    const spool = await rig.open();
    rig.files.isHeld = true;
    expect([1, 2, 3, 4, 5].map((each) => spool.append(blockOf(each), 2))).toEqual([1, 2, 3, undefined, undefined]);
    expect(spool.status).toMatchObject({ droppedBlocks: 2, droppedRecords: 4, bufferedBytes: 476 });
    spool.flush();
    await rig.files.run();
    await quiet(spool);
    expect(await put(spool, blockOf(6))).toEqual([4]);
    expect((await readAll(spool)).map(textOf)).toEqual(['1', '2', '3', '6']);
  });

  it('A9 of best-effort blocks is synced when their time or their bytes are reached, without anybody asking', async () => {
    const rig = new SpoolRig({ segmentBytes: 8192, maxBytes: 65_536, flushMs: 100, flushBytes: 1000 });
    const spool = await rig.open();
    spool.append(blockOf(1), 1);
    rig.clock.advance(50);
    spool.append(blockOf(2), 1);
    rig.clock.advance(49);
    await quiet(spool);
    expect(spool.status.synced).toBe(0);
    rig.clock.advance(1);
    await quiet(spool);
    expect(spool.status.synced).toBe(2);
    for (let each = 3; each < 9; each++) spool.append(blockOf(each), 1);
    await quiet(spool);
    expect(spool.status.synced).toBe(2);
    spool.append(blockOf(9), 1);
    await quiet(spool);
    expect(spool.status).toMatchObject({ synced: 9, position: 9 });
    const soon = await new SpoolRig({ flushMs: 0 }).open();
    soon.append(blockOf(1), 1);
    await quiet(soon);
    expect(soon.status.synced).toBe(1);
  });
});

describe('durable blocks', () => {
  it('D1 are answered after the sync that follows their write, and the trace shows it', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    rig.files.isHeld = true;
    const position = spool.reserve(100)!.append(blockOf(1), 1)!;
    let answers = 0;
    spool.synced(position, (error) => {
      expect(error).toBe(undefined);
      answers++;
    });
    await turn();
    const before = rig.files.trace.length;
    while (answers === 0) await rig.files.step();
    const seen = rig.files.trace.slice(before);
    const written = seen.filter(({ path }) => path.endsWith('0000000001.segment'));
    expect(written.map(({ kind }) => kind)).toEqual(['write', 'sync']);
    expect(seen.at(-1)).toBe(written[1]);
    // And it is true: not a byte that was not synced is left.
    rig.files.crash();
    expect((await readAll(await rig.open())).map(textOf)).toEqual(['1']);
  });

  it('D2 share a sync: one is under way, and all that came meanwhile go with the next', async () => {
    const rig = new SpoolRig({ segmentBytes: 16_384, maxBytes: 65_536 });
    const spool = await rig.open();
    const syncs = () =>
      rig.files.trace.filter(({ kind, path }) => kind === 'sync' && path.endsWith('1.segment')).length;
    const before = syncs();
    rig.files.isHeld = true;
    const answers: number[] = [];
    const add = (number: number) => {
      const position = spool.reserve(100)!.append(blockOf(number), 1)!;
      spool.synced(position, () => answers.push(number));
    };
    add(1);
    add(2);
    await turn();
    while (rig.files.trace.at(-1)!.kind !== 'write') await rig.files.step();
    for (let each = 3; each < 60; each++) add(each);
    while (answers.length === 0) await rig.files.step();
    expect(answers).toEqual([1, 2]);
    for (let each = 0; each < 20 && answers.length < 59; each++) await rig.files.step();
    expect(answers).toHaveLength(59);
    expect(syncs() - before).toBe(2);
  });

  it('D3 that are on disk already are answered at once', async () => {
    const spool = await new SpoolRig().open();
    await put(spool, blockOf(1));
    const operations: string[] = [];
    spool.synced(1, () => operations.push('answered'));
    expect(operations).toEqual(['answered']);
  });

  it('D4 have the room that was reserved, whatever best-effort blocks want', async () => {
    const rig = new SpoolRig({ maxBytes: 4096 });
    const spool = await rig.open();
    const reservation = spool.reserve(300)!;
    for (let each = 0; each < 60; each++) {
      spool.append(blockOf(each), 1);
      spool.flush();
      await quiet(spool);
    }
    expect(spool.status.droppedBlocks).toBeGreaterThan(30);
    expect(spool.reserve(800)).toBe(undefined);
    const position = reservation.append(blockOf(99, 300), 1)!;
    let isSynced = false;
    spool.synced(position, (error) => (isSynced = error === undefined));
    await quiet(spool);
    expect(isSynced).toBe(true);
    expect(spool.status.reservedBytes).toBe(0);
  });

  it('D8 have room in as many segments as the bound lets there be, on disk before they are let in', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    const reservations: Reservation[] = [];
    for (let refused = 0; refused < 2;) {
      const reservation = spool.reserve(60);
      if (reservation) reservations.push(reservation);
      else refused++;
      await quiet(spool);
    }
    const { bytes, maxBytes } = spool.status;
    expect(reservations.length).toBeGreaterThan(100);
    expect(bytes).toBeGreaterThan(maxBytes - 1200);
    // Now the disk takes nothing more, and best-effort blocks want what is left.
    rig.files.disk.capacity = rig.files.disk.bytes;
    const answers: unknown[] = [];
    let bestEffort = 0;
    for (const [each, reservation] of reservations.entries()) {
      if (spool.append(blockOf(1000 + each, 10), 1) !== undefined) bestEffort++;
      spool.synced(reservation.append(blockOf(each, 60), 1)!, (error) => answers.push(error));
      if (each % 7 === 0) await quiet(spool);
    }
    await quiet(spool);
    expect(answers).toEqual(reservations.map(() => undefined));
    expect(bestEffort).toBeGreaterThanOrEqual(2);
    expect(await readAll(spool)).toHaveLength(reservations.length + bestEffort);
    expect(rig.told.filter((kind) => kind !== 'disk-failed')).toEqual([]);
  });

  it('D5 give their room back when there is nothing to write, once', async () => {
    const spool = await new SpoolRig().open();
    const reservation = spool.reserve(900)!;
    expect(spool.reserve(100)).toBe(undefined);
    reservation.release();
    reservation.release();
    expect(spool.status.reservedBytes).toBe(0);
    expect(() => reservation.append(blockOf(1), 1)).toThrow('a reservation holds one block');
    const next = spool.reserve(900)!;
    next.append(blockOf(1), 1);
    next.release();
    expect(spool.status.reservedBytes).toBe(0);
  });

  it('D6 that are larger than what was reserved are taken where there is room, else dropped and counted', async () => {
    const spool = await new SpoolRig({ maxBytes: 4096 }).open();
    expect(spool.reserve(10)!.append(blockOf(1, 500), 1)).toBe(1);
    const [small, other] = [spool.reserve(10)!, spool.reserve(200)!];
    expect(small.append(blockOf(2, 500), 5)).toBe(undefined);
    expect(spool.status).toMatchObject({ droppedBlocks: 1, droppedRecords: 5 });
    expect(other.append(blockOf(3, 200), 1)).toBe(2);
  });

  it('D9 share the room that was reserved for each, and both reservations are kept where one block has none', async () => {
    const rig = new SpoolRig({ maxBytes: 4096 });
    const spool = await rig.open();
    const [one, other, third] = [spool.reserve(200)!, spool.reserve(300)!, spool.reserve(100)!];
    // Of 244 and 344 bytes with their frames.
    expect([one.join(other, 545), spool.status.reservedBytes]).toEqual([false, 732]);
    expect([one.join(other, 400), spool.status.reservedBytes]).toEqual([true, 588]);
    expect(() => other.append(blockOf(1), 1)).toThrow('a reservation holds one block');
    expect(() => one.join(one, 10)).toThrow('only two reservations that hold room can be joined');
    expect(() => one.join(other, 10)).toThrow('only two reservations');
    other.release();
    expect(spool.status.reservedBytes).toBe(588);
    rig.files.disk.capacity = rig.files.disk.bytes;
    for (let each = 0; each < 20; each++) spool.append(blockOf(each, 80), 1);
    const position = one.append(blockOf(99, 400), 2)!;
    let isSynced = false;
    spool.synced(position, (error) => (isSynced = error === undefined));
    await quiet(spool);
    expect([isSynced, spool.status.reservedBytes]).toEqual([true, 144]);
    third.release();
    expect(spool.status.reservedBytes).toBe(0);
    // A larger one than any segment has room for.
    await spool.close();
    const wide = await new SpoolRig({ maxBytes: 16_384 }).open();
    const half = wide.reserve(480)!;
    expect(wide.reserve(480)).toBe(undefined);
    await quiet(wide);
    const otherHalf = wide.reserve(480)!;
    expect([half.join(otherHalf, 937), half.join(otherHalf, 936)]).toEqual([false, true]);
  });

  it('D7 whose callback throws do not stop the others', async () => {
    const thrown: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => thrown.push(error));
    const spool = await new SpoolRig().open();
    spool.append(blockOf(1), 1);
    const answers: string[] = [];
    spool.synced(1, () => {
      throw new Error('a defect');
    });
    spool.synced(1, () => answers.push('second'));
    await quiet(spool);
    for (const listener of before) process.on('uncaughtException', listener);
    expect([answers, thrown.map(String)]).toEqual([['second'], ['Error: a defect']]);
  });
});
