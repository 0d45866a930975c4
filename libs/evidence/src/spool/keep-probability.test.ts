import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/property-runs.ts';
import { SpoolRig, blockOf, put, quiet } from '../../test/spool-rig.ts';
import type { Reservation } from './contract.ts';
import { keepAllBelow, keepLeastFrom, keepProbability, leastProbability } from './keep-probability.ts';
import type { Spool } from './spool.ts';

describe('the keep-probability', () => {
  it('P1 is 1 while half is free, and never under a hundredth', () => {
    expect([0, 0.3, keepAllBelow].map(keepProbability)).toEqual([1, 1, 1]);
    expect(keepProbability(keepAllBelow + 0.001)).toBeLessThan(1);
    expect(keepProbability(keepLeastFrom - 0.001)).toBeGreaterThan(leastProbability);
    expect([keepLeastFrom, 0.95, 1].map(keepProbability)).toEqual([0.01, 0.01, 0.01]);
  });

  it('P2 falls by the same factor for each step, without a jump', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, (one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        const [before, after] = [keepProbability(less), keepProbability(more)];
        expect(after).toBeLessThanOrEqual(before);
        const steepest = leastProbability ** ((more - less) / (keepLeastFrom - keepAllBelow));
        expect(after / before).toBeGreaterThanOrEqual(steepest * (1 - 1e-9));
      }),
      propertyRuns,
    );
    const middle = (keepAllBelow + keepLeastFrom) / 2;
    expect(keepProbability(middle)).toBeCloseTo(0.1, 10);
  });

  describe('where room is short for another reason', () => {
    const sizes = { segmentBytes: 8192, maxBytes: 65_536, flushBytes: 10_000 };
    const fill = (spool: Spool): number[] => {
      const seen: number[] = [];
      do seen.push(spool.keepProbability());
      while (spool.append(blockOf(seen.length), 1) !== undefined);
      return seen;
    };

    it('P4 falls before best-effort blocks are dropped in memory', async () => {
      const rig = new SpoolRig({ ...sizes, bufferBytes: 2000 });
      const spool = await rig.open();
      rig.files.isHeld = true;
      const seen = fill(spool);
      expect([seen[0], seen.at(-1)]).toEqual([1, 0.01]);
      spool.flush();
      await rig.files.run();
      await quiet(spool);
      expect(spool.keepProbability()).toBe(1);
    });

    it('P4 falls before they are dropped between reservations', async () => {
      const rig = new SpoolRig({ ...sizes, bufferBytes: 100_000 });
      const spool = await rig.open();
      await put(spool, blockOf(1, 8000));
      rig.files.isHeld = true;
      const reservations: Reservation[] = [];
      for (let next = spool.reserve(956); next; next = spool.reserve(956)) reservations.push(next);
      expect(reservations).toHaveLength(7);
      const seen = fill(spool);
      expect(seen[0]).toBe(1);
      expect(seen).toEqual(seen.toSorted((one, other) => other - one));
      expect(seen.at(-1)).toBeLessThan(0.05);
      for (const each of reservations) each.release();
      expect(spool.keepProbability()).toBe(1);
    });

    it('P4 is at its least while blocks wait for a segment', async () => {
      const rig = new SpoolRig(sizes);
      const spool = await rig.open();
      rig.files.disk.capacity = rig.files.disk.bytes;
      rig.files.fault = ({ kind }) => (kind === 'sync' ? 'EIO' : undefined);
      spool.append(blockOf(1), 1);
      spool.flush();
      await quiet(spool);
      spool.append(blockOf(2), 1);
      spool.flush();
      await quiet(spool);
      expect([spool.reserve(10), spool.keepProbability()]).toEqual([undefined, 0.01]);
    });
  });
});
