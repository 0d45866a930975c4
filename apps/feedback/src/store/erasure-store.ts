import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { failedPrecondition } from '@sluice/domain/errors';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import type { KeyRing } from '../payloads/key-ring.ts';
import type {
  Erasure,
  ErasureOrder,
  ErasurePage,
  ErasurePending,
  Erasures,
  NewErasure,
  SubjectExport,
} from '../privacy/erasure.ts';
import { addAuditEntry } from './audit-outbox-store.ts';
import { onConnection, statement } from './connection.ts';
import { destroyKeys } from './destroy-keys.ts';
import { locks } from './locks.ts';
import type { SpoolRow } from './spool-store.ts';
import { isWaitedFor, spoolColumns, toSpool } from './spool-store.ts';

interface ErasureRow {
  readonly number: number;
  readonly erasure_id: string;
  readonly ordered_at: Date;
  readonly document_at: Date | null;
  readonly done_at: Date | null;
  readonly subject_hash: Buffer;
  readonly request_id: string;
  readonly actor: string;
  readonly reason: string;
  readonly key_ids: string[];
}

/** Letters that nobody can read, as far as they came before the last spool had followed an order. */
const unreadableBefore = (order: string): string =>
  `FROM feedback.dead_letter WHERE of_anybody AND first_at <= coalesce(${order}.spools_done_at, now())`;

/** Texts whose prediction is not there, as far as they came before that. */
const waitingBefore = (order: string): string =>
  `FROM feedback.label_waiting WHERE payload IS NOT NULL AND recorded_at <= coalesce(${order}.spools_done_at, now())`;

/** Orders to erase in Postgres. One at a time is given, and none while a batch with payloads is stored. */
export class ErasureStore implements Erasures {
  readonly #dataSource: DataSource;
  readonly #ring: KeyRing;
  readonly #available: () => void;

  /** @param available throws `unavailable` while the database is known to be away */
  constructor(dataSource: DataSource, ring: KeyRing, available: () => void) {
    this.#dataSource = dataSource;
    this.#ring = ring;
    this.#available = available;
  }

