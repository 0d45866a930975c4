import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NumberMap } from './number-map.ts';

interface Named {
  readonly name: string;
}

describe('a map from numbers', () => {
  it('does what a Map does', () => {
    // Few enough keys that they meet again; the largest ones, and ones that share their low bits.
    const key = fc.oneof(fc.nat(300), fc.constantFrom(0xffff_ffff, 0x8000_0000, 64, 128, 4096, 1 << 20));
    const step = fc.tuple(fc.constantFrom('set', 'set', 'delete'), key);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const [subject, expected] = [new NumberMap<Named>(), new Map<number, Named>()];
        for (const [index, [name, number]] of steps.entries()) {
          if (name === 'set') {
            const value = { name: `${number}/${index}` };
            subject.set(number, value);
            expected.set(number, value);
          } else {
            expect(subject.delete(number)).toBe(expected.delete(number));
          }
          expect(subject.get(number)).toBe(expected.get(number));
          expect(subject.has(number)).toBe(expected.has(number));
        }
        expect(subject.size).toBe(expected.size);
        for (const [number, value] of expected) expect(subject.get(number)).toBe(value);
        const sorted = [...expected].sort(([one], [other]) => one - other);
        expect(subject.values()).toEqual(sorted.map(([, value]) => value));
      }),
      { numRuns: 200 },
    );
  });

  it('keeps what is open among a million that come and go', () => {
    const map = new NumberMap<Named>();
    let removed = 0;
    for (let number = 1; number < 2_000_000; number += 2) {
      map.set(number, { name: String(number) });
      if (number > 200 && map.delete(number - 200)) removed++;
    }
    expect([map.size, removed]).toEqual([100, 999_900]);
    expect(map.get(1_999_999)?.name).toBe('1999999');
    expect(map.get(1_999_799)).toBeUndefined();
  });

  it('may lose any of its values while they are read, and reads each once', () => {
    const map = new NumberMap<{ number: number }>();
    for (let number = 0; number < 100; number++) map.set(number, { number });
    const seen: number[] = [];
    map.forEach(({ number }) => {
      seen.push(number);
      for (let other = 0; other < 100; other++) map.delete(other);
    });
    expect(seen).toEqual([...Array(100).keys()]);
    expect(map.size).toBe(0);
  });

  it('is empty after clear, and usable', () => {
    const map = new NumberMap<Named>();
    for (let number = 0; number < 1000; number++) map.set(number, { name: 'a' });
    map.clear();
    expect([map.size, map.has(7), map.values()]).toEqual([0, false, []]);
    map.set(7, { name: 'b' });
    expect(map.get(7)?.name).toBe('b');
  });
});
