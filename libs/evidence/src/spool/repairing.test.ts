import { describe, expect, it } from 'vitest';
import { SpoolRig, blockOf, folder, keyOf, put, quiet, readAll, textOf } from '../../test/spool-rig.ts';
import { setAsideName } from './names.ts';

const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, each) => String(from + each));

/** A spool with `count` blocks of 100 bytes, six to a segment; the process has ended. */
async function filled(count: number, rig = new SpoolRig()): Promise<SpoolRig> {
  const spool = await rig.open();
  for (let each = 1; each <= count; each++) await put(spool, blockOf(each));
  rig.files.kill();
  return rig;
}

const damage = (rig: SpoolRig, path: string, change: (bytes: Buffer) => void) =>
  rig.files.disk.find(`${folder}/${path}`).damage(change);

describe('a start', () => {
  it('R1 finds all that was synced after a loss of power, and not what was not', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    await put(spool, blockOf(1), blockOf(2));
    spool.append(blockOf(3), 1);
    rig.files.crash();
    const again = await rig.open();
    expect((await readAll(again)).map(textOf)).toEqual(['1', '2']);
    expect(rig.told).toEqual([]);
    expect(await put(again, blockOf(4))).toEqual([3]);
    expect((await readAll(again)).map(textOf)).toEqual(['1', '2', '4']);
  });

  it('R2 cuts off a torn end, and says how much', async () => {
    for (const kept of [0.01, 0.2, 0.49]) {
      const rig = new SpoolRig();
      const spool = await rig.open();
      await put(spool, blockOf(1));
      rig.files.isHeld = true;
      spool.append(blockOf(2), 1);
      spool.flush();
      await quiet(spool);
      await rig.files.step();
      rig.files.crash({ random: () => kept });
      const again = await rig.open();
      expect(rig.events).toEqual([{ kind: 'torn', segment: '0000000001.segment', bytes: Math.floor(kept * 144) }]);
      expect((await readAll(again)).map(textOf)).toEqual(['1']);
      expect(await put(again, blockOf(3))).toEqual([2]);
      expect((await readAll(again)).map(textOf)).toEqual(['1', '3']);
    }
  });

  it('R3 never writes on a segment of a former process, and writes again what that one may not have synced', async () => {
    const rig = await filled(2);
    const { trace } = rig.files;
    const before = trace.length;
    const spool = await rig.open();
    const found = trace.slice(before).filter(({ path }) => path.endsWith('0000000001.segment'));
    expect(found.map(({ kind }) => kind)).toEqual([
      'open',
      'read',
      'close',
      'open',
      'truncate',
      'write',
      'sync',
      'close',
    ]);
    await put(spool, blockOf(3));
    expect(trace.filter(({ path }) => path.endsWith('0000000001.segment')).at(-1)!.kind).toBe('close');
    // Also where the sync of the former process had failed, after which the file reads as if it were whole.
    const failing = new SpoolRig();
    const first = await failing.open();
    await put(first, blockOf(1));
    failing.files.fault = ({ kind }) => (kind === 'sync' || kind === 'create' ? 'EIO' : undefined);
    first.append(blockOf(2), 1);
    first.flush();
    await quiet(first);
    failing.files.fault = () => undefined;
    failing.files.kill();
    const delivered = (await readAll(await failing.open())).map(textOf);
    expect(delivered).toEqual(['1', '2']);
    failing.files.crash();
    expect((await readAll(await failing.open())).map(textOf)).toEqual(delivered);
  });

  it('R4 deletes what was made ahead and never used, and what a crash left half made or half deleted', async () => {
    for (let stop = 1; stop < 60; stop++) {
      const rig = new SpoolRig();
      const spool = await rig.open();
      await put(spool, ...names(1, 4).map((name) => blockOf(Number(name))));
      rig.files.isHeld = true;
      spool.seal();
      for (let each = 5; each < 12; each++) spool.append(blockOf(each), 1);
      spool.acknowledge(4);
      spool.flush();
      await quiet(spool);
      await rig.files.step(stop);
      const numbers = [0.999, 0.5, 0.3];
      rig.files.crash(stop % 2 === 0 ? {} : { random: () => (numbers.push(numbers.shift()!), numbers[0]!) });
      const again = await rig.open();
      await quiet(again);
      const read = (await readAll(again)).map(textOf);
      expect(read).toEqual(read.length === 0 ? [] : names(Number(read[0]), Number(read.at(-1))));
      const stems = (ending: string) =>
        rig.paths.filter((path) => path.endsWith(ending)).map((path) => path.slice(0, -ending.length));
      expect(stems('.key')).toEqual(stems('.segment'));
      expect(again.status.bytes).toBe(rig.files.disk.bytes);
      await again.close();
    }
  });

  it('R5 is refused while another process has the folder, with what to do', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    await expect(rig.open()).rejects.toMatchObject({ kind: 'failed-precondition' });
    await spool.close();
    const second = await rig.open();
    await expect(rig.open()).rejects.toThrow('is in use by another process');
    rig.files.kill();
    await (await rig.open()).close();
    expect(second.spoolId).toBe(spool.spoolId);
  });

  it('R6 that the disk refuses fails with its kind and gives the folder back', async () => {
    for (const [code, kind] of [
      ['ENOSPC', 'resource-exhausted'],
      ['EIO', 'unavailable'],
    ]) {
      const rig = new SpoolRig();
      rig.files.fault = ({ path }) => (path.endsWith('.tmp') ? code : undefined);
      await expect(rig.open()).rejects.toMatchObject({ kind, message: expect.stringContaining(code!) as string });
      rig.files.fault = () => undefined;
      await (await rig.open()).close();
    }
  });

  it('R8 takes blocks that were written again from the later segment alone', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    await put(spool, blockOf(1));
    let isFirst = true;
    rig.files.fault = ({ kind }) => {
      if (kind === 'truncate') return 'EIO';
      if (kind !== 'sync' || !isFirst) return undefined;
      isFirst = false;
      return 'EIO';
    };
    await put(spool, blockOf(2), blockOf(3));
    expect(rig.told).toEqual(['write-failed', 'upkeep-failed']);
    rig.files.fault = () => undefined;
    rig.files.kill();
    const again = await rig.open();
    expect((await readAll(again)).map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(rig.files.disk.find(`${folder}/0000000001.segment`).size).toBe(44 + 144);
    // Nor does it take the first one for damaged.
    expect(again.status.setAside).toEqual([]);
  });

  it('R7 replaces an id that is no id', async () => {
    const rig = await filled(1);
    damage(rig, 'spool-id', (bytes) => bytes.fill(0));
    const spool = await rig.open();
    expect(spool.spoolId).toMatch(/^[0-9a-f]{32}$/);
    expect((await readAll(spool)).map(textOf)).toEqual(['1']);
  });
});

