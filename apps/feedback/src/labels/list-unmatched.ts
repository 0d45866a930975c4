import { pageSize, pageToken, readPageToken } from '../usecases/page.ts';
import type { UnmatchedItem, UnmatchedItems } from './ports.ts';

/** A page of items that were not joined, in the order in which their batches came. */
export async function listUnmatched(
  store: UnmatchedItems,
  request: { readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly items: readonly UnmatchedItem[]; readonly nextPageToken: string }> {
  const limit = pageSize(request.pageSize);
  const found = await store.list(readPageToken(request.pageToken), limit + 1);
  const items = found.slice(0, limit);
  return { items, nextPageToken: found.length > limit ? pageToken(items.at(-1)!.id) : '' };
}
