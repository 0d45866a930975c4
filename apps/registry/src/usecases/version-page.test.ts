import { describe, expect, it } from 'vitest';
import type { VersionView } from './records.ts';
import { readNumberedPage } from './version-page.ts';

/** A model with versions of about `characters` each; says how many were read at once at most. */
function setUp(count: number, characters: number) {
  const versions = Array.from({ length: count }, (_, at) => ({ number: at + 1, manifestJson: 'x'.repeat(characters) }));
  let most = 0;
  const read = async ({ after, limit }: { after: number; limit: number }) => {
    most = Math.max(most, limit);
    return versions.filter(({ number }) => number > after).slice(0, limit) as unknown as VersionView[];
  };
  const pages = async (pageSize: number): Promise<number[]> => {
    const sizes: number[] = [];
    for (let pageToken = ''; ;) {
      const page = await readNumberedPage({ pageSize, pageToken }, read);
      expect(page.versions[0]?.number ?? 1).toBe(sizes.reduce((sum, size) => sum + size, 0) + 1);
      sizes.push(page.versions.length);
      pageToken = page.nextPageToken;
      if (pageToken === '') return sizes;
    }
  };
  return { pages, most: () => most };
}

describe('pages of versions', () => {
  it.each([
    [0, 100, [0]],
    [20, 20, [20]],
    [45, 20, [20, 20, 5]],
    [45, 1000, [45]],
  ])('of %i versions, %i a page', async (count, size, sizes) => {
    expect(await setUp(count, 10).pages(size)).toEqual(sizes);
  });

  it('end early when versions are large, and never read many of them at once', async () => {
    const { pages, most } = setUp(25, 1024 * 1024);
    expect(await pages(1000)).toEqual([8, 8, 8, 1]);
    expect(most()).toBeLessThanOrEqual(20);
  });
});
