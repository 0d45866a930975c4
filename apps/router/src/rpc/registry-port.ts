import { watchService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { Replicas } from '@sluice/rpc/replicas';
import type { TlsSource } from '@sluice/rpc/tls/source';
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

export interface RegistryPortOptions {
  readonly clock: Clock;
  readonly maxMessageBytes: number;
  /** After so many milliseconds without an answer a replica of the registry counts as hung, if there is another. */
  readonly silentMs: number;
  readonly tls?: TlsSource | undefined;
}

/**
 * The registry over gRPC: of several addresses, the first that answers. A renewal that is not answered in its time takes
 * the watch along to the next replica.
 */
export function registryPort(
  addresses: readonly string[],
  identity: () => RouterIdentity,
  options: RegistryPortOptions,
): RegistryPort {
  const replicas = new Replicas(addresses);
  // Connections of their own: a snapshot does not hold up renewals.
  const watches = createRpcClient(watchService, replicas, options);
  const leases = createRpcClient(watchService, replicas, options);
  return {
    watchRoutes: (resumeToken, signal) =>
      wholeUpdates(
        watches.watchRoutes(
          { routerId: identity().routerId, resumeToken: String(resumeToken), protocolVersion: watchProtocol },
          { signal, firstAnswerMs: options.silentMs },
        ),
        joinRoutes,
      ),
    async renewLease(appliedRevision, ttlMs) {
      const { routerId, address } = identity();
      const request = { routerId, address, appliedRevision: String(appliedRevision), ttlMs };
      const answer = await leases.renewRouterLease(request, { timeoutMs: ttlMs / 3 });
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
