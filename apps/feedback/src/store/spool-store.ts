import type { DataSource } from 'typeorm';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import type { Spool } from '../ingest/spool-stream.ts';
import type { KnownSpool, Spools } from '../privacy/erasure.ts';
import { addAuditEntry } from './audit-outbox-store.ts';
import { onConnection, statement } from './connection.ts';

export interface SpoolRow {
  readonly spool_id: string;
  readonly router_id: string;
  readonly first_seen_at: Date;
  readonly last_seen_at: Date;
  readonly forgotten_at: Date | null;
  readonly acknowledged: number;
  readonly erasures_applied: number;
}

export const spoolColumns =
  'spool_id, router_id, first_seen_at, last_seen_at, forgotten_at, acknowledged, erasures_applied';

/** Condition of a spool that may have something from before the order with this number. */
export const isWaitedFor = (number: string): string => `forgotten_at IS NULL AND erasures_applied < ${number}`;

export const toSpool = (row: SpoolRow): KnownSpool => ({
  ...{ spoolId: row.spool_id, routerId: row.router_id, acknowledged: row.acknowledged },
  ...{ firstSeenMs: row.first_seen_at.getTime(), lastSeenMs: row.last_seen_at.getTime() },
  ...{ erasuresApplied: row.erasures_applied, forgottenMs: row.forgotten_at?.getTime() },
});

/** Spools of routers in Postgres. */
export class SpoolStore implements Spools {
  readonly #dataSource: DataSource;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void) {
    this.#dataSource = dataSource;
    this.#available = available;
  }

  async seen(spools: readonly (Spool & { readonly acknowledged: number })[]): Promise<void> {
    // Two streams of one spool, where one is not known to be broken yet, are one row.
    const known = new Map<string, (typeof spools)[number]>();
    for (const spool of spools)
      if ((known.get(spool.spoolId)?.acknowledged ?? -1) < spool.acknowledged) known.set(spool.spoolId, spool);
    const all = [...known.values()].toSorted((one, other) => (one.spoolId < other.spoolId ? -1 : 1));
    if (all.length === 0) return;
    await this.#query(
      `INSERT INTO feedback.spool AS known (spool_id, router_id, acknowledged)
         SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
         ON CONFLICT (spool_id) DO UPDATE SET router_id = excluded.router_id, last_seen_at = now(), forgotten_at = NULL,
           acknowledged = greatest(known.acknowledged, excluded.acknowledged)`,
      [all.map(({ spoolId }) => spoolId), all.map(({ routerId }) => routerId), all.map((each) => each.acknowledged)],
    );
  }

  async applied({ spoolId }: Spool, number: number): Promise<void> {
    // Nobody can have followed an order that was not given.
    await this.#query(
      `UPDATE feedback.spool SET last_seen_at = now(),
           erasures_applied = greatest(erasures_applied, least($2, (SELECT coalesce(max(number), 0) FROM feedback.erasure)))
         WHERE spool_id = $1`,
      [spoolId, number],
    );
  }

  async list(after: string, limit: number): Promise<KnownSpool[]> {
    const rows = await this.#query<SpoolRow>(
      `SELECT ${spoolColumns} FROM feedback.spool WHERE spool_id > $1 ORDER BY spool_id LIMIT $2`,
      [after, limit],
    );
    return rows.map(toSpool);
  }

  async forget(spoolId: string, actor: string, reason: string): Promise<KnownSpool | undefined> {
    this.#available();
    try {
      return await onConnection(this.#dataSource, async (client) => {
        const { rows } = await client.query<SpoolRow>(
          `UPDATE feedback.spool SET forgotten_at = coalesce(forgotten_at, now()) WHERE spool_id = $1
             RETURNING ${spoolColumns}`,
          [spoolId],
        );
        if (!rows[0]) return undefined;
        const spool = toSpool(rows[0]);
        const { routerId, acknowledged, erasuresApplied } = spool;
        await addAuditEntry(client, {
          ...{ actor, action: 'ForgetSpool', object: `spool/${spoolId}` },
          details: { reason, router_id: routerId, acknowledged, erasures_applied: erasuresApplied },
        });
        return spool;
      });
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  async #query<R>(sql: string, parameters: unknown[]): Promise<R[]> {
    this.#available();
    return statement<R>(this.#dataSource, sql, parameters);
  }
}
