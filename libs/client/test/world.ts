import { unimplemented } from '@sluice/rpc/handlers';
import type { Handlers } from '@sluice/rpc/handlers';
import { createRpcServer } from '@sluice/rpc/server';
import type { RpcServer } from '@sluice/rpc/server';
import type { Service } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { cleanups } from './cleanups.ts';

/** Serves the given methods of a service; the others are UNIMPLEMENTED. */
export async function serve<Methods>(
  service: Service<Methods>,
  handlers: Partial<Handlers<Methods>>,
  port = 0,
): Promise<{ server: RpcServer; port: number }> {
  const logger = createLogger({ service: 't', instance: 't1', level: 'silent' });
  const metrics = createMetrics({ service: 't', instanceId: 't1', processMetrics: false });
  const server = createRpcServer({ logger, metrics, clock: systemClock });
  const names = Object.values(service.definition).map((method) => method.originalName!);
  const others = Object.fromEntries(names.map((name) => [name, unimplemented('not in this test')]));
  server.addService<Methods, Handlers<Methods>>(service, { ...others, ...handlers } as never);
  const bound = await server.bind('127.0.0.1', port);
  cleanups.push(() => server.tryShutdown(0));
  return { server, port: bound };
}
