const partBytes = 4 * 1024 * 1024;
/** From this version of the protocol on watchers put an update together that comes in parts. */
const partsSince = 2;

/**
 * Bytes that one message of a watch may have, about: a larger update comes in parts. A watcher of an older version takes
 * every message for a whole update.
 */
export const partBytesFor = (protocolVersion: number): number => (protocolVersion >= partsSince ? partBytes : Infinity);

/** A part of a list; `more` when another follows. */
export interface Part<Item> {
  readonly items: readonly Item[];
  readonly more: boolean;
}

/** Splits a list into parts of at most `limit` bytes, or of one item that has more; no items are one empty part. */
export function* inParts<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  limit: number,
): Generator<Part<Item>, void, void> {
  let from = 0;
  let bytes = 0;
  for (const [at, item] of items.entries()) {
    const own = bytesOf(item);
    if (at > from && bytes + own > limit) {
      yield { items: items.slice(from, at), more: true };
      [from, bytes] = [at, 0];
    }
    bytes += own;
  }
  yield { items: items.slice(from), more: false };
}
