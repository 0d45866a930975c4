import { eventually } from '@sluice/testkit/eventually';
import type { ParameterValue } from '@sluice/inference/parameters';
import { expect } from 'vitest';
import type { WireModelRoute } from '../src/watch/decode-routes.ts';
import { wireRoutes } from './routes.ts';
import type { InferOptions, InferResult, TestRegistry, TestRouter } from './world.ts';
import { temporaryFolder, testRouter, whenUp } from './world.ts';

export async function routerOf(
  registry: TestRegistry,
  runtimes: number,
  settings: Readonly<Record<string, string>> = {},
) {
  const stateDir = await temporaryFolder();
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: stateDir, ...settings });
  await whenUp(router, runtimes);
  return router;
}

/** The routes change, and every router has them. */
export async function publish(
  registry: TestRegistry,
  revision: number,
  addresses: readonly string[],
  routers: readonly TestRouter[],
  models: readonly WireModelRoute[],
): Promise<void> {
  const routes = wireRoutes(revision, models, { addresses });
  registry.publish(routes, routes);
  for (const router of routers) await eventually(async () => expect((await router.state()).revision).toBe(revision));
}

/** Parameters of a request of a sequence. @param mark `s` for its start, `e` for its end */
export function sequenceParameters(id: number | string, mark = ''): Readonly<Record<string, ParameterValue>> {
  return {
    sequence_id: typeof id === 'string' ? { kind: 'string', value: id } : { kind: 'int64', value: BigInt(id) },
    ...(mark.includes('s') && { sequence_start: { kind: 'bool', value: true } as const }),
    ...(mark.includes('e') && { sequence_end: { kind: 'bool', value: true } as const }),
  };
}

/** Infers in a sequence. */
export function ask(
  router: TestRouter,
  id: number | string,
  mark = '',
  options: InferOptions = {},
): Promise<InferResult> {
  return router.infer({ ...options, parameters: { ...sequenceParameters(id, mark), ...options.parameters } });
}

/** What a router answered, in short: the sums and the version, or how it failed. */
export const answered = ({ outcome, message, values, response }: InferResult) =>
  outcome === 'ok' ? `${values.join()}@${response!.modelVersion}` : `${outcome}: ${message}`;
export const expectLost = (result: InferResult): void =>
  expect(answered(result)).toMatch(/^failed-precondition: sequence lost: .*; send sequence_start again$/);
