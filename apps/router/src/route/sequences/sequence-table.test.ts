import { describe, expect, it } from 'vitest';
import { SequenceTable } from './sequence-table.ts';

const entry = (key: string, isWorthKeeping = true) => ({ key, isWorthKeeping });

function tableOf(bound: number) {
  const table = new SequenceTable<{ readonly key: string; isWorthKeeping: boolean }>(bound);
  const rested = (key: string) => {
    const added = entry(key);
    table.add(added);
    table.rest(added);
    return added;
  };
  return { table, rested, keys: () => [...table].map(({ key }) => key) };
}

describe('SequenceTable', () => {
  it('keeps as many as its bound, those used last', () => {
    const { table, rested, keys } = tableOf(3);
    const a = rested('a');
    for (const key of ['b', 'c']) rested(key);
    expect(table.take('a')).toBe(a);
    table.rest(a);
    rested('d');
    expect(keys()).toEqual(['c', 'a', 'd']);
    expect(table.take('b')).toBeUndefined();
    expect(table.size).toBe(3);
  });

  it('keeps what is busy, over its bound if need be, and forgets idle ones first', () => {
    const { table, rested, keys } = tableOf(2);
    rested('idle');
    const busy = ['a', 'b', 'c'].map((key) => entry(key));
    for (const each of busy) table.add(each);
    expect(keys()).toEqual(['a', 'b', 'c']);
    expect(table.take('a')).toBe(busy[0]);
    for (const each of busy) table.rest(each);
    expect(keys()).toEqual(['b', 'c']);
  });

  it('forgets at once what is not worth keeping', () => {
    const { table, rested, keys } = tableOf(2);
    const kept = rested('a');
    expect(table.take('a')).toBe(kept);
    kept.isWorthKeeping = false;
    table.rest(kept);
    expect([keys(), table.size]).toEqual([[], 0]);
  });
});
