import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import type { AuditEntry, OutboxFill } from '../audit/audit-outbox.ts';
import { checkAuditEntry } from '../audit/audit-outbox.ts';
import type { NumberedEntry, Outbox } from '../audit/audit-relay.ts';
import type { PayloadAccess, PayloadAudit } from '../audit/payload-audit.ts';
import { onConnection, statement } from './connection.ts';
import { locks } from './locks.ts';

/** Puts an entry into the outbox, in the transaction of `client`: it is told of exactly if that commits. */
export async function addAuditEntry(client: PoolClient, entry: AuditEntry): Promise<void> {
  const details = checkAuditEntry(entry);
  await client.query('INSERT INTO feedback.audit_outbox (actor, action, object, details) VALUES ($1, $2, $3, $4)', [
    ...[entry.actor, entry.action, entry.object, details],
  ]);
}

/** The outbox in Postgres. */
export class AuditOutboxStore implements Outbox, PayloadAudit {
  readonly #dataSource: DataSource;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void) {
    this.#dataSource = dataSource;
    this.#available = available;
  }

  async record(access: PayloadAccess): Promise<void> {
    this.#available();
    try {
      await onConnection(this.#dataSource, (client) => addAuditEntry(client, access));
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  async hasWaiting(): Promise<boolean> {
    const [row] = await this.#query<{ waits: boolean }>(
      'SELECT EXISTS (SELECT FROM feedback.audit_outbox WHERE leaf_index IS NULL) AS waits',
    );
    return row!.waits;
  }

  async alone(fn: () => Promise<void>): Promise<boolean> {
    try {
      // Its transaction has nothing but the lock, which goes with the connection of a replica that dies.
      return await onConnection(this.#dataSource, async (client) => {
        const { rows } = await client.query<{ won: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS won', [
          locks.auditRelay,
        ]);
        if (rows[0]!.won) await fn();
        return rows[0]!.won;
      });
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  async sendAgain(sequence: number): Promise<void> {
    await this.#query(
      'UPDATE feedback.audit_outbox SET leaf_index = NULL WHERE sequence >= $1 AND leaf_index IS NOT NULL',
      [sequence],
    );
  }

  async number(least: number, limit: number): Promise<void> {
    await this.#query(
      `UPDATE feedback.audit_outbox AS entry SET sequence = given.sequence FROM (
         SELECT id, greatest($1::bigint, (SELECT max(sequence) + 1 FROM feedback.audit_outbox WHERE leaf_index IS NULL))
             + row_number() OVER (ORDER BY id) - 1 AS sequence
           FROM (SELECT id FROM feedback.audit_outbox WHERE leaf_index IS NULL AND sequence IS NULL ORDER BY id LIMIT $2) AS first
       ) AS given WHERE entry.id = given.id`,
      [least, limit],
    );
  }

  async unnumber(sequence: number): Promise<void> {
    await this.#query('UPDATE feedback.audit_outbox SET sequence = NULL WHERE leaf_index IS NULL AND sequence >= $1', [
      sequence,
    ]);
  }

  async next(limit: number): Promise<NumberedEntry[]> {
    const rows = await this.#query<{
      sequence: number;
      actor: string;
      action: string;
      object: string;
      details: string;
      recorded_at: Date;
    }>(
      `SELECT sequence, actor, action, object, details::text AS details, recorded_at FROM feedback.audit_outbox
         WHERE leaf_index IS NULL AND sequence IS NOT NULL ORDER BY sequence LIMIT $1`,
      [limit],
    );
    return rows.map(({ details: detailsJson, recorded_at, ...entry }) => ({
      ...{ ...entry, detailsJson, recordedMs: recorded_at.getTime() },
    }));
  }

  async appended(entries: readonly { readonly sequence: number; readonly leafIndex: number }[]): Promise<void> {
    await this.#query(
      `UPDATE feedback.audit_outbox AS entry SET leaf_index = given.leaf_index
         FROM unnest($1::bigint[], $2::bigint[]) AS given(sequence, leaf_index) WHERE entry.sequence = given.sequence`,
      [entries.map(({ sequence }) => sequence), entries.map(({ leafIndex }) => leafIndex)],
    );
  }

  async fill(): Promise<OutboxFill> {
    const [row] = await this.#query<{ waiting: number; oldest: Date | null }>(
      'SELECT count(*) AS waiting, min(recorded_at) AS oldest FROM feedback.audit_outbox WHERE leaf_index IS NULL',
    );
    return { waiting: row!.waiting, oldestMs: row!.oldest?.getTime() };
  }

  /** Deletes at most `limit` entries that the log has had for so many days; returns how many. */
  async deleteOld(days: number, limit: number): Promise<number> {
    const rows = await this.#query(
      `DELETE FROM feedback.audit_outbox WHERE id IN (SELECT id FROM feedback.audit_outbox
         WHERE leaf_index IS NOT NULL AND recorded_at < now() - make_interval(days => $1) LIMIT $2) RETURNING id`,
      [days, limit],
    );
    return rows.length;
  }

  async #query<R>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    this.#available();
    return statement<R>(this.#dataSource, sql, parameters);
  }
}
