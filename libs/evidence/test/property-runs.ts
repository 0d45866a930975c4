import { env } from 'node:process';

/** How often, and from which seed, property tests run: small by default, large in `npm run soak`. */
export const propertyRuns: { readonly numRuns: number; readonly seed?: number } = {
  numRuns: Number(env['SLUICE_PROPERTY_RUNS'] ?? 300),
  ...(env['SLUICE_PROPERTY_SEED'] === undefined ? {} : { seed: Number(env['SLUICE_PROPERTY_SEED']) }),
};