  order({ subject, ...order }: NewErasure): Promise<Erasure> {
    const hash = this.#ring.hashSubject(subject);
    return this.#alone(async (client) => {
      const known = await findRequest(client, order.requestId);
      if (known) return sameRequest(known, hash);
      // Behind the lock, so that no number and no time is before those of an order that is committed.
      const { rows } = await client.query<{ number: number; ordered_at: Date }>(
        'SELECT coalesce(max(number), 0) + 1 AS number, clock_timestamp() AS ordered_at FROM feedback.erasure',
      );
      const { number, ordered_at } = rows[0]!;
      const keyIds = await destroyKeys(client, this.#ring, { hash, orderedAt: ordered_at, keyIds: [] });
      const unreadable = order.destroyUnreadable ? await deleteUnreadable(client) : 0;
      const inserted = await insert(client, { ...order, number, hash, keyIds, orderedAt: ordered_at });
      const { erasure_id: erasureId } = inserted;
      await addAuditEntry(client, {
        ...{ actor: order.actor, action: 'EraseSubject', object: `erasure/${erasureId}` },
        details: {
          ...{ number, subject_hash: hash.toString('hex'), reason: order.reason, request_id: order.requestId },
          ...{ keys_destroyed: keyIds.length, unreadable_dead_letters_destroyed: unreadable },
        },
      });
      return toErasure(inserted);
    });
  }

  reapply(order: ErasureOrder): Promise<boolean> {
    const hash = Buffer.from(order.subjectHash, 'hex');
    const orderedAt = new Date(order.orderedMs);
    return this.#alone(async (client) => {
      const placed = await placeOf(client, order);
      if (!placed) return false;
      const { number } = placed;
      await destroyKeys(client, this.#ring, { hash, orderedAt, keyIds: order.keyIds });
      await insert(client, { ...order, ...placed, hash, orderedAt });
      await addAuditEntry(client, {
        ...{ actor: 'feedback', action: 'ReapplyErasure', object: `erasure/${order.erasureId}` },
        details: { number, subject_hash: order.subjectHash, ordered_at: orderedAt.toISOString() },
      });
      return true;
    });
  }

  async last(): Promise<number> {
    const [row] = await this.#query<{ last: number }>('SELECT coalesce(max(number), 0) AS last FROM feedback.erasure');
    return row!.last;
  }

  async lastWithDocument(): Promise<number> {
    const [row] = await this.#query<{ last: number }>(
      'SELECT coalesce(max(number), 0) AS last FROM feedback.erasure WHERE document_at IS NOT NULL',
    );
    return row!.last;
  }

  async withoutDocument(limit: number): Promise<ErasureOrder[]> {
    const rows = await this.#query<ErasureRow>(
      'SELECT * FROM feedback.erasure WHERE document_at IS NULL ORDER BY number LIMIT $1',
      [limit],
    );
    return rows.map(toErasure);
  }

  async setDocument(number: number): Promise<void> {
    await this.#query('UPDATE feedback.erasure SET document_at = now() WHERE number = $1 AND document_at IS NULL', [
      number,
    ]);
  }

  async withDocument(after: number, limit: number): Promise<Pick<ErasureOrder, 'number' | 'erasureId'>[]> {
    return this.#query<Pick<ErasureOrder, 'number' | 'erasureId'>>(
      `SELECT number, erasure_id AS "erasureId" FROM feedback.erasure WHERE number > $1 AND document_at IS NOT NULL
         ORDER BY number LIMIT $2`,
      [after, limit],
    );
  }

  async loseDocuments(numbers: readonly number[]): Promise<void> {
    await this.#query('UPDATE feedback.erasure SET document_at = NULL WHERE number = ANY ($1::bigint[])', [numbers]);
  }

  async countPending(): Promise<number> {
    const [row] = await this.#query<{ count: number }>(
      'SELECT count(*) AS count FROM feedback.erasure WHERE done_at IS NULL',
    );
    return row!.count;
  }

  async settle(): Promise<void> {
    await this.#query(
      `UPDATE feedback.erasure AS erasure SET spools_done_at = now()
         WHERE done_at IS NULL AND spools_done_at IS NULL AND document_at IS NOT NULL
           AND NOT EXISTS (SELECT FROM feedback.spool WHERE ${isWaitedFor('erasure.number')})`,
    );
    await this.#query(
      `UPDATE feedback.erasure AS erasure SET done_at = now()
         WHERE done_at IS NULL AND spools_done_at IS NOT NULL AND NOT EXISTS (SELECT ${unreadableBefore('erasure')})
           AND NOT EXISTS (SELECT ${waitingBefore('erasure')})`,
    );
  }

  async find(erasureId: string): Promise<Erasure | undefined> {
    const [row] = await this.#query<ErasureRow>('SELECT * FROM feedback.erasure WHERE erasure_id = $1', [erasureId]);
    return row && toErasure(row);
  }

  async list({ before, limit, isDone }: ErasurePage): Promise<Erasure[]> {
    const rows = await this.#query<ErasureRow>(
      `SELECT * FROM feedback.erasure WHERE ($1::bigint IS NULL OR number < $1)
         AND ($2::boolean IS NULL OR (done_at IS NOT NULL) = $2) ORDER BY number DESC LIMIT $3`,
      [before ?? null, isDone ?? null, limit],
    );
    return rows.map(toErasure);
  }

  async pending(number: number, limit: number): Promise<ErasurePending> {
    const waited = `FROM feedback.spool WHERE ${isWaitedFor('$1')}`;
    const spools = await this.#query<SpoolRow>(
      `SELECT ${spoolColumns} ${waited} ORDER BY last_seen_at, spool_id LIMIT $2`,
      [number, limit],
    );
    const [counts] = await this.#query<{ spools: number; letters: number; texts: number }>(
      `SELECT (SELECT count(*) ${waited}) AS spools, (SELECT count(*) ${unreadableBefore('erasure')}) AS letters,
           (SELECT count(*) ${waitingBefore('erasure')}) AS texts
         FROM feedback.erasure AS erasure WHERE number = $1`,
      [number],
    );
    return {
      spools: spools.map(toSpool),
      ...{ spoolCount: counts?.spools ?? 0, unreadableLetters: counts?.letters ?? 0 },
      waitingFeedback: counts?.texts ?? 0,
    };
  }

  async exports(subjectHash: string, limit: number): Promise<SubjectExport[]> {
    const rows = await this.#query<{ data_set: string; version: number; digest: Buffer; exported_at: Date }>(
      `SELECT data_set, version, digest, exported_at FROM feedback.export_subject WHERE subject_hash = $1
         ORDER BY exported_at DESC, digest LIMIT $2`,
      [Buffer.from(subjectHash, 'hex'), limit],
    );
    return rows.map(({ data_set: dataSet, version, digest, exported_at }) => ({
      ...{ dataSet, version, digest: digest.toString('hex'), exportedMs: exported_at.getTime() },
    }));
  }

  /** Runs while nobody encrypts or destroys: what was encrypted before is committed, what comes sees what this commits. */
  async #alone<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    this.#available();
    try {
      return await onConnection(this.#dataSource, async (client) => {
        await client.query('SELECT pg_advisory_xact_lock($1)', [locks.subjects]);
        return fn(client);
      });
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  async #query<R>(sql: string, parameters: unknown[] = []): Promise<R[]> {
    this.#available();
    return statement<R>(this.#dataSource, sql, parameters);
  }
}

