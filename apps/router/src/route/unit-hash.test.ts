import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/property-runs.ts';
import { hashOf, ownerOf } from './unit-hash.ts';

const share = (name: string, weight: number) => ({ name, weight, hash: hashOf(name) });
type Share = ReturnType<typeof share>;
const thirds = [share('primary', 0.6), share('b', 0.3), share('c', 0.1)];
const total = (of: readonly Share[]): number => of.reduce((sum, { weight }) => sum + weight, 0);
const owner = (of: readonly Share[], seed: string, unit: string): string => ownerOf(of, hashOf(seed), unit)!.name;

/** Units as they come: numbers in a row, ids, addresses; some differ in one character. */
const families: readonly ((index: number) => string)[] = [
  (index) => String(index),
  (index) => `user-${index}`,
  (index) => `${index.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
  (index) => `00000000-0000-4000-8000-0000${index.toString(16).padStart(8, '0')}`,
  (index) => `${'x'.repeat(200)}${index}`,
  (index) => `mail${index % 997}@host${Math.floor(index / 997)}.example`,
];
const count = 6_000;
const seeds = Array.from({ length: 12 }, (_, index) => `digits/${index + 1}`);

/** Owners of the units of each family, in their order, by seed. */
const splits = families.map((family) => {
  const units = Array.from({ length: count }, (_, index) => family(index));
  return seeds.map((seed) => {
    const hash = hashOf(seed);
    return units.map((unit) => thirds.indexOf(ownerOf(thirds, hash, unit)!));
  });
});

/** How often each number below `kinds` is there. */
function tally(numbers: readonly number[], kinds: number): number[] {
  const seen = Array.from({ length: kinds }, () => 0);
  for (const number of numbers) seen[number]! += 1;
  return seen;
}

/** How far counts are from what was expected of them, in standard deviations of chi-square. */
function strangeness(pairs: readonly (readonly [seen: number, expected: number])[], freedom: number): number {
  const chi = pairs.reduce((sum, [seen, expected]) => sum + (seen - expected) ** 2 / expected, 0);
  return (chi - freedom) / Math.sqrt(2 * freedom);
}

const each = <T>(length: number, fn: (index: number) => T): T[] => Array.from({ length }, (_, index) => fn(index));

describe('ownerOf', () => {
  it('gives each share as many units as its weight says, with every seed and every kind of unit', () => {
    const pairs: [number, number][] = [];
    for (const owners of splits.flat()) {
      const own = tally(owners, 3).map((seen, index): [number, number] => [seen, thirds[index]!.weight * count]);
      // One split by itself: 2 degrees of freedom.
      expect(strangeness(own, 2)).toBeLessThan(8);
      pairs.push(...own);
    }
    // All of them: neither too far off nor too close.
    expect(Math.abs(strangeness(pairs, 2 * families.length * seeds.length))).toBeLessThan(4);
  });

  it('draws anew with another seed, however alike the two are', () => {
    for (const bySeed of splits) {
      const pairs: [number, number][] = [];
      for (let index = 1; index < seeds.length; index++) {
        const both = bySeed[index]!.map((owner, unit) => 3 * bySeed[index - 1]![unit]! + owner);
        tally(both, 9).forEach((seen, kind) => {
          const share = thirds[Math.floor(kind / 3)]!.weight * thirds[kind % 3]!.weight;
          pairs.push([seen, share * count]);
        });
      }
      expect(Math.abs(strangeness(pairs, 8 * (seeds.length - 1)))).toBeLessThan(4);
    }
  });

  it('draws anew with other names of arms too, of which one may begin as the other', () => {
    const renamed = [share('primary2', 0.6), share('b2', 0.3), share('c2', 0.1)];
    const seen = new Map<string, number>();
    for (const unit of each(count, families[1]!)) {
      const key = `${owner(thirds, 's', unit)} ${owner(renamed, 's', unit)}`;
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const pairs = thirds.flatMap((left) =>
      renamed.map((right): [number, number] => [
        seen.get(`${left.name} ${right.name}`) ?? 0,
        left.weight * right.weight * count,
      ]),
    );
    expect(strangeness(pairs, 8)).toBeLessThan(5);
  });

  const weight = fc.double({ min: 0.001, max: 10, noNaN: true });
  const setup = fc.record({
    weights: fc.array(weight, { minLength: 2, maxLength: 6 }),
    changed: fc.nat(5),
    to: fc.oneof(fc.constant(0), weight),
    seed: fc.string({ maxLength: 20 }),
    units: fc.array(fc.string({ maxLength: 40, unit: 'binary' }), { minLength: 1, maxLength: 50 }),
  });

  it('moves only the units that an arm gains or loses when its weight changes', () => {
    fc.assert(
      fc.property(setup, ({ weights, changed, to, seed, units }) => {
        const before = weights.map((each, index) => share(`arm${index}`, each));
        const { name, weight: from } = before[changed % before.length]!;
        const after = before.map((each) => (each.name === name ? share(name, to) : each));
        for (const unit of units) {
          const [old, now] = [owner(before, seed, unit), owner(after, seed, unit)];
          if (old === now) continue;
          // It grows by what comes to it, and shrinks by what leaves it.
          expect(to > from ? now : old).toBe(name);
        }
      }),
      propertyRuns,
    );
  });

  it('moves only what its arm gains or loses when one joins or leaves, and nothing when all weights grow alike', () => {
    fc.assert(
      fc.property(setup, ({ weights, seed, units }) => {
        const all = weights.map((each, index) => share(`arm${index}`, each));
        const doubled = all.map((each) => share(each.name, each.weight * 2));
        const fewer = all.slice(1);
        for (const unit of units) {
          const with_ = owner(all, seed, unit);
          if (with_ !== 'arm0') expect(owner(fewer, seed, unit)).toBe(with_);
          // To the last bit: a power of two.
          expect(owner(doubled, seed, unit)).toBe(with_);
          // In whatever order a registry sends them.
          expect(owner(all.toReversed(), seed, unit)).toBe(with_);
        }
      }),
      propertyRuns,
    );
  });

  it('moves as many as the shares differ by when the weight of one of two arms grows', () => {
    const at = (candidate: number) => [share('primary', 1 - candidate), share('candidate', candidate)];
    const units = each(count, families[1]!);
    const moved = units.filter((unit) => owner(at(0.1), 's', unit) !== owner(at(0.25), 's', unit));
    expect(Math.abs(moved.length - 0.15 * count)).toBeLessThan(150);
    for (const unit of moved) expect(owner(at(0.25), 's', unit)).toBe('candidate');
  });

  it('is the same in every process: units stay where they are, whatever is done to this file', () => {
    const units = ['', 'a', 'user-1', 'user-2', '7f1b5c3e-9a3d-4f6e-8f0e-2b1d6a5c4e3f', 'ä', 'Ā', 'x'.repeat(256)];
    const found = ['digits/1', 'digits/2'].map((seed) => units.map((unit) => owner(thirds, seed, unit)).join(' '));
    expect(found).toEqual(['c primary primary b primary primary b b', 'c b c b c c primary primary']);
    expect(hashOf('digits/1')).toEqual({ a: 3498741363, b: 1087656432 });
  });

  it('gives nothing to a share without weight, and has no owner where there is none', () => {
    const shares = [share('primary', 1), share('b', 0)];
    for (const unit of each(1_000, families[1]!)) expect(owner(shares, 's', unit)).toBe('primary');
    expect(ownerOf([share('b', 0)], hashOf('s'), 'u')).toBeUndefined();
    expect(total(thirds)).toBeCloseTo(1);
  });
});
