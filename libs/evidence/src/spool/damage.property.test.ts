import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/property-runs.ts';
import { SpoolRig, blockOf, folder, put, quiet, readAll, textOf } from '../../test/spool-rig.ts';
import { frameOverhead } from './frame.ts';

const count = 15;
const length = 100;
const frame = frameOverhead + length;

describe('a disk that gives other bytes than it got', () => {
  it(
    'K2 costs the blocks that they lie in, and nothing else, wherever it is',
    { timeout: 30_000 + 100 * propertyRuns.numRuns },
    async () => {
      const damage = fc.record({
        which: fc.nat(2),
        share: fc.double({ min: 0, max: 0.999, noNaN: true }),
        octets: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (all) => {
          const rig = new SpoolRig();
          const spool = await rig.open();
          for (let each = 1; each <= count; each++) await put(spool, blockOf(each, length));
          await spool.close();
          const owed = new Set(Array.from({ length: count }, (_, each) => String(each + 1)));
          for (const { which, share, octets } of all) {
            rig.files.disk.find(`${folder}/000000000${which + 1}.segment`).damage((bytes) => {
              const at = Math.floor(share * bytes.length);
              bytes.set(octets.subarray(0, bytes.length - at), at);
              // Six blocks to a segment, behind a mark.
              for (let each = 0; each < 6; each++) {
                const from = frameOverhead + each * frame;
                if (at < from + frame && at + octets.length > from) owed.delete(String(6 * which + each + 1));
              }
            });
          }
          const again = await rig.open();
          const read = (await readAll(again)).map(textOf);
          const asNumbers = read.map(Number);
          expect(asNumbers).toEqual([...asNumbers].sort((one, other) => one - other));
          for (const name of owed) expect(read).toContain(name);
          for (const name of read) expect(Number(name)).toBeGreaterThan(0);
          expect(new Set(read).size).toBe(read.length);
          await put(again, blockOf(99));
          await quiet(again);
          expect((await readAll(again)).map(textOf)).toEqual([...read, '99']);
        }),
        { ...propertyRuns, numRuns: Math.ceil(propertyRuns.numRuns / 3) },
      );
    },
  );
});
