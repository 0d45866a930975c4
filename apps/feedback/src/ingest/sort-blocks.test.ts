import { describe, expect, it } from 'vitest';
import { readBlock } from '@sluice/evidence/read-block';
import { blockOf, idAt } from '../../test/evidence.ts';
import { soloBlock } from '../evidence/solo-block.ts';
import { SortedBlocks } from './sort-blocks.ts';

const now = Date.UTC(2026, 5, 10, 12);
const day = 86_400_000;
const origin = { spoolId: 's', routerId: 'r', position: 1 };
const retention = { short: 7, standard: 90, long: 730 };

function sorted(...blocks: Uint8Array[]): SortedBlocks {
  const batch = new SortedBlocks(retention, now);
  for (const block of blocks) batch.add({ origin, block });
  return batch;
}

const ofClass = (retentionClass: string, ms: number) => ({
  predictionId: idAt(ms),
  receivedMs: now,
  context: { retentionClass },
});

describe('blocks', () => {
  it('are sorted by the time of the id and the days of the class, to the millisecond', () => {
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
      const { rows, skewed } = sorted(blockOf(ofClass(name, ms)));
      expect([name, ms - now, rows.length, skewed.length]).toEqual([
        ...[name, ms - now],
        ...(expected === 'row' ? [1, 0] : [0, 1]),
      ]);
    }
  });

  it('are sorted so that an id that is no UUID of version 7 is skewed', () => {
    const id = `${idAt(now).slice(0, 14)}4${idAt(now).slice(15)}`;
    expect(sorted(blockOf({ ...ofClass('long', now), predictionId: id })).skewed).toHaveLength(1);
  });

  it('are one batch: contexts, records and dead letters of all', () => {
    const good = ofClass('short', now);
    const batch = sorted(
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
  ])('have dead records for a %s of %s', (field, value, detail) => {
    const { dead } = sorted(blockOf({ ...ofClass('short', now), context: { [field]: value } }));
    expect(dead).toMatchObject([{ kind: 'record', reason: 'invalid', detail, model: 'digits' }]);
  });

  it('have dead records for a name that is longer than routers write it', () => {
    const block = blockOf({ ...ofClass('short', now), context: { model: 'm'.repeat(1_024) } });
    // U+FFFD for what is not UTF-8 has three bytes.
    block.fill(0xff, block.indexOf('mmm'), block.indexOf('mmm') + 1_024);
    expect(sorted(block).dead).toMatchObject([{ detail: 'model has more than 1024 bytes' }]);
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
