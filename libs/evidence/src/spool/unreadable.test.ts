import { describe, expect, it } from 'vitest';
import { SpoolRig, blockOf, put, quiet, readAll, textOf } from '../../test/spool-rig.ts';
import type { Operation } from '../../testing/simulated-files.ts';

const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, each) => String(from + each));

describe('a cursor at a segment that the disk does not give', () => {
  /** Twenty blocks of 1,000 bytes in two segments; the disk does not give some bytes of the first. */
  async function bad(from: number, to: number, kind: 'open' | 'read' = 'read') {
    const rig = new SpoolRig({ segmentBytes: 16 * 1024, maxBytes: 128 * 1024 });
    const spool = await rig.open();
    for (let each = 1; each <= 20; each++) await put(spool, blockOf(each, 1000));
    const isBad = ({ kind: what, path, range = [from, to] }: Operation) =>
      what === kind && /0*1\.(recovered-\d+\.)?segment$/.test(path) && range[0] < to && range[1] > from;
    rig.files.fault = (operation) => (isBad(operation) ? 'EIO' : undefined);
    const cursor = spool.read(0);
    const tries = async (count: number) => {
      for (let each = 0; each < count; each++) {
        await expect(cursor.next()).rejects.toThrow('EIO');
        await quiet(spool);
      }
    };
    return { rig, spool, cursor, tries };
  }

  it('C7 says so once, and sets it aside after twenty tries: what can be read of it is delivered', async () => {
    const { rig, spool, cursor, tries } = await bad(5000, 5001);
    await tries(19);
    expect([rig.told, spool.status.unreadableSegments]).toEqual([['read-failed'], 1]);
    await tries(1);
    // Blocks 4 to 8 lie in the page that cannot be read, some with a part.
    const aside = 'set-aside/0000000001.recovered-10.segment';
    expect(rig.events[1]).toMatchObject({ kind: 'set-aside', segment: aside, recovered: 10, lost: 5 });
    expect(rig.events[1]).toMatchObject({ reason: expect.stringMatching(/after 20 tries: EIO/) as string });
    expect(spool.status).toMatchObject({ unreadableSegments: 1, setAside: [aside] });
    const found: string[] = [];
    while (found.at(-1) !== '20') found.push(textOf((await cursor.next())!));
    expect(found).toEqual([...names(1, 3), ...names(9, 20)]);
    expect(rig.told).toEqual(['read-failed', 'set-aside']);
  });

  it('C7 counts tries from the last time that it was read', async () => {
    const { rig, spool, cursor, tries } = await bad(0, 99_999);
    const fault = rig.files.fault;
    await tries(19);
    rig.files.fault = () => undefined;
    expect(textOf((await cursor.next())!)).toBe('1');
    rig.files.fault = fault;
    const other = spool.read(0);
    for (let each = 0; each < 19; each++) await expect(other.next()).rejects.toThrow('EIO');
    expect(rig.told).toEqual(['read-failed', 'read-failed']);
  });

  it('C8 keeps what it did not give for the next start, whatever is acknowledged', async () => {
    const { rig, spool, tries, cursor } = await bad(0, 99_999, 'open');
    await tries(20);
    expect(textOf((await cursor.next())!)).toBe('16');
    spool.acknowledge(20);
    spool.seal();
    await quiet(spool);
    expect(spool.status.setAside).toEqual(['set-aside/0000000001.recovered-0.segment']);
    await spool.close();
    rig.files.fault = () => undefined;
    const again = await rig.open();
    expect((await readAll(again, again.status.acknowledged)).map(textOf).slice(0, 15)).toEqual(names(1, 15));
    again.acknowledge(20);
    again.seal();
    await quiet(again);
    expect(again.status).toMatchObject({ segments: 1, unreadableSegments: 0 });
    expect(rig.paths.filter((path) => path.endsWith('1.key'))).toEqual([]);
  });

  it('C8 drops it by an order, and ends one that is written before it is set aside', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    await put(spool, blockOf(1));
    rig.files.fault = ({ kind, path }) => (kind === 'read' && path.includes('0001') ? 'EIO' : undefined);
    const cursor = spool.read(0);
    for (let each = 0; each < 22; each++) {
      await cursor.next().catch(() => undefined);
      await quiet(spool);
      if (rig.told.includes('set-aside')) break;
    }
    expect(rig.told).toEqual(['read-failed', 'set-aside']);
    rig.clock.advance(1);
    await spool.dropOlderThan(rig.clock.now());
    expect(spool.status).toMatchObject({ unreadableSegments: 0, oldestMs: undefined });
  });
});
