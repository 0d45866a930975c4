import { inferenceService, registryService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, RegistryServiceMethods, Service } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { transportName } from '@sluice/testkit/transport';
import { expect } from 'vitest';
import { createRpcClient } from '../src/client.ts';
import type { RpcClient } from '../src/client.ts';
import { unimplemented } from '../src/handlers.ts';
import type { Handlers } from '../src/handlers.ts';
import { createRawClient } from '../src/raw-client.ts';
import type { RawClient, RawClientOptions } from '../src/raw-client.ts';
import { RpcServer } from '../src/server.ts';
import type { RpcServerOptions } from '../src/server.ts';
import { RpcError } from '../src/status.ts';
import { cleanups } from './cleanups.ts';

type Registry = RpcClient<RegistryServiceMethods>;

export const path = '/inference.GRPCInferenceService/ModelInfer';
/** The stack that servers of these tests stand on: each suite holds on both. */
export const transport = transportName();
function others<Methods>(service: Service<Methods>): Handlers<Methods> {
  const names = Object.values(service.definition).map((method) => method.originalName!);
  return Object.fromEntries(names.map((name) => [name, unimplemented('not in this test')])) as Handlers<Methods>;
}

export interface World {
  server: RpcServer;
  registry: Registry;
  port: number;
  logged: () => Record<string, unknown>[];
  metrics: ReturnType<typeof createMetrics>;
}

export async function start(
  registryHandlers: Partial<Handlers<RegistryServiceMethods>>,
  options: Partial<RpcServerOptions> = {},
  inference: Partial<Handlers<GRPCInferenceServiceMethods>> = {},
): Promise<World> {
  const lines: string[] = [];
  const logger = createLogger({ service: 't', instance: 't1', stream: { write: (line) => void lines.push(line) } });
  const metrics = createMetrics({ service: 't', instanceId: 't1', processMetrics: false });
  const server = new RpcServer({ logger, metrics, clock: systemClock, transport, ...options });
  server.addService(registryService, { ...others(registryService), ...registryHandlers });
  server.addService(inferenceService, { ...others(inferenceService), ...inference });
  const port = await server.bind('127.0.0.1', 0);
  const registry = createRpcClient(registryService, `127.0.0.1:${port}`, { clock: systemClock });
  cleanups.push(
    () => server.tryShutdown(0),
    () => registry.close(),
  );
  const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { server, registry, port, logged, metrics };
}

export async function failureOf(call: Promise<unknown>): Promise<RpcError> {
  const error: unknown = await call.then(
    () => expect.unreachable('the call succeeded'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RpcError);
  return error as RpcError;
}

export async function collect<T>(messages: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const message of messages) into.push(message);
  return into;
}

/** A raw client on the same stack. */
export function rawClientOf(port: number, options: RawClientOptions = {}): RawClient {
  const client = createRawClient(`127.0.0.1:${port}`, { transport, ...options });
  cleanups.push(() => client.close());
  return client;
}
