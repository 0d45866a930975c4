import { failedPrecondition } from '@sluice/domain/errors';
import type { SluiceError } from '@sluice/domain/errors';
import type { DataSource } from 'typeorm';
import { statement } from './connection.ts';

/** The timeline of the database; null of a standby. The one of its last checkpoint may be older. */
export const timelineSql = `CASE WHEN NOT pg_is_in_recovery() THEN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END`;

/** What stored transaction ids are of another cluster is refused with. */
export function restored({ known, system }: { readonly known: string; readonly system: string }): SluiceError {
  return failedPrecondition(
    `the database was restored into another cluster (${system}, the transaction ids in its tables are of ${known}): stop all replicas of feedback and run its migrate, which rewrites them`,
  );
}

/** @throws SluiceError failed-precondition where the database was restored and `migrate` has not run since */
export async function checkCluster(dataSource: DataSource): Promise<void> {
  const [row] = await statement<{ known: string; system: string }>(
    dataSource,
    `SELECT c.system_identifier AS known, s.system_identifier::text AS system
     FROM feedback.cluster AS c, pg_control_system() AS s`,
  );
  if (row!.known !== row!.system) throw restored(row!);
}
