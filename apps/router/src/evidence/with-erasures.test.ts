import { describe, expect, it } from 'vitest';
import { settle } from '../../test/doubles.ts';
import type { BlockOrErasure } from './with-erasures.ts';
import { withErasures } from './with-erasures.ts';

class Orders {
  applied = 0;
  readonly listeners = new Set<() => void>();

  onApplied(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  follow(number: number): void {
    this.applied = number;
    for (const tell of this.listeners) tell();
  }
}

function setUp(applied = 0) {
  const orders = new Orders();
  orders.applied = applied;
  const queue: (() => string)[] = [];
  let wake: (() => void) | undefined;
  let isEnded = false;
  let returned = 0;
  async function* blocks(): AsyncGenerator<string, void, undefined> {
    try {
      for (;;) {
        const next = queue.shift();
        if (next) yield next();
        else if (isEnded) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      returned++;
    }
  }
  const stream = withErasures(blocks(), orders);
  const seen: unknown[] = [];
  const reading = (async () => {
    try {
      for await (const each of stream as AsyncIterable<BlockOrErasure<string>>) seen.push(Object.values(each)[0]);
      seen.push('end');
    } catch (error) {
      seen.push((error as Error).message);
    }
  })();
  const put = async (...more: readonly (() => string)[]) => {
    queue.push(...more);
    wake?.();
    await settle();
  };
  const end = async () => {
    isEnded = true;
    wake?.();
    await reading;
  };
  return { orders, seen, put, end, stream, returned: () => returned };
}

describe('withErasures', () => {
  it('gives blocks, and orders between them as soon as they are followed, each once', async () => {
    const { orders, seen, put, end } = setUp();
    await put(() => 'a');
    orders.follow(2);
    await settle();
    expect(seen).toEqual(['a', 2]);
    await put(
      () => 'b',
      () => 'c',
    );
    orders.follow(5);
    orders.follow(6);
    await put(() => 'd');
    await end();
    expect(seen).toEqual(['a', 2, 'b', 'c', 6, 'd', 'end']);
    expect(orders.listeners.size).toBe(0);
  });

  it('begins with what was followed before, and says nothing of orders that are none any more', async () => {
    const { orders, seen, put, end } = setUp(7);
    await put(() => 'a');
    orders.follow(0);
    await end();
    expect(seen).toEqual([7, 'a', 'end']);
  });

  it('fails as the blocks do, and lets go of them when nobody reads on', async () => {
    const failing = setUp();
    await failing.put(() => {
      throw new Error('broken');
    });
    expect(failing.seen).toEqual(['broken']);
    const left = setUp(1);
    await left.put(() => 'a');
    void left.stream.return();
    await left.end();
    expect([left.returned(), left.orders.listeners.size]).toEqual([1, 0]);
  });
});
