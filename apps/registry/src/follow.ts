import { auditService, dataSetService, lineageService, registryService, runService } from '@sluice/contracts/services';
import type { RpcServer } from '@sluice/rpc/server';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { Signals } from './signals.ts';
import type { HistoryGuard } from './usecases/history-guard.ts';
import type { WatchHub } from './watch/hub.ts';

/** Health and metrics follow the database and the watchers. */
export function follow(
  metrics: Metrics,
  server: RpcServer,
  hub: WatchHub,
  signals: Signals,
  guard: Pick<HistoryGuard, 'problem'>,
): void {
  const postgres = metrics.dependency('postgres');
  postgres.set(true);
  let databaseUp = true;
  // Watches and health go on without the database; what reads or changes state does not.
  const tell = (): void => {
    server.health.set(auditService.name, databaseUp);
    for (const { name } of [registryService, dataSetService, runService, lineageService])
      server.health.set(name, databaseUp && guard.problem === undefined);
  };
  signals.database.push((up) => {
    postgres.set((databaseUp = up));
    tell();
  });
  signals.replaced.push(tell);
  metrics.observedGauge(
    'sluice_registry_database_replaced',
    '1 while changes are refused because the database was put back from before the last checkpoint',
    () => (guard.problem === undefined ? 0 : 1),
  );
  const leases = () => hub.current.leases;
  const quarantines = () => [...(hub.current.desired?.models.values() ?? [])].flatMap(({ quarantined }) => quarantined);
  metrics.observedGauge(
    'sluice_registry_revision',
    'Leaf index that watchers have',
    () => hub.current.desired?.token ?? 0,
  );
  metrics.observedGauge('sluice_registry_watchers', 'Watch streams that wait for a change', () => hub.waiting);
  metrics.observedGauge(
    'sluice_registry_quarantined_versions',
    'Versions that no runtime loads because they ended runtimes',
    () => new Set(quarantines().map(({ model, version }) => `${model}/${version}`)).size,
  );
  metrics.observedGauge(
    'sluice_registry_live_runtimes',
    'Runtimes with a live lease',
    () => leases()?.runtimes.filter((runtime) => runtime.live).length ?? 0,
  );
  metrics.observedGauge(
    'sluice_registry_live_routers',
    'Routers with a live lease',
    () => leases()?.routers.filter((router) => router.live).length ?? 0,
  );
}
