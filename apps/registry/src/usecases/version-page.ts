import { pageSize, pageToken, readPageToken } from './page.ts';
import type { VersionView } from './records.ts';

/** Which page is asked for. */
export interface SizedPageRequest {
  /** 0 means 100. */
  readonly pageSize: number;
  /** '' for the first page. */
  readonly pageToken: string;
}
export type VersionPageRequest = SizedPageRequest;

export interface SizedPage<Item> {
  readonly versions: readonly Item[];
  /** '' when this is the last page. */
  readonly nextPageToken: string;
}
export type VersionPage = SizedPage<VersionView>;

/** Things that are read at once, and text of a page after which it ends: a page always fits into one message. */
const readAtOnce = 20;
const fullPageCharacters = 8 * 1024 * 1024;

interface PageQuery {
  readonly after: number;
  readonly limit: number;
}

/**
 * A page of versions by number; shorter than asked for when they are large.
 *
 * @param read gives versions with a number above `after`, in order, at most `limit`
 */
export async function readNumberedPage<Item extends { readonly number: number }>(
  request: SizedPageRequest,
  read: (query: PageQuery) => Promise<readonly Item[]>,
): Promise<SizedPage<Item>> {
  const limit = pageSize(request.pageSize);
  const after = readPageToken<number>(request.pageToken, 0);
  const { items, next } = await readSizedPage(after, limit, ({ number }: Item) => number, read);
  return { versions: items, nextPageToken: next === undefined ? '' : pageToken(next) };
}

/**
 * At most `limit` things, fewer when they are large, and the key of the last when there are more.
 *
 * @param read gives those whose key comes after `after`, in order, at most `limit`
 */
export async function readSizedPage<Item>(
  first: number,
  limit: number,
  keyOf: (item: Item) => number,
  read: (query: PageQuery) => Promise<readonly Item[]>,
): Promise<{ readonly items: readonly Item[]; readonly next: number | undefined }> {
  let after = first;
  const items: Item[] = [];
  for (let characters = 0; ;) {
    const found = await read({ after, limit: readAtOnce });
    for (const item of found) {
      // One more than fits says that there is another page.
      if (items.length === limit || characters > fullPageCharacters) return { items, next: after };
      items.push(item);
      after = keyOf(item);
      characters += JSON.stringify(item).length;
    }
    if (found.length < readAtOnce) return { items, next: undefined };
  }
}
