import { defineConfig, mergeConfig } from 'vitest/config';
import integration from './vitest.integration.config.ts';

/** The suite of servers holds on both stacks, whichever is the default. */
export default mergeConfig(
  integration,
  defineConfig({
    test: {
      projects: ['grpc-js', 'wire'].map((transport) => ({
        extends: true,
        test: { name: transport, env: { SLUICE_TRANSPORT: transport } },
      })),
    },
  }),
);
