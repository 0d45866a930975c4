import type { FollowedErasures } from './erasure-drain.ts';

/** Something to send, or the number of an order that was followed. */
export type BlockOrErasure<Block> = { readonly block: Block } | { readonly applied: number };

/** Blocks, and between them, as soon as it is so, which order to erase was followed: once, and at the beginning of each stream. */
export async function* withErasures<Block>(
  blocks: AsyncIterable<Block>,
  erasures: FollowedErasures,
): AsyncGenerator<BlockOrErasure<Block>, void, undefined> {
  const iterator = blocks[Symbol.asyncIterator]();
  let told = 0;
  let wake: (() => void) | undefined;
  const forget = erasures.onApplied(() => wake?.());
  let next: Promise<IteratorResult<Block, void>> | undefined;
  const arrived = { isThere: false };
  try {
    for (;;) {
      if (erasures.applied !== told) {
        told = erasures.applied;
        if (told > 0) yield { applied: told };
      } else if (next === undefined) {
        arrived.isThere = false;
        next = iterator.next();
        const arrive = (): void => {
          arrived.isThere = true;
          wake?.();
        };
        next.then(arrive, arrive);
      } else if (arrived.isThere) {
        const result = await next;
        if (result.done === true) return;
        yield { block: result.value };
        next = undefined;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
      }
    }
  } finally {
    forget();
    // Not waited for: it may be in a call that ends when the stream does.
    iterator.return?.().catch(() => undefined);
  }
}
