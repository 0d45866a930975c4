import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { propertyRuns } from '../test/property-runs.ts';
import { IndexedHeap } from './indexed-heap.ts';

interface Item {
  key: number;
  index: number;
}

test('P6 the heap keeps its order under random pushes, removals and changes', () => {
  const operation = fc.tuple(fc.constantFrom('push', 'push', 'remove', 'move'), fc.nat({ max: 50 }), fc.nat());
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const heap = new IndexedHeap<Item>((a, b) => a.key < b.key, {
        get: (item) => item.index,
        set: (item, index) => (item.index = index),
      });
      const items: Item[] = [];
      for (const [what, key, which] of operations) {
        const chosen = items[which % Math.max(1, items.length)];
        if (what === 'push') {
          const item = { key, index: -1 };
          items.push(item);
          heap.push(item);
        } else if (chosen && what === 'move') {
          chosen.key = key;
          heap.moved(chosen);
        } else if (chosen) {
          items.splice(items.indexOf(chosen), 1);
          heap.remove(chosen);
          heap.remove(chosen);
          expect(heap.has(chosen)).toBe(false);
        }
        expect(heap.size).toBe(items.length);
        expect(heap.peek()?.key).toBe(items.length === 0 ? undefined : Math.min(...items.map((item) => item.key)));
        expect(items.every((item) => heap.has(item))).toBe(true);
      }
    }),
    propertyRuns,
  );
});
