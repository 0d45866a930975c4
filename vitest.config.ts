import { defineConfig } from 'vitest/config';

// Never 'import' or 'default' here: vitest hands these to Node, and require() would then load ES modules (protobufjs loses `long`).
const conditions = ['@sluice/source', 'module', 'node'];

/** Unit and contract tests of one project (`--dir`): no processes, no ports, no Postgres. */
export const unit = defineConfig({
  ssr: { resolve: { conditions } },
  resolve: { conditions },
  test: {
    include: ['src/**/*.test.ts'],
    pool: 'forks',
    execArgv: ['--conditions=@sluice/source'],
    testTimeout: 20_000,
  },
});

export default unit;
