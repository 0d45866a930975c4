import { describe, expect, it } from 'vitest';
import { idTime } from '../evidence/days.ts';
import { ItemIds } from './item-ids.ts';

describe('ids of items', () => {
  it('are UUIDs of version 7 that rise, however many are of one time, and when the clock is set back', () => {
    const ids = new ItemIds();
    const ms = 1_764_403_200_000;
    const made = [
      ...Array.from({ length: 5_000 }, () => ids.next(ms + 0.7)),
      ids.next(ms + 1),
      ids.next(ms - 5_000),
      ids.next(ms + 2),
    ];
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
    expect(made.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
    expect([made[0], made.at(-3), made.at(-2), made.at(-1)].map((id) => idTime(id!))).toEqual([
      ...[ms, ms + 1, ms + 1, ms + 2],
    ]);
    // What is not time or number is at random.
    const other = new ItemIds();
    expect(other.next(ms).slice(-12)).not.toBe(made[0]!.slice(-12));
  });

  it('take the next millisecond where one has no numbers left', () => {
    const ids = new ItemIds(3);
    const made = Array.from({ length: 9 }, () => ids.next(1_000));
    expect(made.toSorted()).toEqual(made);
    expect(made.map((id) => idTime(id)! - 1_000)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2]);
  });
});
