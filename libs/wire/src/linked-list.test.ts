import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkedList } from './linked-list.ts';
import type { ListEntry } from './linked-list.ts';

describe('a linked list', () => {
  it('has its items in the order in which they were added, whatever is removed', () => {
    const steps = fc.array(fc.oneof(fc.constant('add' as const), fc.nat(20)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (list) => {
        const subject = new LinkedList<number>();
        const entries: ListEntry<number>[] = [];
        const expected = new Set<number>();
        for (const step of list) {
          if (step === 'add') {
            expected.add(entries.length);
            entries.push(subject.add(entries.length));
          } else {
            const entry = entries[step];
            expect(subject.remove(entry)).toBe(entry !== undefined && expected.delete(entry.item));
          }
          expect([...subject]).toEqual([...expected]);
          expect([subject.size, subject.first]).toEqual([expected.size, [...expected][0]]);
        }
      }),
    );
  });

  it('leaves alone what is in another list', () => {
    const [one, other] = [new LinkedList<string>(), new LinkedList<string>()];
    const entry = one.add('a');
    expect(other.remove(entry)).toBe(false);
    expect([one.size, other.size]).toEqual([1, 0]);
  });

  it('lets the item at hand be removed while it is read', () => {
    const list = new LinkedList<number>();
    const entries = [1, 2, 3].map((number) => list.add(number));
    const seen: number[] = [];
    for (const number of list) {
      seen.push(number);
      list.remove(entries[number - 1]);
    }
    expect([seen, list.size]).toEqual([[1, 2, 3], 0]);
  });

  it('takes all out at once, and a removed entry holds no neighbour', () => {
    const list = new LinkedList<number>();
    const entries = [1, 2, 3].map((number) => list.add(number));
    list.clear();
    expect([list.size, list.first]).toEqual([0, undefined]);
    for (const entry of entries)
      expect([entry.list, entry.older, entry.newer]).toEqual([undefined, undefined, undefined]);
    list.add(4);
    expect([...list]).toEqual([4]);
  });
});