/** Number and request id for an order that was lost, which another one may have by now; undefined for one that is there. */
async function placeOf(client: PoolClient, { number, erasureId, requestId }: ErasureOrder) {
  const { rows } = await client.query<{ known: boolean; taken: boolean; repeated: boolean; next: number }>(
    `SELECT EXISTS (SELECT FROM feedback.erasure WHERE erasure_id = $2) AS known,
       EXISTS (SELECT FROM feedback.erasure WHERE number = $1) AS taken,
       EXISTS (SELECT FROM feedback.erasure WHERE request_id = $3 AND request_id <> '') AS repeated,
       (SELECT coalesce(max(number), 0) + 1 FROM feedback.erasure) AS next`,
    [number, erasureId, requestId],
  );
  const { known, taken, repeated, next } = rows[0]!;
  return known ? undefined : { number: taken ? next : number, requestId: repeated ? '' : requestId };
}

async function findRequest(client: PoolClient, requestId: string): Promise<ErasureRow | undefined> {
  if (requestId === '') return undefined;
  const { rows } = await client.query<ErasureRow>('SELECT * FROM feedback.erasure WHERE request_id = $1', [requestId]);
  return rows[0];
}

function sameRequest(row: ErasureRow, hash: Buffer): Erasure {
  if (row.subject_hash.equals(hash)) return toErasure(row);
  throw failedPrecondition(`request_id: "${row.request_id}" was used for another subject; use another one`);
}

async function deleteUnreadable(client: PoolClient): Promise<number> {
  return (await client.query('DELETE FROM feedback.dead_letter WHERE of_anybody')).rowCount ?? 0;
}

interface Inserted extends Pick<ErasureOrder, 'number' | 'actor' | 'reason' | 'requestId' | 'keyIds'> {
  readonly erasureId?: string;
  readonly hash: Buffer;
  readonly orderedAt: Date;
}

async function insert(client: PoolClient, order: Inserted): Promise<ErasureRow> {
  const { rows } = await client.query<ErasureRow>(
    `INSERT INTO feedback.erasure (number, erasure_id, ordered_at, subject_hash, request_id, actor, reason, key_ids)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *`,
    [
      ...[order.number, order.erasureId ?? randomUUID(), order.orderedAt, order.hash, order.requestId],
      ...[order.actor, order.reason, order.keyIds],
    ],
  );
  return rows[0]!;
}

const toErasure = (row: ErasureRow): Erasure => ({
  ...{ number: row.number, erasureId: row.erasure_id, subjectHash: row.subject_hash.toString('hex') },
  ...{ actor: row.actor, reason: row.reason, requestId: row.request_id, orderedMs: row.ordered_at.getTime() },
  ...{ keyIds: row.key_ids, hasDocument: row.document_at !== null, doneMs: row.done_at?.getTime() },
});
