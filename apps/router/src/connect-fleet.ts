import type { Clock, Random } from '@sluice/domain/clock';
import type { TlsSource } from '@sluice/rpc/tls/source';
import type { Logger } from '@sluice/service-kit/logger';
import { runtimeBackoffMs } from './backoff.ts';
import type { RouterConfig } from './config.ts';
import { runtimePort } from './rpc/runtime-port.ts';
import { Fleet } from './runtimes/fleet.ts';
import { RuntimeLink } from './runtimes/runtime-link.ts';

/** A fleet whose links are real connections. */
export function connectFleet(
  config: Pick<RouterConfig, 'instanceId' | 'maxMessageBytes' | 'transport'>,
  outside: {
    readonly clock: Clock;
    readonly random: Random;
    readonly logger: Logger;
    /** What calls to runtimes are secured with. */
    readonly tls?: TlsSource | undefined;
  },
): Fleet {
  const { clock, random, logger, tls } = outside;
  const { transport, maxMessageBytes, instanceId: routerId } = config;
  const backoffMs = (failures: number): number => runtimeBackoffMs(failures, random);
  return new Fleet({
    clock,
    connect(address, onChange) {
      const port = runtimePort(address, {
        clock,
        random,
        logger,
        tls,
        transport,
        maxMessageBytes,
        routerId,
        backoffMs,
      });
      const link = new RuntimeLink({
        address,
        clock,
        logger,
        connection: port.connection,
        watchStatus: (signal) => port.watchStatus(signal),
        backoffMs,
        onChange,
      });
      link.run().catch((error: unknown) => logger.error({ err: error, runtime: address }, 'a link ended'));
      return link;
    },
  });
}
