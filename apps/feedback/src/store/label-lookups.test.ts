import { describe, expect, it } from 'vitest';
import { idAt } from '../../test/evidence.ts';
import { runsOf } from './label-lookups.ts';

const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 29, 12);

describe('runs of ids', () => {
  it('are in ascending order, and end where more than a day has none', () => {
    const ids = [0, 1, 2, 30, 31, 700].map((days) => idAt(now - days * dayMs));
    expect(runsOf(ids)).toEqual([[ids[5]], [ids[4], ids[3]], [ids[2], ids[1], ids[0]]]);
    expect(runsOf([])).toEqual([]);
  });

  it('take what is no id of a time as it lies', () => {
    const [low, high] = ['00000000-0000-4000-8000-000000000000', 'ffffffff-ffff-4fff-8fff-ffffffffffff'];
    expect(runsOf([high, low, low])).toEqual([[low, low], [high]]);
  });
});
