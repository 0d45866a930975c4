import { env } from 'node:process';

/** How many cases property tests try, and from which seed: soak runs set more, a failure is repeated with its seed. */
export const propertyRuns = {
  numRuns: Number(env['SLUICE_PROPERTY_RUNS'] ?? 1_000),
  ...(env['SLUICE_PROPERTY_SEED'] === undefined ? {} : { seed: Number(env['SLUICE_PROPERTY_SEED']) }),
};
