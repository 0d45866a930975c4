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
    expect([room.reserve(60), room.reserve(41), room.reserve(40)]).toEqual([true, false, true]);
    expect(room.place(1, false)).toBe(undefined);
    room.release(40);
    expect([room.place(41, false), room.place(40, false)]).toEqual([undefined, 'written']);
    // A spare segment holds the reservation, so that the rest of the first one is free.
    room.offer();
    expect([room.place(60, false), room.place(41, false), room.free]).toEqual(['written', undefined, 40]);
    room.release(60);
    expect(room.place(60, false)).toBe('spare');
  });

  it('A3 that is owed goes before what is reserved', () => {
    const room = begun();
    room.reserve(100);
    expect([room.place(1, false), room.place(30, true), room.rest]).toEqual([undefined, 'written', 70]);
    expect(room.reserve(1)).toBe(false);
  });

  it('A4 holds all reservations at any time', { timeout: 20_000 + 10 * propertyRuns.numRuns }, () => {
    const step = fc.tuple(
      fc.constantFrom('reserve', 'use', 'place', 'offer', 'roll'),
      fc.integer({ min: 1, max: 100 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (all) => {
        const room = new Room(100);
        const reserved: number[] = [];
        for (const [kind, size] of all) {
          if (kind === 'reserve' && room.reserve(size)) reserved.push(size);
          else if (kind === 'place') room.place(size, false);
          else if (kind === 'offer') room.offer();
          else if (kind === 'roll' && room.hasSpare) room.roll();
          else if (kind === 'use' && reserved.length > 0) {
            const [used] = reserved.splice(size % reserved.length, 1);
            room.release(used!);
            expect(room.place(used!, false)).toBeDefined();
          }
          const sum = reserved.reduce((total, each) => total + each, 0);
          expect(room.reserved).toBe(sum);
          expect(sum).toBeLessThanOrEqual(Math.max(room.rest, room.hasSpare ? room.capacity : 0));
        }
      }),
      propertyRuns,
    );
  });
});
