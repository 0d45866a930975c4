import { describe, expect, it } from 'vitest';
import { byRendezvous } from './rendezvous.ts';

const order = (key: string, ...members: readonly string[]) => byRendezvous(key, members, (member) => member);
const keys = Array.from({ length: 3_000 }, (_, index) => `team/model-${index % 100}@${index}`);
const all = ['10.0.0.1:8011', '10.0.0.2:8011', '10.0.0.3:8011'];

describe('byRendezvous', () => {
  it('is the same whatever order members are known in', () => {
    for (const key of keys.slice(0, 100)) expect(order(key, ...[...all].reverse())).toEqual(order(key, ...all));
  });

  it('spreads keys evenly over members', () => {
    const counts = new Map(all.map((member) => [member, 0]));
    for (const key of keys) {
      const [first] = order(key, ...all);
      counts.set(first!, counts.get(first!)! + 1);
    }
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  it('moves no key between members that stay when one goes', () => {
    for (const key of keys.slice(0, 300)) {
      const before = order(key, ...all);
      expect(order(key, ...all.filter((member) => member !== all[1]))).toEqual(
        before.filter((each) => each !== all[1]),
      );
    }
  });
});
