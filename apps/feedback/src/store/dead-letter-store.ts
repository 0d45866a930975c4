import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { DeadLetter, DeadReason } from '../evidence/item.ts';
import { open } from '../payloads/aead.ts';
import type { KeyRing } from '../payloads/key-ring.ts';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import { deadLetterContext } from '../payloads/payload-context.ts';
import type { DeadLetterPage, DeadLetterSummary, DeadLetters, KeptDeadLetter } from '../usecases/dead-letters.ts';
import { statement } from './connection.ts';

/** How the bytes of a dead letter are kept. */
export interface LetterBytes {
  /** A keyed one of all its bytes, in plain: what makes it one however often it comes. */
  readonly digest: Buffer;
  /** What anybody may read: without payloads where these are encrypted. */
  readonly bytes: Uint8Array;
  /** All of it, encrypted. */
  readonly sealed: Uint8Array | undefined;
  /** The key of its subject; undefined for what is not encrypted, or under the key of blocks that cannot be read. */
  readonly keyId: string | undefined;
}

/** Adds a dead letter, or notes that it failed once more. */
export async function insertDeadLetter(client: PoolClient, letter: DeadLetter, kept: LetterBytes): Promise<void> {
  const { kind, reason, detail, origin, bytes, predictionId, model } = letter;
  await client.query(
    `INSERT INTO feedback.dead_letter AS kept
       (digest, kind, reason, detail, spool_id, router_id, position, prediction_id, model, bytes, sealed, payload_key_id,
        size_bytes, of_anybody)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $2 = 'block')
     ON CONFLICT (digest) DO UPDATE
       SET attempts = kept.attempts + 1, last_at = now(), reason = excluded.reason, detail = excluded.detail`,
    [
      ...[kept.digest, kind, reason, detail, origin.spoolId, origin.routerId, origin.position],
      // A model's name is only there to be looked for: what is no text is none.
      ...[predictionId ?? null, model?.replaceAll('\0', '\uFFFD') ?? null, Buffer.from(kept.bytes)],
      ...[kept.sealed ?? null, kept.keyId ?? null, bytes.length],
    ],
  );
}

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

interface KeptRow extends Pick<SummaryRow, 'spool_id' | 'router_id' | 'position' | 'kind'> {
  readonly digest: Buffer;
  readonly bytes: Buffer;
  readonly sealed: Buffer | null;
  readonly payload_key_id: string | null;
}

/** Dead letters in Postgres. */
export class DeadLetterStore implements DeadLetters {
  readonly #dataSource: DataSource;
  readonly #ring: KeyRing;
  readonly #cipher: PayloadCipher;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, ring: KeyRing, cipher: PayloadCipher, available: () => void) {
    this.#dataSource = dataSource;
    this.#ring = ring;
    this.#cipher = cipher;
    this.#available = available;
  }

  async list({ after, limit, reason }: DeadLetterPage): Promise<DeadLetterSummary[]> {
    const rows = await this.#query<SummaryRow>(
      `SELECT id, kind, reason, detail, spool_id, router_id, position, prediction_id, model,
         size_bytes, first_at, last_at, attempts
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
    const [row] = await this.#query<KeptRow>(
      `SELECT kind, spool_id, router_id, position, digest, bytes, sealed, payload_key_id
         FROM feedback.dead_letter WHERE id = $1`,
      [id],
    );
    if (!row) return undefined;
    const origin = { spoolId: row.spool_id, routerId: row.router_id, position: row.position };
    return { id, kind: row.kind, origin, bytes: (await this.#open(row)) ?? row.bytes };
  }

  /** What came; undefined where it is not encrypted, or was erased since it was read. */
  async #open({ sealed, payload_key_id, digest }: KeptRow): Promise<Uint8Array | undefined> {
    if (sealed === null) return undefined;
    const context = deadLetterContext(digest.toString('hex'));
    if (payload_key_id === null) return open(this.#ring.blockKey, sealed, context);
    return (await this.#cipher.openAll([{ keyId: payload_key_id, bytes: sealed, context }]))[0];
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
