import type { Heartbeat } from '@sluice/persistence/heartbeat';
import type { LeaderLock } from './store/leader-lock.ts';
import type { AdmissionJobs } from './usecases/admission-jobs.ts';
import type { WatchHub } from './watch/hub.ts';

export interface AdminSources {
  readonly heartbeat: Pick<Heartbeat, 'up'>;
  readonly lock: Pick<LeaderLock, 'held'>;
  readonly hub: Pick<WatchHub, 'current' | 'waiting'>;
  readonly jobs: Pick<AdmissionJobs, 'running'>;
}

/** Models that GetState shows, those that changed last first. */
const mostModels = 1_000;

/** What GetState shows of the registry; the README describes the fields. */
export function adminState({ heartbeat, lock, hub, jobs }: AdminSources): Readonly<Record<string, unknown>> {
  const { desired, leases } = hub.current;
  return {
    databaseUp: heartbeat.up,
    runsController: lock.held,
    revision: desired?.token ?? 0,
    models: (desired?.latest ?? []).slice(0, mostModels).map((model) => ({
      model: model.model,
      changedRevision: model.changedRevision,
      placed: model.placed.map(({ version, heldBy }) => ({ version, heldBy })),
    })),
    watchersWaiting: hub.waiting,
    admissions: jobs.running,
    leases: leases ?? null,
  };
}
