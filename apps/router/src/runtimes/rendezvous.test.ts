import { describe, expect, it } from 'vitest';
import { byRendezvous } from './rendezvous.ts';

const runtimes = (count: number) => Array.from({ length: count }, (_, index) => ({ address: `10.0.0.${index}:8011` }));
const keys = Array.from({ length: 10_000 }, (_, index) => `digits ${index}`);
const owner = (of: readonly { readonly address: string }[], key: string) => byRendezvous(of, key)[0]!.address;

describe('byRendezvous', () => {
  it('has all runtimes, each once, in an order that does not hang on how they are given', () => {
    const given = runtimes(7);
    const order = byRendezvous(given, 'digits 7').map(({ address }) => address);
    expect(new Set(order).size).toBe(7);
    expect(byRendezvous(given.toReversed(), 'digits 7').map(({ address }) => address)).toEqual(order);
    expect(byRendezvous([], 'digits 7')).toEqual([]);
  });

  it('spreads keys evenly, and the places behind the owner too', () => {
    const given = runtimes(4);
    for (const rank of [0, 1]) {
      const counts = new Map<string, number>();
      for (const key of keys) {
        const { address } = byRendezvous(given, key)[rank]!;
        counts.set(address, (counts.get(address) ?? 0) + 1);
      }
      for (const count of counts.values()) expect(Math.abs(count - 2_500)).toBeLessThan(200);
    }
  });

  it('moves to a runtime that joins what it gains, its share, and nothing else', () => {
    const [before, after] = [runtimes(4), runtimes(5)];
    const joined = after[4]!.address;
    const moved = keys.filter((key) => owner(before, key) !== owner(after, key));
    expect(moved.filter((key) => owner(after, key) !== joined)).toEqual([]);
    expect(Math.abs(moved.length - 2_000)).toBeLessThan(200);
  });

  it('changes nothing among those that stay when one goes', () => {
    const [all, gone] = [runtimes(4), '10.0.0.1:8011'];
    for (const key of keys.slice(0, 300)) {
      const left = byRendezvous(all, key).filter(({ address }) => address !== gone);
      expect(
        byRendezvous(
          all.filter(({ address }) => address !== gone),
          key,
        ),
      ).toEqual(left);
    }
  });
});
