import { join } from 'node:path';
import type { Clock, Random } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { Metrics } from '@sluice/telemetry/metrics';
import { registryBackoffMs } from './backoff.ts';
import type { RouteTable } from './route/table.ts';
import type { RegistryPort } from './rpc/registry-port.ts';
import type { Fleet } from './runtimes/fleet.ts';
import { LeaseKeeper } from './watch/lease-keeper.ts';
import { RouteWatcher } from './watch/route-watcher.ts';
import { SnapshotFile } from './watch/snapshot-file.ts';

/** What the rest of the router sees of the registry. */
export interface Follower {
  /** The routes in force; undefined before the first ones. */
  table(): RouteTable | undefined;
  onTable(listener: () => void): void;
  state(): { readonly watching: boolean; readonly leaseHeld: boolean };
  /** Takes the routes that the last run left. */
  load(): Promise<void>;
  start(): void;
  releaseLease(): Promise<void>;
  stop(): Promise<void>;
}

/** Joins watch, saved routes, lease and fleet: another table is in force first, then the registry is told of it. */
export function followRegistry(
  config: { readonly stateDir: string; readonly leaseTtlMs: number },
  outside: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
  parts: { readonly registry: RegistryPort; readonly fleet: Fleet; readonly metrics: Metrics },
): Follower {
  const { clock, random, logger } = outside;
  const { registry, fleet } = parts;
  const listeners: (() => void)[] = [];
  const dependency = parts.metrics.dependency('registry');
  dependency.set(false);
  const stop = new AbortController();
  let started = false;
  let running: Promise<void> = Promise.resolve();
  const lease = new LeaseKeeper({
    clock,
    logger,
    ttlMs: config.leaseTtlMs,
    appliedRevision: () => watcher.table?.revision,
    renew: (revision, ttlMs) => registry.renewLease(revision, ttlMs),
    release: () => registry.releaseLease(),
  });
  const watcher: RouteWatcher = new RouteWatcher({
    clock,
    logger,
    store: new SnapshotFile(join(config.stateDir, 'routes.snapshot')),
    open: (resumeToken, signal) => registry.watchRoutes(resumeToken, signal),
    backoffMs: (failures) => registryBackoffMs(failures, random),
    onTable() {
      for (const listener of listeners) listener();
      if (started) lease.renew();
    },
    onRuntimes: (runtimes) => fleet.setRuntimes(runtimes),
    onConnection(up) {
      dependency.set(up);
      if (up && started) lease.renew();
    },
  });
  return {
    table: () => watcher.table,
    onTable: (listener) => void listeners.push(listener),
    state: () => ({ watching: watcher.connected, leaseHeld: lease.held }),
    load: () => watcher.load(),
    start() {
      started = true;
      lease.renew();
      running = watcher.run(stop.signal);
    },
    releaseLease: () => lease.stop(),
    async stop() {
      stop.abort();
      await lease.stop();
      await running;
    },
  };
}
