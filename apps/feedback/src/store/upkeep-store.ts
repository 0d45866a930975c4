import { unavailable } from '@sluice/domain/errors';
import type { RetentionClass } from '@sluice/domain/release';
import type { Transactions } from '@sluice/persistence/transaction';
import type { DataSource } from 'typeorm';
import type { VersionName } from '../ingest/known-versions.ts';
import { statement } from './connection.ts';
import { locks } from './locks.ts';

const tables = ['evidence', 'evidence_skewed'] as const;
const key = 'class, prediction_id, arm, attempt';
/** However many rows wait for their flag, so many tell which versions are to be asked for. */
const rowsLookedAt = 100_000;

/** Fails with `unavailable` when the database cannot be written to. */
export async function probe(dataSource: DataSource): Promise<void> {
  // A standby answers too, and so does a database that is set to be read only.
  const [row] = await statement<{ read_only: string }>(
    dataSource,
    `SELECT current_setting('transaction_read_only') AS read_only`,
  );
  if (row!.read_only === 'on') throw unavailable('the database can only be read');
}

/** What upkeep asks of the tables of evidence. */
export class UpkeepStore {
  readonly #dataSource: DataSource;
  readonly #transactions: Transactions;

  constructor(dataSource: DataSource, transactions: Transactions) {
    this.#dataSource = dataSource;
    this.#transactions = transactions;
  }

  /** Versions of rows that were stored when the registry could not be asked: at most `limit` of each table, of the first such rows. */
  async unresolved(limit: number): Promise<VersionName[]> {
    const rows: { model: string; version: number; version_digest: string }[] = [];
    for (const table of tables)
      rows.push(
        ...(await statement<(typeof rows)[number]>(
          this.#dataSource,
          `SELECT DISTINCT model, version, version_digest FROM (
             SELECT model, version, version_digest FROM feedback.${table} WHERE version_known IS NULL LIMIT $2
           ) AS first LIMIT $1`,
          [limit, rowsLookedAt],
        )),
      );
    return rows.map(({ model, version, version_digest: versionDigest }) => ({ model, version, versionDigest }));
  }

  /** Flags at most `limit` rows of each table; returns how many, 0 too when another replica is at it. */
  async resolve({ model, version, versionDigest }: VersionName, known: boolean, limit: number): Promise<number> {
    return this.#transactions.readWrite(async (tx) => {
      const [lock] = await tx.query<{ won: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS won', [locks.upkeep]);
      let changed = 0;
      if (lock!.won)
        for (const table of tables)
          changed += await tx.execute(
            `UPDATE feedback.${table} SET version_known = $1 WHERE (${key}) IN (
               SELECT ${key} FROM feedback.${table}
               WHERE version_known IS NULL AND model = $2 AND version = $3 AND version_digest = $4 LIMIT $5)`,
            [known, model, version, versionDigest, limit],
          );
      return changed;
    });
  }

  /** Deletes at most `limit` rows out of time that came more than `days` days ago, notes that they are gone, and returns how many. */
  async deleteSkewed(retentionClass: RetentionClass, days: number, limit: number): Promise<number> {
    return this.#transactions.readWrite(async (tx) => {
      const [gone] = await tx.query<{ rows: number; last: string | null }>(
        `WITH gone AS (DELETE FROM feedback.evidence_skewed WHERE (${key}) IN (
           SELECT ${key} FROM feedback.evidence_skewed
           WHERE class = $1 AND ingested_at < now() - make_interval(days => $2) LIMIT $3) RETURNING recorded_xid)
         SELECT count(*) AS rows, (SELECT recorded_xid FROM gone ORDER BY recorded_xid DESC LIMIT 1)::text AS last FROM gone`,
        [retentionClass, days, limit],
      );
      const { rows, last } = gone!;
      if (last !== null) await tx.query('SELECT feedback.note_dropped($1, NULL, $2::xid8)', [retentionClass, last]);
      return rows;
    });
  }
}
