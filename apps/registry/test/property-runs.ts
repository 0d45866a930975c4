import { env } from 'node:process';

/** How often, and from which seed, property tests run: small by default, large in `npm run soak`. */
export const propertyRuns: { readonly numRuns: number; readonly seed?: number } = {
  numRuns: Number(env['SLUICE_PROPERTY_RUNS'] ?? 500),
  ...(env['SLUICE_PROPERTY_SEED'] === undefined ? {} : { seed: Number(env['SLUICE_PROPERTY_SEED']) }),
};

/** True where the run may take long and write much. */
export const isSoak = propertyRuns.numRuns >= 10_000 || env['SLUICE_SOAK'] === '1';
