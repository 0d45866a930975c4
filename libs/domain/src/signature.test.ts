import { describe, expect, it } from 'vitest';
import { instanceGroupsOf, servingDefaults } from './signature.ts';

describe('groups of instances', () => {
  it('are one of count and device where nobody made groups', () => {
    expect(instanceGroupsOf({ ...servingDefaults, instanceCount: 3, device: 'cuda' })).toEqual([
      { count: 3, device: 'cuda' },
    ]);
    expect(instanceGroupsOf(servingDefaults)).toEqual([{ count: 0, device: 'cpu' }]);
  });

  it('stand instead of count and device', () => {
    const instanceGroups = [{ count: 2, device: 'cpu' }];
    expect(instanceGroupsOf({ instanceGroups, instanceCount: 3, device: 'cuda' })).toBe(instanceGroups);
  });
});
