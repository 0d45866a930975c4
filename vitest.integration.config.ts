import { defineConfig, mergeConfig } from 'vitest/config';
import { unit } from './vitest.config.ts';

/** Integration tests of one project (`--dir`): real Postgres, real gRPC on port 0, real processes. One file at a time. */
export default mergeConfig(
  unit,
  defineConfig({
    test: { include: ['test/**/*.test.ts'], fileParallelism: false, testTimeout: 60_000, hookTimeout: 120_000 },
  }),
);