describe('a damaged segment', () => {
  it('S1 in the middle is set aside with its name and what was recovered, which is delivered in its place', async () => {
    const rig = await filled(15);
    damage(rig, '0000000002.segment', (bytes) => bytes.fill(0xee, 44 + 144, 44 + 144 + 50));
    const spool = await rig.open();
    const segment = `set-aside/${setAsideName(2, 5)}`;
    expect(rig.events).toEqual([{ kind: 'set-aside', segment, reason: 'it is damaged', recovered: 5, lost: 1 }]);
    expect(spool.status.setAside).toEqual([segment]);
    expect(rig.paths).toContain('set-aside/0000000002.key');
    expect((await readAll(spool)).map(textOf)).toEqual([...names(1, 7), ...names(9, 15)]);
    // It is not told twice by who reads, and found there by the next start, too.
    expect(rig.told).toEqual(['set-aside']);
    rig.files.crash();
    const again = await rig.open();
    expect((await readAll(again)).map(textOf)).toEqual([...names(1, 7), ...names(9, 15)]);
  });

  it('S2 whose end is missing is told from a torn one by the segment behind it', async () => {
    const rig = await filled(15);
    damage(rig, '0000000001.segment', (bytes) => bytes.fill(0, 44 + 4 * 144));
    const spool = await rig.open();
    expect(rig.events).toMatchObject([{ kind: 'set-aside', reason: 'its end is missing', recovered: 4, lost: 2 }]);
    expect((await readAll(spool)).map(textOf)).toEqual([...names(1, 4), ...names(7, 15)]);
  });

  it('S3 loses its key with its acknowledgement: what is kept of it can be looked at, not read', async () => {
    const rig = await filled(15);
    damage(rig, '0000000001.segment', (bytes) => bytes.fill(1, 100, 110));
    const spool = await rig.open();
    spool.acknowledge(6);
    await quiet(spool);
    expect(rig.paths.filter((path) => path.includes('0000000001') || path.startsWith('set-aside'))).toEqual([
      `set-aside/${setAsideName(1, 5)}`,
    ]);
    await spool.close();
    const again = await rig.open();
    expect(again.status.setAside).toHaveLength(1);
    expect((await readAll(again)).map(textOf)).toEqual(names(7, 15));
  });

  it('S4 does not push out what is new: remains take an eighth of the spool, the oldest go', async () => {
    const rig = new SpoolRig();
    const kept: string[][] = [];
    for (let each = 0; each < 8; each++) {
      const spool = await rig.open();
      const positions = await put(spool, ...names(1, 6).map((name) => blockOf(Number(name))));
      await spool.close();
      for (const path of rig.segments.filter((each) => !each.startsWith('set-aside'))) {
        // Not the one that was made ahead.
        damage(rig, path, (bytes) => (bytes[0] === 0 ? bytes : bytes.fill(1, 100, 110)));
      }
      const again = await rig.open();
      again.acknowledge(positions.at(-1)!);
      await put(again, blockOf(9));
      await again.close();
      const remains = rig.segments.filter((path) => path.startsWith('set-aside'));
      const bytes = remains.reduce((sum, path) => sum + rig.files.disk.find(`${folder}/${path}`).size, 0);
      expect(bytes).toBeLessThanOrEqual(2048);
      kept.push(remains);
    }
    expect(kept.every((each) => each.length > 0)).toBe(true);
    expect(kept.at(-1)).not.toContain(kept[0]![0]);
  });

  it('S5 that cannot be read, or is no segment, keeps nobody from starting', async () => {
    const rig = await filled(15);
    rig.files.fault = ({ kind, path }) => (kind === 'read' && path.includes('0000000002.segment') ? 'EIO' : undefined);
    damage(rig, '0000000001.segment', (bytes) => bytes.fill(7));
    const spool = await rig.open();
    expect(rig.events).toMatchObject([
      { kind: 'set-aside', reason: expect.stringContaining('it cannot be read: EIO') as string, recovered: 0 },
      { kind: 'set-aside', reason: 'it has no frame that is whole', recovered: 0 },
    ]);
    expect((await readAll(spool)).map(textOf)).toEqual(names(13, 15));
    await put(spool, blockOf(16));
    // What only could not be read is there again, in its place.
    rig.files.fault = () => undefined;
    rig.files.crash();
    expect((await readAll(await rig.open())).map(textOf)).toEqual([...names(7, 12), ...names(13, 16)]);
  });

  it('S6 leaves its positions to itself: no new block gets one that it may have', async () => {
    const rig = await filled(3);
    damage(rig, '0000000001.segment', (bytes) => bytes.fill(7));
    const spool = await rig.open();
    const [position] = await put(spool, blockOf(4));
    expect(position).toBeGreaterThan(2 ** 24);
    await spool.close();
    rig.files.fault = ({ kind, path }) => (kind === 'read' && path.includes('0000000002.segment') ? 'EIO' : undefined);
    const [next] = await put(await rig.open(), blockOf(5));
    expect(next).toBeGreaterThan(position!);
  });

  it('S7 that is damaged while it is read is skipped and counted', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    for (let each = 1; each <= 9; each++) await put(spool, blockOf(each));
    damage(rig, '0000000001.segment', (bytes) => bytes.fill(7, 44 + 144, 44 + 144 + 10));
    damage(rig, '0000000002.segment', (bytes) => bytes.fill(7, 44 + 2 * 144 + 40, 44 + 2 * 144 + 50));
    expect((await readAll(spool)).map(textOf)).toEqual(['1', ...names(3, 8)]);
    expect(rig.events).toEqual([
      { kind: 'damaged', segment: '0000000001.segment', position: 2 },
      { kind: 'damaged', segment: '0000000002.segment', position: 9 },
    ]);
    expect(spool.status.lostBlocks).toBe(2);
  });
});

