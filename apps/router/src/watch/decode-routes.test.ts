import { defaultCapture } from '@sluice/domain/release';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRelease } from '../../test/routes.ts';
import { decodeModelRoute } from './decode-routes.ts';

describe('decodeModelRoute', () => {
  it('has of a version what its evidence needs: whether it has a task, and the names of its columns', () => {
    const wire = wireModel({ placed: [2, 3] });
    const [two, three] = wire.placed;
    three!.hasTask = true;
    const feature = { min: 0, max: 120, nullable: true };
    three!.signature!.inputs[0]!.features = [
      { name: 'age', ...feature },
      { name: 'income', nullable: false },
    ];
    const { placed } = decodeModelRoute({ ...wire, placed: [two!, three!] });
    expect([placed.get(2)!.hasTask, placed.get(3)!.hasTask]).toEqual([false, true]);
    expect(placed.get(3)!.signature.inputs[0]!.features).toEqual([
      { name: 'age', nullable: true },
      { name: 'income', nullable: false },
    ]);
    expect(placed.get(2)!.signature.inputs[0]!.features).toEqual([]);
  });

  it('has arms with their release, and what is the same for every request', () => {
    const arms = { a: [3, 'PRIMARY', 3], b: [4, 'CANDIDATE', 1], s: [5, 'SHADOW', 1] } as const;
    const { release } = decodeModelRoute(wireModel({ release: { arms, rules: [['r', 'k', 'v', 'b']] } }));
    expect(release!.primary?.name).toBe('a');
    expect(release!.shadows.map(({ name }) => name)).toEqual(['s']);
    expect([release!.totalWeight, release!.only, release!.rules.length]).toEqual([4, undefined, 1]);
    for (const arm of release!.arms) {
      expect(arm.release).toBe(release!.release);
      expect(arm.versionDigest).toBe(`d${arm.version}`);
    }
    expect(release!.arms.map(({ propensity }) => propensity)).toEqual([0.75, 0.25, 0]);
  });

  it('has the policy of the model; of a registry that sends none the default', () => {
    const { capture } = wireRelease('digits', 3);
    const told = { ...capture!, rate: 0.25, durability: 'DURABILITY_DURABLE' as const };
    expect(decodeModelRoute(wireModel({ capture: told })).capture).toMatchObject({ rate: 0.25, durability: 'durable' });
    expect(decodeModelRoute(wireModel()).capture).toBe(defaultCapture);
  });

  it('refuses a weight that is none', () => {
    for (const weight of [-1, Infinity, Number.NaN]) {
      const wire = wireModel({ release: 3 });
      wire.release!.arms[0]!.weight = weight;
      expect(() => decodeModelRoute(wire)).toThrow(
        `the registry sent routes that cannot be read: arm primary weight is ${weight}`,
      );
    }
  });
});
