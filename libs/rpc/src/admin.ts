import { adminService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { TlsSource } from '@sluice/wire/tls';
import { createRpcServer } from './server.ts';
import type { RpcServer } from './server.ts';
import type { Health } from './health.ts';

export interface AdminOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'method' | 'streamedRequests'>;
  readonly clock: Clock;
  readonly service: string;
  readonly instanceId: string;
  /** Of the software, from package.json. */
  readonly version: string;
  /** Settings with secrets hidden: `publicConfig` of service-kit makes it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What the service holds in memory now; asked for at every GetState. */
  readonly state: () => unknown;
  /** Of the public port, answered here too. */
  readonly health: Health;
  /** What the port is secured with; without it, it is plain. */
  readonly tls?: TlsSource | undefined;
}

export interface Admin {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens the administrative port: AdminService, health of everything, and reflection.
 *
 * @throws SluiceError failed-precondition when the port cannot be bound
 */
export async function mountAdmin(options: AdminOptions): Promise<Admin> {
  const startedMs = options.clock.monotonic();
  const server: RpcServer = createRpcServer(options);
  server.addService(adminService, {
    getState: async () => ({
      service: options.service,
      instanceId: options.instanceId,
      version: options.version,
      nodeVersion: process.versions.node,
      uptimeMs: Math.round(options.clock.monotonic() - startedMs),
      configJson: JSON.stringify(options.config),
      stateJson: JSON.stringify(options.state(), plain),
    }),
  });
  options.health.set(adminService.name, true);
  server.addHealth(options.health);
  server.addReflection();
  const port = await server.bind(options.host, options.port);
  return {
    port,
    close: async () => {
      await server.tryShutdown(100);
    },
  };
}

/** Maps and sets as JSON, 64-bit integers as strings. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  return typeof value === 'bigint' ? String(value) : value;
}
