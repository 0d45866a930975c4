import { watchService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { wholeUpdates } from '@sluice/rpc/whole-updates';
import { watchProtocol } from '../watch/route-watcher.ts';
import type { WireRoutes } from '../watch/decode-routes.ts';

/** What the router asks of the registry. */
export interface RegistryPort {
  watchRoutes(resumeToken: number, signal: AbortSignal): AsyncIterable<WireRoutes>;
  /** Resolves to the time to live that the registry gave, in milliseconds. */
  renewLease(appliedRevision: number, ttlMs: number): Promise<number>;
  releaseLease(): Promise<void>;
  close(): void;
}

export interface RouterIdentity {
  readonly routerId: string;
  /** host:port of the public port. */
  readonly address: string;
}

/** Longest wait for the end of a lease, when the process stops. */
const releaseTimeoutMs = 500;

/** The registry over gRPC: of several addresses, the first that answers. */
export function registryPort(
  addresses: readonly string[],
  identity: () => RouterIdentity,
  options: { readonly clock: Clock; readonly maxMessageBytes: number },
): RegistryPort {
  // The watch has a client of its own: renewals go to another replica as soon as one does not answer.
  const watches = createRpcClient(watchService, addresses, options);
  const leases = createRpcClient(watchService, addresses, options);
  return {
    watchRoutes: (resumeToken, signal) =>
      wholeUpdates(
        watches.watchRoutes(
          { routerId: identity().routerId, resumeToken: String(resumeToken), protocolVersion: watchProtocol },
          { signal },
        ),
        joinRoutes,
      ),
    async renewLease(appliedRevision, ttlMs) {
      const { routerId, address } = identity();
      const request = { routerId, address, appliedRevision: String(appliedRevision), ttlMs };
      const answer = await leases.renewRouterLease(request, { timeoutMs: ttlMs });
      return answer.ttlMs;
    },
    async releaseLease() {
      await leases.releaseLease({ holderId: identity().routerId }, { timeoutMs: releaseTimeoutMs });
    },
    close() {
      watches.close();
      leases.close();
    },
  };
}

/** The parts of one update as one message. */
function joinRoutes(parts: readonly WireRoutes[], last: WireRoutes): WireRoutes {
  return {
    ...last,
    models: parts.flatMap((part) => part.models),
    removed: parts.flatMap((part) => part.removed),
    runtimes: parts.findLast((part) => part.runtimes !== null)?.runtimes ?? null,
  };
}
