import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { DeadLetter, DeadReason } from '../evidence/item.ts';
import type { DeadLetterPage, DeadLetterSummary, DeadLetters, KeptDeadLetter } from '../usecases/dead-letters.ts';
import { statement } from './connection.ts';

/** Adds a dead letter, or notes that it failed once more. */
export async function insertDeadLetter(client: PoolClient, letter: DeadLetter): Promise<void> {
  const { kind, reason, detail, origin, bytes, predictionId, model } = letter;
  await client.query(
    `INSERT INTO feedback.dead_letter AS kept
       (digest, kind, reason, detail, spool_id, router_id, position, prediction_id, model, bytes)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (digest) DO UPDATE
       SET attempts = kept.attempts + 1, last_at = now(), reason = excluded.reason, detail = excluded.detail`,
    [
      ...[digestOf(bytes), kind, reason, detail, origin.spoolId, origin.routerId, origin.position],
      // A model's name is only there to be looked for: what is no text is none.
      ...[predictionId ?? null, model?.replaceAll('\0', '\uFFFD') ?? null, Buffer.from(bytes)],
    ],
  );
}

const digestOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

interface SummaryRow {
  readonly id: number;
  readonly kind: 'block' | 'record';
  readonly reason: DeadReason;
  readonly detail: string;
  readonly spool_id: string;
  readonly router_id: string;
  readonly position: number;
  readonly prediction_id: string | null;
  readonly model: string | null;
  readonly size_bytes: number;
  readonly first_at: Date;
  readonly last_at: Date;
  readonly attempts: number;
}

/** Dead letters in Postgres. */
export class DeadLetterStore implements DeadLetters {
  readonly #dataSource: DataSource;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, available: () => void) {
    this.#dataSource = dataSource;
    this.#available = available;
  }

  async list({ after, limit, reason }: DeadLetterPage): Promise<DeadLetterSummary[]> {
    const rows = await this.#query<SummaryRow>(
      `SELECT id, kind, reason, detail, spool_id, router_id, position, prediction_id, model,
         octet_length(bytes) AS size_bytes, first_at, last_at, attempts
       FROM feedback.dead_letter WHERE id > $1 ${reason === '' ? '' : 'AND reason = $3'} ORDER BY id LIMIT $2`,
      [after, limit, ...(reason === '' ? [] : [reason])],
    );
    return rows.map((row) => ({
      ...{ id: row.id, kind: row.kind, reason: row.reason, detail: row.detail, attempts: row.attempts },
      origin: { spoolId: row.spool_id, routerId: row.router_id, position: row.position },
      ...{ predictionId: row.prediction_id ?? '', model: row.model ?? '', sizeBytes: row.size_bytes },
      ...{ firstMs: row.first_at.getTime(), lastMs: row.last_at.getTime() },
    }));
  }

  async ids(after: number, limit: number): Promise<number[]> {
    const rows = await this.#query<{ id: number }>(
      'SELECT id FROM feedback.dead_letter WHERE id > $1 ORDER BY id LIMIT $2',
      [after, limit],
    );
    return rows.map(({ id }) => id);
  }

  async read(id: number): Promise<KeptDeadLetter | undefined> {
    const [row] = await this.#query<
      Pick<SummaryRow, 'spool_id' | 'router_id' | 'position' | 'kind'> & { bytes: Buffer }
    >('SELECT kind, spool_id, router_id, position, bytes FROM feedback.dead_letter WHERE id = $1', [id]);
    if (!row) return undefined;
    const origin = { spoolId: row.spool_id, routerId: row.router_id, position: row.position };
    return { id, kind: row.kind, origin, bytes: row.bytes };
  }

  async remove(ids: readonly number[]): Promise<number[]> {
    const rows = await this.#query<{ id: number }>(
      'WITH gone AS (DELETE FROM feedback.dead_letter WHERE id = ANY ($1::bigint[]) RETURNING id) SELECT id FROM gone',
      [[...ids]],
    );
    return rows.map(({ id }) => id);
  }

  async idsOf(reason: DeadReason, last: number, limit: number): Promise<number[]> {
    const rows = await this.#query<{ id: number }>(
      'SELECT id FROM feedback.dead_letter WHERE reason = $1 AND id <= $2 ORDER BY id LIMIT $3',
      [reason, last, limit],
    );
    return rows.map(({ id }) => id);
  }

  async lastId(): Promise<number> {
    const [row] = await this.#query<{ id: number }>('SELECT coalesce(max(id), 0) AS id FROM feedback.dead_letter');
    return row!.id;
  }

  /** Deletes at most `limit` that have not failed for `days` days, the oldest, and returns how many. */
  async expire(days: number, limit: number): Promise<number> {
    const [row] = await this.#query<{ count: number }>(
      `WITH gone AS (DELETE FROM feedback.dead_letter WHERE id IN (
           SELECT id FROM feedback.dead_letter WHERE last_at < now() - make_interval(days => $1)
           ORDER BY last_at LIMIT $2) RETURNING id) SELECT count(*) AS count FROM gone`,
      [days, limit],
    );
    return row!.count;
  }

  async count(): Promise<number> {
    const [row] = await this.#query<{ count: number }>('SELECT count(*) AS count FROM feedback.dead_letter');
    return row!.count;
  }

  async #query<R>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    this.#available();
    return statement<R>(this.#dataSource, sql, parameters);
  }
}
