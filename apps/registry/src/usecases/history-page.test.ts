import { describe, expect, it } from 'vitest';
import type { HistoryPageRequest, HistoryQuery } from './history-page.ts';
import { readHistoryPage } from './history-page.ts';
import type { AliasHistoryEntry, AliasMove } from './records.ts';

/** A history with these revisions of stretches and of moves. */
function setUp(entries: readonly number[], moves: readonly number[], reason = '') {
  let most = 0;
  const newest = <T>(revisions: readonly number[], make: (revision: number) => T) => {
    return async ({ before, limit }: HistoryQuery): Promise<readonly T[]> => {
      most = Math.max(most, limit);
      const below = revisions.filter((revision) => revision < before);
      return below
        .toSorted((left, right) => right - left)
        .slice(0, limit)
        .map(make);
    };
  };
  const reads = {
    entries: newest(entries, (revision) => ({ revision }) as AliasHistoryEntry),
    moves: newest(moves, (requestedRevision) => ({ requestedRevision, reasons: [reason] }) as unknown as AliasMove),
  };
  const read = async (request: HistoryPageRequest) => {
    const page = await readHistoryPage(request, reads);
    const shown = [page.entries.map((one) => one.revision), page.moves.map((one) => one.requestedRevision)] as const;
    return { shown, nextPageToken: page.nextPageToken };
  };
  const pages = async (pageSize: number) => {
    const all: (readonly (readonly number[])[])[] = [];
    for (let pageToken = ''; ;) {
      const { shown, nextPageToken } = await read({ pageSize, pageToken });
      all.push(shown);
      if (nextPageToken === '') return all;
      pageToken = nextPageToken;
    }
  };
  return { pages, read, most: () => most };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('pages of a history', () => {
  it('have nothing for an alias that never was', async () => {
    expect(await setUp([], []).pages(10)).toEqual([[[], []]]);
  });

  it('go from the newest to the oldest, stretches upwards and moves downwards', async () => {
    const { pages } = setUp([2, 4, 9], [1, 3, 8]);
    expect(await pages(10)).toEqual([
      [
        [2, 4, 9],
        [8, 3, 1],
      ],
    ]);
    expect(await pages(4)).toEqual([
      [
        [4, 9],
        [8, 3],
      ],
      [[2], [1]],
    ]);
    expect(await pages(6)).toHaveLength(1);
    expect(await pages(5)).toHaveLength(2);
  });

  it('keep together what has one revision, as a rollback at once has', async () => {
    const { pages } = setUp([0, 5], [0, 5]);
    expect(await pages(1)).toEqual([
      [[5], [5]],
      [[0], [0]],
    ]);
  });

  it('leave nothing out where one kind is rare', async () => {
    const entries = upTo(400);
    const moves = [3, 120, 399];
    for (const pageSize of [7, 50, 99, 1000]) {
      const all = await setUp(entries, moves).pages(pageSize);
      expect(all.flatMap(([stretches]) => stretches!.toReversed())).toEqual(entries.toReversed());
      expect(all.flatMap(([, steps]) => steps!)).toEqual(moves.toReversed());
    }
  });

  it('end early when reasons are long, and never read many at once', async () => {
    const { pages, most } = setUp([], upTo(25), 'x'.repeat(1024 * 1024));
    expect((await pages(1000)).map(([, moves]) => moves!.length)).toEqual([8, 8, 8, 1]);
    expect(most()).toBeLessThanOrEqual(50);
  });

  it('are asked for with tokens that were given', async () => {
    const { read } = setUp([1], []);
    await expect(read({ pageSize: 0, pageToken: 'x' })).rejects.toThrow(/^page_token: /);
    await expect(read({ pageSize: 1001, pageToken: '' })).rejects.toThrow(/^page_size: /);
  });
});
