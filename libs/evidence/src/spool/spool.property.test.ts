import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../../test/property-runs.ts';
import { SpoolModel, steps } from '../../test/spool-model.ts';

/** Each of them is a life of a spool. */
const few = { numRuns: Math.ceil(propertyRuns.numRuns / 3) };

describe('whatever happens', () => {
  it('K1 what was said to be on disk is delivered', { timeout: 30_000 + 100 * propertyRuns.numRuns }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const model = new SpoolModel();
        for (const step of all) await model.do(step);
        await model.finish();
        expect(model.failure).toBe(undefined);
      }),
      { ...propertyRuns, ...few, plugins: [fc.timeout(20_000)] },
    );
  });
});
