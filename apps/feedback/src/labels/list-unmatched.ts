import { pageSize, pageToken, readPageToken } from '../usecases/page.ts';
import type { UnmatchedItem, UnmatchedItems } from './ports.ts';

/** A page of items that were not joined, in the order in which their batches came. */
export async function listUnmatched(
  store: UnmatchedItems,
  request: { readonly pageSize: number; readonly pageToken: string },
): Promise<{ readonly items: readonly UnmatchedItem[]; readonly nextPageToken: string }> {
  const { items, more } = await store.list(readPageToken(request.pageToken), pageSize(request.pageSize));
  return { items, nextPageToken: more ? pageToken(items.at(-1)!.id) : '' };
}
