import { defineConfig, mergeConfig } from 'vitest/config';
import integration from './vitest.integration.config.ts';

/**
 * Integration tests of a service on its default stack, and on the other one those that hold it to the protocol: what callers see of
 * it must not depend on the stack.
 */
export default mergeConfig(
  integration,
  defineConfig({
    test: {
      projects: [
        { extends: true, test: { name: 'wire' } },
        {
          extends: true,
          test: {
            ...{ name: 'grpc-js', env: { SLUICE_TRANSPORT: 'grpc-js' } },
            exclude: ['test/**/!(surface|triton).test.ts'],
          },
        },
      ],
    },
  }),
);
