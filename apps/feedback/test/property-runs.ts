import { env } from 'node:process';

/** How often Postgres is killed while spools deliver: once by default, often in `npm run soak`. */
export const killRounds = Number(env['SLUICE_PROPERTY_RUNS'] ?? 1);

/** Labels that one stream brings: some by default, a million in `npm run soak`. */
export const streamedLabels = env['SLUICE_PROPERTY_RUNS'] === undefined ? 4_000 : 20_000 * killRounds;
