import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/property-runs.ts';
import { Room } from './room.ts';

function begun(): Room {
  const room = new Room(100);
  room.offer();
  room.roll();
  return room;
}

describe('room', () => {
  it('A1 is given up to the last byte, and not one more', () => {
    const room = begun();
    expect(room.place(100, false)).toBe('written');
    expect([room.rest, room.place(1, false)]).toEqual([0, undefined]);
    room.offer();
    expect(room.place(101, false)).toBe(undefined);
    expect([room.place(1, false), room.rest, room.hasSpare]).toEqual(['spare', 99, false]);
  });

  it('A2 that is reserved is not given to others', () => {
    const room = begun();
    expect([room.reserve(50), room.reserve(51), room.reserve(38)]).toEqual([true, false, true]);
    expect([room.place(13, false), room.place(12, false), room.place(1, false)]).toEqual([
      ...[undefined, 'written', undefined],
    ]);
    room.release(38);
    expect([room.place(39, false), room.place(38, false)]).toEqual([undefined, 'written']);
    // A spare segment holds the reservation, so that the rest of the first one is free.
    room.offer();
    expect([room.place(50, false), room.place(51, false), room.free]).toEqual(['written', undefined, 50]);
    room.release(50);
    expect(room.place(50, false)).toBe('spare');
  });

  it('A3 that is owed goes before what is reserved', () => {
    const room = begun();
    room.reserve(100);
    expect([room.place(1, false), room.place(30, true), room.rest]).toEqual([undefined, 'written', 70]);
    expect(room.reserve(1)).toBe(false);
  });

  it('A4 holds all reservations at any time, in any order', { timeout: 20_000 + 10 * propertyRuns.numRuns }, () => {
    const step = fc.tuple(
      fc.constantFrom('reserve', 'reserve', 'use', 'join', 'place', 'offer', 'roll'),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.infiniteStream(fc.nat(100)), (all, order) => {
        const room = new Room(100);
        const reserved: number[] = [];
        const use = (choice: number, less: number): void => {
          const [used] = reserved.splice(choice % reserved.length, 1);
          room.release(used!);
          expect(room.place(Math.max(1, used! - less), false)).toBeDefined();
        };
        const join = (choice: number, less: number): void => {
          const at = choice % (reserved.length - 1);
          const [one, other] = [reserved[at]!, reserved[at + 1]!];
          const size = Math.max(1, one + other - less);
          const free = room.free;
          if (room.join(one, other, size)) reserved.splice(at, 2, size);
          expect(room.free).toBeGreaterThanOrEqual(Math.min(free, room.bestEffortBytes));
        };
        for (const [kind, size, less] of all) {
          if (kind === 'reserve' && room.reserve(size)) reserved.push(size);
          else if (kind === 'place') room.place(size, false);
          else if (kind === 'offer') room.offer();
          else if (kind === 'roll' && room.canRoll) room.roll();
          else if (kind === 'use' && reserved.length > 0) use(size, less);
          else if (kind === 'join' && reserved.length > 1) join(size, less);
          expect(room.reserved).toBe(reserved.reduce((total, each) => total + each, 0));
        }
        for (const choice of order) {
          if (reserved.length === 0) break;
          // Best-effort blocks that come meanwhile get what is left.
          room.place(1 + choice, false);
          use(choice, 0);
        }
      }),
      propertyRuns,
    );
  });

  it('A12 is reserved for one block instead of two, where all that is reserved has room then', () => {
    const room = begun();
    for (let each = 0; each < 3; each++) expect(room.reserve(25)).toBe(true);
    expect([room.join(25, 25, 51), room.join(25, 25, 40), room.reserved, room.free]).toEqual([false, true, 65, 35]);
    // One block of 20 instead of two of 10: so much more may be lost at the end of the first segment, and nothing is left to lose.
    const tight = begun();
    tight.offer();
    expect(tight.place(40, false)).toBe('written');
    for (let each = 0; each < 11; each++) expect(tight.reserve(10)).toBe(true);
    expect([tight.place(30, false), tight.free]).toEqual(['written', 10]);
    expect([tight.join(10, 10, 20), tight.reserved, tight.free]).toEqual([false, 110, 10]);
    tight.offer();
    expect([tight.join(10, 10, 20), tight.reserved]).toEqual([true, 110]);
    // A segment is the largest block.
    const wide = begun();
    for (let each = 0; each < 2; each++) wide.offer();
    for (let each = 0; each < 2; each++) expect(wide.reserve(55)).toBe(true);
    expect([wide.join(55, 55, 101), wide.reserved, wide.join(55, 55, 100), wide.reserved]).toEqual([
      ...[false, 110, true, 100],
    ]);
  });

  it('A10 is reserved over several segments, where there are spare ones; more are asked for in time', () => {
    const room = begun();
    for (let each = 0; each < 8; each++) expect(room.reserve(10)).toBe(true);
    expect([room.reserve(10), room.wantsSpare]).toEqual([false, true]);
    room.offer();
    // As long as what is reserved is less than half of it, no more is made.
    expect([room.wantsSpare, room.free]).toEqual([false, 120]);
    expect([room.reserve(10), room.wantsSpare]).toEqual([true, true]);
    for (let each = 0; each < 8; each++) expect(room.reserve(10)).toBe(true);
    // Of each segment but one, what is less than the largest may be lost.
    expect([room.reserved, room.free, room.reserve(10)]).toEqual([170, 20, false]);
    room.offer();
    expect(room.reserve(10)).toBe(true);
  });

  it('A4 counts what is lost between segments', () => {
    const room = begun();
    for (let each = 0; each < 3; each++) room.offer();
    for (let each = 0; each < 3; each++) expect(room.reserve(60)).toBe(true);
    // Each of them needs a segment of its own.
    expect([room.place(100, false), room.place(1, false)]).toEqual(['written', undefined]);
    for (let each = 0; each < 3; each++) {
      room.release(60);
      expect(room.place(60, false)).toBe('spare');
    }
  });

  it('A10 is asked for by who was refused', () => {
    const room = begun();
    room.offer();
    expect([room.reserve(10), room.wantsSpare]).toEqual([true, false]);
    expect([room.reserve(95), room.wantsSpare]).toEqual([false, true]);
    room.offer();
    expect([room.wantsSpare, room.reserve(95)]).toEqual([false, true]);
  });

  it('A10 is not asked for where it would not help', () => {
    const room = begun();
    room.offer();
    expect([room.reserve(100), room.reserve(100), room.wantsSpare]).toEqual([true, false, false]);
    room.offer();
    expect([room.reserve(100), room.wantsSpare]).toEqual([false, false]);
  });

  it('A10 is kept when the next segment is begun before its time', () => {
    const room = begun();
    expect(room.canRoll).toBe(false);
    room.offer();
    for (let each = 0; each < 15; each++) room.reserve(10);
    expect([room.reserved, room.canRoll]).toEqual([150, false]);
    room.offer();
    expect(room.canRoll).toBe(true);
  });

  it('A11 is left to best-effort blocks: an eighth of a segment, beside all reservations but a single one', () => {
    const room = begun();
    expect(room.reserve(100)).toBe(true);
    room.release(100);
    for (let each = 0; each < 8; each++) room.reserve(10);
    expect([room.reserved, room.free, room.reserve(9), room.reserve(8)]).toEqual([80, 20, false, true]);
    expect([room.place(12, false), room.place(1, false)]).toEqual(['written', undefined]);
  });
});
