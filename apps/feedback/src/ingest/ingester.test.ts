import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { blockOfIds, someIds } from '../../test/evidence.ts';
import type { Batch, Written } from './batch.ts';
import { Ingester } from './ingester.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

function world(options: { writers?: number; batchRows?: number; batchBytes?: number } = {}) {
  const clock = new FakeClock(Date.now());
  const batches: Batch[] = [];
  const ends: PromiseWithResolvers<Written>[] = [];
  const failures: string[] = [];
  const ingester = new Ingester({
    ...{ writers: 1, batchRows: 1_000, batchBytes: 1_000_000, heldBytes: 1_000_000, clock, ...options },
    retention: { short: 1, standard: 2, long: 3 },
    versions: { isKnown: () => true, resolve: async () => undefined },
    store: {
      write: (batch) => {
        const end = Promise.withResolvers<Written>();
        batches.push(batch);
        ends.push(end);
        return end.promise;
      },
    },
    onWritten: () => undefined,
    onFailed: ({ kind }) => failures.push(kind),
  });
  const settled: string[] = [];
  const add = (position: number, records = 1): void =>
    ingester.add({ origin: { spoolId: 's', routerId: 'r', position }, block: blockOfIds(someIds(records)) }, (error) =>
      settled.push(`${position} ${error?.kind ?? 'ok'}`),
    );
  const written: Written = { path: 'straight', stored: 0, skewed: 0, duplicates: 0, dead: [] };
  return { ingester, batches, ends, failures, settled, add, written, clock };
}

const sizes = (batches: readonly Batch[]): number[] => batches.map(({ rows }) => rows.length);

describe('the ingester', () => {
  it('writes the first block at once, and what came meanwhile as one batch', async () => {
    const { add, batches, ends, settled, ingester, written } = world();
    add(1);
    add(2);
    add(3);
    await turns();
    expect([sizes(batches), ingester.waiting, ingester.writing]).toEqual([[1], 2, 1]);
    ends[0]!.resolve(written);
    await turns();
    expect([sizes(batches), settled]).toEqual([[1, 2], ['1 ok']]);
    ends[1]!.resolve(written);
    await turns();
    expect([settled, ingester.waiting, ingester.writing]).toEqual([['1 ok', '2 ok', '3 ok'], 0, 0]);
  });

  it('begins another batch at the bound of records, and at that of bytes', async () => {
    const rows = world({ batchRows: 4 });
    for (const [position, records] of [1, 2, 2, 1].entries()) rows.add(position, records);
    await turns();
    rows.ends[0]!.resolve(rows.written);
    await turns();
    expect(sizes(rows.batches)).toEqual([1, 4]);
    const bytes = world({ batchBytes: blockOfIds(someIds(1)).length + 1 });
    for (const position of [1, 2, 3, 4]) bytes.add(position);
    await turns();
    bytes.ends[0]!.resolve(bytes.written);
    await turns();
    expect(sizes(bytes.batches)).toEqual([1, 2]);
  });

  it('begins another batch beside one that is under way when there is much, as far as it has writers', async () => {
    const { add, batches, ends, written } = world({ writers: 2 });
    for (const position of [1, 2]) add(position, 300);
    await turns();
    expect(sizes(batches)).toEqual([300]);
    add(3, 300);
    await turns();
    for (const position of [4, 5]) add(position, 300);
    await turns();
    expect(sizes(batches)).toEqual([300, 600]);
    ends[0]!.resolve(written);
    await turns();
    expect(sizes(batches)).toEqual([300, 600, 600]);
  });

  it('begins another batch for what has waited long enough for the one that is under way', async () => {
    const { add, batches, clock } = world({ writers: 3 });
    for (const position of [1, 2, 3]) add(position);
    await turns();
    expect(sizes(batches)).toEqual([1]);
    clock.advance(25);
    await turns();
    expect(sizes(batches)).toEqual([1, 2]);
    add(4);
    await turns();
    expect(sizes(batches)).toEqual([1, 2]);
    clock.advance(25);
    await turns();
    expect(sizes(batches)).toEqual([1, 2, 1]);
    add(5);
    clock.advance(1_000);
    await turns();
    expect(sizes(batches)).toEqual([1, 2, 1]);
  });

  it('tells the streams of a batch that it failed, and goes on', async () => {
    const { add, ends, settled, failures, written } = world();
    add(1);
    add(2);
    await turns();
    ends[0]!.reject(unavailable('the database is away'));
    await turns();
    expect([settled, failures]).toEqual([['1 unavailable'], ['unavailable']]);
    ends[1]!.resolve(written);
    await turns();
    expect(settled).toEqual(['1 unavailable', '2 ok']);
  });
});
