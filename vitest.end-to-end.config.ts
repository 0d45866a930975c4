import { defineConfig, mergeConfig } from 'vitest/config';
import integration from './vitest.integration.config.ts';

/** What measures what a load feels has the machine for itself. */
const alone = 'survival|replicas|promotion';

/** A clone that has nothing yet: what runs these tests in CI was one a moment ago. `npm run soak` has it. */
const soak = 'test/fresh-clone.test.ts';

/** End-to-end tests: two files at a time, and then those that stand under load, one by one. */
export default mergeConfig(
  integration,
  defineConfig({
    test: {
      projects: [
        {
          extends: true,
          test: {
            name: 'together',
            exclude: [`test/@(${alone}).test.ts`, soak],
            fileParallelism: true,
            maxWorkers: 2,
            sequence: { groupOrder: 0 },
          },
        },
        {
          extends: true,
          test: { name: 'alone', exclude: [`test/!(${alone}).test.ts`], maxWorkers: 1, sequence: { groupOrder: 1 } },
        },
      ],
    },
  }),
);
