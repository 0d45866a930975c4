import { existsSync } from 'node:fs';
import path from 'node:path';
import { defineConfig, mergeConfig } from 'vitest/config';
import { unit } from './vitest.config.ts';

/** What a project starts once for all of its files. */
const globalSetup = path.resolve('test/global-setup.ts');

/** What is to happen after each test of any file. */
const afterEach = path.resolve('test/after-each.ts');

/**
 * Integration tests of one project (`--dir`): real Postgres, real gRPC, real processes. One file at a time, but for the
 * registry, whose files wait for processes and for their databases, the model server, whose files wait for loads, and wire:
 * two at a time (their package.json).
 */
export default mergeConfig(
  // mergeConfig joins lists: without this the unit tests would run here too.
  { ...unit, test: { ...unit.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/**/*.test.ts'],
      fileParallelism: false,
      // But where a project says --no-isolate: its files take turns in a worker, as those of unit tests do.
      isolate: true,
      testTimeout: 180_000,
      hookTimeout: 240_000,
      setupFiles: existsSync(afterEach) ? [afterEach] : [],
      globalSetup: existsSync(globalSetup) ? [globalSetup] : [],
    },
  }),
);
