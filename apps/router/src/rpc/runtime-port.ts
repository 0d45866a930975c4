import { runtimeService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { hopBytes } from '@sluice/rpc/options';
import { createRawClient } from '@sluice/rpc/raw-client';
import { statusProtocol } from '../runtimes/runtime-link.ts';
import type { InferenceConnection, RuntimeStatus } from '../runtimes/runtime-link.ts';

/** The two connections to one runtime: for inferences and for its status. */
export interface RuntimePort {
  readonly connection: InferenceConnection;
  watchStatus(signal: AbortSignal): AsyncIterable<RuntimeStatus>;
}

export function runtimePort(
  address: string,
  options: { readonly clock: Clock; readonly maxMessageBytes: number; readonly routerId: string },
): RuntimePort {
  const raw = createRawClient(address, { maxMessageBytes: options.maxMessageBytes + hopBytes });
  const status = createRpcClient(runtimeService, address, { clock: options.clock });
  return {
    connection: {
      call: (path, message, callOptions, done) => raw.call(path, message, callOptions, done),
      isConnected: () => raw.isConnected(),
      close() {
        raw.close();
        status.close();
      },
    },
    watchStatus: (signal) =>
      status.watchStatus({ routerId: options.routerId, protocolVersion: statusProtocol }, { signal }),
  };
}
