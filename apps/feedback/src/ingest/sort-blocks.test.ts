import { describe, expect, it } from 'vitest';
import { readBlock } from '@sluice/evidence/read-block';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { blockOf, idAt } from '../../test/evidence.ts';
import { soloBlock } from '../evidence/solo-block.ts';
import { Pace } from '../pace.ts';
import { SortedBlocks } from './sort-blocks.ts';

const now = Date.UTC(2026, 5, 10, 12);
const day = 86_400_000;
const origin = { spoolId: 's', routerId: 'r', position: 1 };
const retention = { short: 7, standard: 90, long: 730 };

async function sorted(...blocks: Uint8Array[]): Promise<SortedBlocks> {
  const batch = new SortedBlocks(retention, now);
  for (const block of blocks) await batch.add({ origin, block }, new Pace(new FakeClock()));
  return batch;
}

const ofClass = (retentionClass: string, ms: number) => ({
  predictionId: idAt(ms),
  receivedMs: now,
  context: { retentionClass },
});

describe('blocks', () => {
  it('are sorted by the time of the id and the days of the class, to the millisecond', async () => {
    const cases = [
      ['short', now - 7 * day, 'skewed'],
      ['short', now - 7 * day + 1, 'row'],
      ['standard', now - 7 * day, 'row'],
      ['standard', now - 90 * day, 'skewed'],
      ['long', now - 90 * day, 'row'],
      ['long', now - 730 * day, 'skewed'],
      ['short', now + day - 1, 'row'],
      ['short', now + day, 'skewed'],
    ] as const;
    for (const [name, ms, expected] of cases) {
      const { rows, skewed } = await sorted(blockOf(ofClass(name, ms)));
      expect([name, ms - now, rows.length, skewed.length]).toEqual([
        ...[name, ms - now],
        ...(expected === 'row' ? [1, 0] : [0, 1]),
      ]);
    }
  });

  it('are sorted so that an id that is no UUID of version 7 is skewed', async () => {
    const id = `${idAt(now).slice(0, 14)}4${idAt(now).slice(15)}`;
    expect((await sorted(blockOf({ ...ofClass('long', now), predictionId: id }))).skewed).toHaveLength(1);
  });

  it('are one batch: contexts, records and dead letters of all', async () => {
    const good = ofClass('short', now);
    const batch = await sorted(
      blockOf(good, ofClass('long', now)),
      Buffer.from('nothing'),
      blockOf({ ...good, keepProbability: 1.1 }, good, { ...good, timings: { ...timings, costMicros: -1 } }),
    );
    expect([batch.rows.length, batch.dead.length, batch.records, batch.contexts.size]).toEqual([3, 3, 6, 3]);
    expect(batch.dead.map(({ kind, reason }) => [kind, reason])).toEqual([
      ['block', 'unreadable'],
      ['record', 'invalid'],
      ['record', 'invalid'],
    ]);
  });

  const timings = { queueMicros: 1, runMicros: 2, totalMicros: 3, batchRows: 4, costMicros: 5 };

  it.each([
    ['version', -1, 'version is no whole number from 0'],
    ['version', 1.5, 'version is no whole number from 0'],
    ['policyVersion', 2 ** 53, 'policyVersion is no whole number from 0'],
    ['propensity', Number.NaN, 'propensity is not within 0 and 1'],
    ['arm', '\0', 'arm has a NUL character (U+0000)'],
  ])('have dead records for a %s of %s', async (field, value, detail) => {
    const { dead } = await sorted(blockOf({ ...ofClass('short', now), context: { [field]: value } }));
    expect(dead).toMatchObject([{ kind: 'record', reason: 'invalid', detail, model: 'digits' }]);
  });

  it('have dead records for a name that is longer than routers write it', async () => {
    const block = blockOf({ ...ofClass('short', now), context: { model: 'm'.repeat(1_024) } });
    // U+FFFD for what is not UTF-8 has three bytes.
    block.fill(0xff, block.indexOf('mmm'), block.indexOf('mmm') + 1_024);
    expect((await sorted(block)).dead).toMatchObject([{ detail: 'model has more than 1024 bytes' }]);
  });
});

describe('a large block', () => {
  it('is read in slices, between which everything else has its turn', async () => {
    const block = blockOf(...Array.from({ length: 240 }, () => ofClass('short', now)));
    let ms = 0;
    let turns = 0;
    let reading = true;
    const count = (): void => {
      turns += 1;
      if (reading) setImmediate(count);
    };
    setImmediate(count);
    const batch = new SortedBlocks(retention, now);
    // A millisecond goes by with every 16 items, and a slice has five.
    await batch.add({ origin, block }, new Pace({ monotonic: () => (ms += 1) }));
    reading = false;
    expect(batch.rows).toHaveLength(240);
    expect(turns).toBeGreaterThanOrEqual(4);
    expect(turns).toBeLessThan(10);
  });

  it('of which the end cannot be read is a dead letter as a whole', async () => {
    const block = blockOf(...Array.from({ length: 100 }, () => ofClass('short', now)));
    const { rows, dead } = await sorted(block.subarray(0, block.length - 1));
    expect([rows.length, dead.map(({ kind }) => kind)]).toEqual([0, ['block']]);
  });
});

describe('a block of one record', () => {
  it('has its context and all of it, octet for octet', () => {
    const given = [
      { context: { arm: 'a' }, requestId: 'one', request: Buffer.from('x'), requestState: 'captured' as const },
      { context: { arm: 'b' }, requestId: 'two' },
      { context: { arm: 'a' }, requestId: 'three', response: [Buffer.from('yz')], responseState: 'captured' as const },
    ];
    const block = blockOf(...given);
    const records = readBlock(block);
    for (const [index, record] of records.entries()) {
      const solo = soloBlock(block, index);
      expect(readBlock(solo)).toEqual([record]);
      expect(Buffer.from(soloBlock(solo, 0))).toEqual(Buffer.from(solo));
    }
    expect(() => soloBlock(block, 3)).toThrow(RangeError);
  });
});
