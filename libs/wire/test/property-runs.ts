import { env } from 'node:process';

/** How often, and from which seed, property tests run: some seconds' worth by default, minutes' worth in `npm run soak`. */
export const propertyRuns: { readonly numRuns: number; readonly seed?: number } = {
  numRuns: Number(env['SLUICE_PROPERTY_RUNS'] ?? 2000),
  ...(env['SLUICE_PROPERTY_SEED'] === undefined ? {} : { seed: Number(env['SLUICE_PROPERTY_SEED']) }),
};

/** The same for a property that costs more: a part of as many runs. */
export const fewerRuns = (part: number): typeof propertyRuns => ({
  ...propertyRuns,
  numRuns: Math.ceil(propertyRuns.numRuns / part),
});
