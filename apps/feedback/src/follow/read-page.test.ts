import { describe, expect, it } from 'vitest';
import { FakeSource } from './fake-source.ts';
import { beforeTransaction, beginning } from './position.ts';
import type { Position } from './position.ts';
import { endOf, reaches, readPage, tablesOf } from './read-page.ts';

const all = { tables: tablesOf([]), model: '' };

/** Everything behind a position, page by page. */
async function readAll(source: FakeSource, filter = all, from: Position = beginning) {
  const look = await source.look();
  const pages: string[][] = [];
  let position = from;
  while (reaches(look, filter.tables, position)) {
    const { rows, end, more } = await readPage(source, look, position, filter);
    pages.push(rows.map(({ row }) => row.predictionId));
    expect(more).toBe(reaches(look, filter.tables, end));
    position = end;
  }
  return { pages, position };
}

describe('a page', () => {
  it('has the rows of all tables in one order, transaction by transaction and table by table', async () => {
    const source = new FakeSource();
    const [c, a, d, b] = [source.add(3, 7n), source.add(3, 5n), source.add(0, 9n), source.add(0, 7n)];
    expect((await readAll(source)).pages).toEqual([[...a, ...b, ...c, ...d]]);
  });

  it('leaves what is at the frontier or above it', async () => {
    const source = new FakeSource();
    const below = source.add(0, 99n);
    source.add(0, 100n);
    source.add(2, 101n);
    const { pages, position } = await readAll(source);
    expect(pages).toEqual([below]);
    // Behind the rows, not at the frontier: a number without rows may be given out again after a crash.
    expect(position).toEqual(beforeTransaction(100n));
    expect(endOf(await source.look())).toEqual(position);
    const empty = new FakeSource();
    expect(endOf(await empty.look())).toEqual(beforeTransaction(1n));
  });

  it('ends where the first table that has more ends, and asks the others for nothing behind it', async () => {
    const source = new FakeSource();
    const early = source.add(2, 3n, 10);
    const large = source.add(0, 5n, 1_500);
    const same = source.add(1, 5n, 5);
    const late = source.add(3, 6n, 5);
    const { pages } = await readAll(source);
    expect(pages.flat()).toEqual([...early, ...large, ...same, ...late]);
    expect(pages.map((page) => page.length)).toEqual([1_000, 520]);
    // The first page was cut within transaction 5: of the tables behind it only earlier ones are wanted.
    expect(source.reads.slice(0, 4).map(({ table, upTo }) => [table, upTo])).toEqual([
      [0, 99n],
      [1, 4n],
      [2, 4n],
      [3, 4n],
    ]);
  });

  it.each([999, 1_000, 1_001, 2_000])('is whole with %i rows in a transaction', async (count) => {
    const source = new FakeSource();
    const rows = [...source.add(0, 5n, count), ...source.add(3, 5n, count), ...source.add(0, 6n)];
    const { pages } = await readAll(source);
    expect(pages.flat()).toEqual(rows);
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(1_000);
  });

  it('goes on over pages that have nothing for a filter', async () => {
    const source = new FakeSource();
    source.add(0, 5n, 2_500);
    const rare = source.add(0, 6n, 2, 'rare');
    const { pages } = await readAll(source, { ...all, model: 'rare' });
    expect(pages).toEqual([[], [], rare]);
    expect((await readAll(source, { tables: tablesOf(['label']), model: '' })).pages).toEqual([]);
  });

  it('is of the tables of a kind; skewed evidence is evidence', () => {
    expect(tablesOf([])).toEqual([0, 1, 2, 3]);
    expect(tablesOf(['evidence'])).toEqual([0, 1]);
    expect(tablesOf(['outcome', 'label'])).toEqual([2, 3]);
  });
});
