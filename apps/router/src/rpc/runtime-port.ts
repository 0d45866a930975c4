import { runtimeService } from '@sluice/contracts/services';
import type { RequestInput, RuntimeServiceMethods } from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { createLinkClient } from '@sluice/rpc/link/client';
import { hopBytes } from '@sluice/rpc/options';
import { WireWatch } from '@sluice/rpc/raw/wire-watch';
import type { TlsSource } from '@sluice/rpc/tls/source';
import type { TransportName } from '@sluice/rpc/transport/transport';
import type { Logger } from '@sluice/service-kit/logger';
import { statusProtocol } from '../runtimes/runtime-link.ts';
import type { InferenceConnection, RuntimeStatus } from '../runtimes/runtime-link.ts';

/** The two connections to one runtime: the link for inferences, and one for its status. */
export interface RuntimePort {
  readonly connection: InferenceConnection;
  watchStatus(signal: AbortSignal): AsyncIterable<RuntimeStatus>;
}

export interface RuntimePortOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The gRPC stack of both. */
  readonly transport: TransportName;
  readonly tls?: TlsSource | undefined;
  readonly maxMessageBytes: number;
  readonly routerId: string;
  /** Wait before the link is tried again; see `RuntimeLinkOptions`. */
  readonly backoffMs: (failures: number) => number;
}

export function runtimePort(address: string, options: RuntimePortOptions): RuntimePort {
  const { clock, random, logger, transport, tls, backoffMs } = options;
  const maxMessageBytes = options.maxMessageBytes + hopBytes;
  const link = createLinkClient({ address, clock, random, logger, transport, tls, maxMessageBytes, backoffMs });
  const status = statusOf(address, options);
  return {
    connection: {
      call: (path, message, callOptions, done) => link.call(path, message, callOptions, done),
      isConnected: () => link.isConnected(),
      close() {
        link.close();
        status.close();
      },
    },
    watchStatus: (signal) => status.watch({ routerId: options.routerId, protocolVersion: statusProtocol }, signal),
  };
}

interface StatusClient {
  watch(request: RequestInput<RuntimeServiceMethods['watchStatus']>, signal: AbortSignal): AsyncIterable<RuntimeStatus>;
  close(): void;
}

function statusOf(address: string, { transport, clock, random, tls }: RuntimePortOptions): StatusClient {
  if (transport === 'wire') {
    const wire = new WireWatch(runtimeService, 'watchStatus', address, { clock, random, tls });
    return { watch: (request, signal) => wire.open(request, signal), close: () => wire.close() };
  }
  const client = createRpcClient(runtimeService, address, { clock, tls });
  return { watch: (request, signal) => client.watchStatus(request, { signal }), close: () => client.close() };
}
