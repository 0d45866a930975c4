import { registryService } from '@sluice/contracts/services';
import type { RegistryServiceMethods } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { transportName } from '@sluice/testkit/transport';
import { unimplemented } from '../src/handlers.ts';
import type { Handlers } from '../src/handlers.ts';
import { createRpcServer } from '../src/server.ts';

// The server of lost-peer.test.ts: tells its parent its port and of every request.
const server = createRpcServer({
  logger: createLogger({ service: 'probe', instance: 'probe-1', level: 'silent' }),
  metrics: createMetrics({ service: 'probe', instanceId: 'probe-1', processMetrics: false }),
  clock: systemClock,
  transport: transportName(),
});
const names = Object.values(registryService.definition).map((method) => method.originalName!);
const others = Object.fromEntries(names.map((name) => [name, unimplemented('not here')])) as unknown;
server.addService(registryService, {
  ...(others as Handlers<RegistryServiceMethods>),
  getModel: () => {
    process.send?.({ request: 1 });
    return new Promise(() => undefined);
  },
  watchAliasMove: async function* () {
    yield { done: false };
    await new Promise(() => undefined);
  },
});
process.send?.({ port: await server.bind('127.0.0.1', 0) });