describe('what was recovered', () => {
  it('S8 stays, also where the process that wrote it had not synced it', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    await put(spool, blockOf(1), blockOf(2));
    rig.files.isHeld = true;
    spool.append(blockOf(3), 1);
    spool.flush();
    await quiet(spool);
    do await rig.files.step();
    while (rig.files.trace.at(-1)!.kind !== 'write');
    rig.files.kill();
    damage(rig, '0000000001.segment', (bytes) => bytes.fill(7, 100, 110));
    expect((await readAll(await rig.open())).map(textOf)).toEqual(['2', '3']);
    rig.files.crash();
    expect((await readAll(await rig.open())).map(textOf)).toEqual(['2', '3']);
  });
});

describe('a key', () => {
  it('E7 that is rotated opens what the former one wrapped, as long as that is given', async () => {
    const rig = await filled(3);
    rig.options = { ...rig.options, key: keyOf('two', 2), formerKeys: [keyOf('one')] };
    const spool = await rig.open();
    await put(spool, blockOf(4));
    expect((await readAll(spool)).map(textOf)).toEqual(names(1, 4));
    await spool.close();
    rig.options = { ...rig.options, formerKeys: [] };
    expect((await readAll(await rig.open())).map(textOf)).toEqual(['4']);
  });

  it('E8 that is not known sets its segment aside with the id of the key, and is delivered once it is given', async () => {
    const rig = await filled(3);
    rig.options = { ...rig.options, key: keyOf('two', 2) };
    const spool = await rig.open();
    const reason = "its key is wrapped by key 'one', which is not among those that were given";
    expect(rig.events).toMatchObject([
      { kind: 'set-aside', reason, recovered: 0, segment: 'set-aside/0000000001.recovered-0.segment' },
    ]);
    expect(await readAll(spool)).toEqual([]);
    const [position] = await put(spool, blockOf(4));
    spool.acknowledge(position!);
    spool.seal();
    await quiet(spool);
    await spool.close();
    rig.options = { ...rig.options, formerKeys: [keyOf('one')] };
    expect((await readAll(await rig.open())).map(textOf)).toEqual(names(1, 3));
  });

  it('E9 whose file is damaged sets its segment aside, one whose file is gone takes it along', async () => {
    const rig = await filled(15);
    damage(rig, '0000000001.key', (bytes) => bytes.fill(0));
    rig.files.disk.remove(`${folder}/0000000002.key`);
    const spool = await rig.open();
    expect(rig.events).toMatchObject([{ kind: 'set-aside', reason: 'the file of its key is damaged' }]);
    await quiet(spool);
    expect((await readAll(spool)).map(textOf)).toEqual(names(13, 15));
    expect(rig.segments).not.toContain('0000000002.segment');
  });

  it('E10 of a segment is another one each time, and none is on disk as it is', async () => {
    const rig = await filled(15);
    const octets = (path: string) => {
      const content = rig.files.disk.find(`${folder}/${path}`);
      const bytes = Buffer.alloc(content.size);
      content.read(bytes, 0);
      return bytes.toString('hex');
    };
    const keys = rig.paths.filter((path) => path.endsWith('.key'));
    expect(new Set(keys.map((path) => octets(path).slice(40, 104))).size).toBe(keys.length);
    for (const path of rig.segments) expect(octets(path)).not.toContain(blockOf(3).toString('hex').slice(0, 20));
  });
});
