import { env } from 'node:process';

/** How often Postgres is killed while spools deliver: once by default, often in `npm run soak`. */
export const killRounds = Number(env['SLUICE_PROPERTY_RUNS'] ?? 1);
