import { runtimeService } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { transportName } from '@sluice/testkit/transport';
import { unimplemented } from '../src/handlers.ts';
import { linkHandler } from '../src/link/link-handler.ts';
import { createRpcServer } from '../src/server.ts';

// The server of link.test.ts: tells its parent its port and of every request, and answers none.
const server = createRpcServer({
  logger: createLogger({ service: 'probe', instance: 'probe-1', level: 'silent' }),
  metrics: createMetrics({ service: 'probe', instanceId: 'probe-1', processMetrics: false }),
  clock: systemClock,
  transport: transportName(),
});
server.addService(runtimeService, {
  watchStatus: unimplemented('not here'),
  locateSequence: unimplemented('not here'),
  loadVersion: unimplemented('not here'),
  link: linkHandler({ 'inference.GRPCInferenceService/ModelInfer': () => void process.send?.({ request: 1 }) }),
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: await server.bind('127.0.0.1', 0) });
