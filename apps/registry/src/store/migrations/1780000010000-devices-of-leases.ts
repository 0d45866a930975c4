import type { Migration } from '@sluice/persistence/migrator';

/** Runtimes say which devices they offer. Those that do not have none here, and count as having the CPU. */
export const devicesOfLeases: Migration = {
  id: '1780000010000-devices-of-leases',
  statements: [`alter table registry.runtime_lease add column devices jsonb not null default '[]'`],
};
