import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { keptPort } from '@sluice/testkit/kept-port';
import { expect, it } from 'vitest';
import { createRpcServer } from '../src/server.ts';
import { openSidePorts } from '../src/side-ports.ts';

it('leave nothing open when the second of them is taken', async () => {
  const holder = createServer();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  holder.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  const taken = (holder.address() as AddressInfo).port;
  const logger = createLogger({ service: 't', instance: 't1', level: 'silent' });
  const metrics = createMetrics({ service: 't', instanceId: 't1', processMetrics: false });
  const { health } = createRpcServer({ logger, metrics, clock: systemClock });
  const metricsPort = await keptPort();
  const open = (adminPort: number) =>
    openSidePorts({
      ...{ host: '127.0.0.1', metricsPort, adminPort, logger, metrics, clock: systemClock, health },
      service: 't',
      instanceId: 't1',
      version: '1',
      config: {},
      state: () => ({}),
    });
  await expect(open(taken)).rejects.toThrow(/is taken/);
  const sides = await open(0);
  expect(sides.ports.metricsPort).toBe(metricsPort);
  await sides.close();
  holder.close();
});
