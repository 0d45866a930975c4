import { env } from 'node:process';

/**
 * Where Node keeps what it has compiled, as a setting of processes that get an environment of their own: most of a start from
 * TypeScript is compiling. Empty outside a run of vitest, whose configuration names the folder.
 */
export const compileCacheSetting = (): Readonly<Record<string, string>> =>
  env['NODE_COMPILE_CACHE'] === undefined ? {} : { NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] };
