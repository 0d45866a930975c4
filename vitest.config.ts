import path from 'node:path';
import { defineConfig } from 'vitest/config';

// Never 'import' or 'default' here: vitest hands these to Node, and require() would then load ES modules (protobufjs loses `long`).
const conditions = ['@sluice/source', 'module', 'node'];

/** Where `npm test` collects the counts; unset when a person runs vitest. */
const results = process.env.SLUICE_TEST_RESULTS;
const report = path.join(results ?? '', `${path.basename(process.cwd())}-${process.pid}.json`);

/** Where Node keeps what it has compiled: hundreds of processes of a run load the same modules. */
const compileCache = path.join(import.meta.dirname, 'node_modules', '.cache', 'compile');

/** Unit and contract tests of one project (`--dir`): no processes, no ports, no Postgres. */
export const unit = defineConfig({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    include: ['src/**/*.test.ts'],
    pool: 'forks',
    // Files take turns in a worker: each in one of its own would load the same modules again, which takes longer than its tests.
    isolate: false,
    restoreMocks: true,
    unstubGlobals: true,
    execArgv: ['--conditions=@sluice/source'],
    env: { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCache },
    testTimeout: 20_000,
    ...(results === undefined ? {} : { reporters: ['default', ['json', { outputFile: report }]] }),
  },
});

export default unit;
