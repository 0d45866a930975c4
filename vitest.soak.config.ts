import { defineConfig, mergeConfig } from 'vitest/config';
import integration from './vitest.integration.config.ts';

const hour = 3_600_000;

/** All tests of one project with the full numbers that `npm run soak` sets: hours instead of seconds. */
export default mergeConfig(
  integration,
  defineConfig({
    test: { include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 4 * hour, hookTimeout: hour },
  }),
);
