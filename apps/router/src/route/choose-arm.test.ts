import { describe, expect, it } from 'vitest';
import { draws, modelRoute } from '../../test/routes.ts';
import type { ArmFacts, ReleaseFacts } from '../../test/routes.ts';
import { chooseArm } from './choose-arm.ts';

const arms: Readonly<Record<string, ArmFacts>> = {
  a: [3, 'PRIMARY', 0.75],
  b: [4, 'CANDIDATE', 0.25],
  s: [5, 'SHADOW', 1],
};
const routeOf = (facts: ReleaseFacts) => modelRoute({ release: facts, placed: [3, 4, 5] }).release!;
const route = routeOf({
  arms,
  rules: [
    ['to-shadow', 'sluice-caller', 'lab', 's'],
    ['to-nobody', 'sluice-caller', 'lab', 'gone'],
    ['lab', 'sluice-caller', 'lab', 'b'],
    ['late', 'sluice-caller', 'lab', 'a'],
  ],
});
const none = { arm: undefined, unit: undefined };
const bare = { metadata: () => undefined };
const from = (caller: string) => ({ metadata: (key: string) => (key === 'sluice-caller' ? caller : undefined) });

describe('chooseArm', () => {
  it('splits by weight at random without a unit key, and never lets a shadow answer', () => {
    const chosen = [0, 0.74, 0.76, 0.999].map((point) => chooseArm(route, none, bare, draws(point)));
    expect(chosen.map(({ arm }) => arm.name)).toEqual(['a', 'a', 'b', 'b']);
    for (const { reason, rule } of chosen) expect([reason, rule]).toEqual(['weight', '']);
  });

  it('gives a unit always the same arm, about as often as its weight says, and says that it was the unit', () => {
    const units = Array.from({ length: 2_000 }, (_, index) => `user-${index}`);
    const chosen = units.map((unit) => chooseArm(route, { arm: undefined, unit }, bare, draws(0.999)));
    for (const [index, unit] of units.entries())
      expect(chooseArm(route, { arm: undefined, unit }, bare, draws(0))).toBe(chosen[index]);
    expect(new Set(chosen.map(({ reason }) => reason))).toEqual(new Set(['unit']));
    expect(Math.abs(chosen.filter(({ arm }) => arm.name === 'b').length - 500)).toBeLessThan(80);
    const other = routeOf({ arms, seedId: 'digits/2' });
    const moved = units.filter((unit, index) => {
      const { arm } = chooseArm(other, { arm: undefined, unit }, bare, draws(0));
      return arm.name !== chosen[index]!.arm.name;
    });
    expect(moved.length).toBeGreaterThan(600);
  });

  it('follows the first rule whose arm answers, before units and weights', () => {
    const { arm, reason, rule } = chooseArm(route, { arm: undefined, unit: 'user-1' }, from('lab'), draws(0));
    expect([arm.name, reason, rule]).toEqual(['b', 'rule', 'lab']);
    expect(chooseArm(route, none, from('shop'), draws(0)).reason).toBe('weight');
  });

  it('takes the forced arm before rules, and no shadow', () => {
    const forced = chooseArm(route, { arm: 'a', unit: undefined }, from('lab'), draws(0.999));
    expect([forced.arm.name, forced.reason]).toEqual(['a', 'forced']);
    for (const arm of ['s', 'gone'])
      expect(() => chooseArm(route, { arm, unit: undefined }, bare, draws(0))).toThrow(
        `metadata sluice-arm: the release of digits has no arm '${arm}' that answers; expected 'a', 'b'`,
      );
  });

  it('has no choice where one arm answers, whatever shadows there are', () => {
    const only = routeOf({ arms: { a: arms['a']!, s: arms['s']! }, rules: [['r', 'sluice-caller', 'lab', 'a']] });
    for (const said of [none, { arm: undefined, unit: 'u' }]) {
      const { arm, reason, rule } = chooseArm(only, said, from('lab'), draws(0.999));
      expect([arm.name, reason, rule]).toEqual(['a', 'only-arm', '']);
    }
    expect(chooseArm(only, { arm: 'a', unit: undefined }, bare, draws(0)).reason).toBe('forced');
  });

  it('gives all to an arm whose weight is all there is, and to the primary where there is none', () => {
    const all = routeOf({ arms: { a: [3, 'PRIMARY', 0], b: [4, 'CANDIDATE', 1] } });
    const nothing = routeOf({ arms: { b: [4, 'CANDIDATE', 0], a: [3, 'PRIMARY', 0] } });
    for (const point of [0, 0.5, 0.999])
      for (const unit of [undefined, 'user-1', 'user-2']) {
        expect(chooseArm(all, { arm: undefined, unit }, bare, draws(point)).arm.name).toBe('b');
        expect(chooseArm(nothing, { arm: undefined, unit }, bare, draws(point)).arm.name).toBe('a');
      }
  });

  it('makes no object for a request', () => {
    for (const said of [none, { arm: undefined, unit: 'u' }, { arm: 'a', unit: undefined }]) {
      const one = chooseArm(route, said, bare, draws(0));
      expect(chooseArm(route, said, bare, draws(0))).toBe(one);
    }
  });
});
