import type { DataSource } from 'typeorm';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import type { KeyEncryptionKeys } from '../payloads/key-encryption-key.ts';
import { KeyRing } from '../payloads/key-ring.ts';
import { onConnection, statement } from './connection.ts';
import { locks } from './locks.ts';

/** A key outlives the days of its predictions by so many: what is said of a prediction may wait for it. */
const marginDays = 30;

interface WrappedRow {
  readonly kek_id: string;
  readonly wrapped: Buffer;
}

/**
 * Opens the keys of a database, and makes its root key where it has none. The root key moves to the current key-encryption key when
 * another one that was given has wrapped it.
 *
 * @throws SluiceError failed-precondition when something in the database is wrapped by a key that was not given: nothing is changed
 */
export async function openKeyRing(dataSource: DataSource, keys: KeyEncryptionKeys): Promise<KeyRing> {
  const made = KeyRing.makeRoot(keys);
  await statement(
    dataSource,
    'INSERT INTO feedback.root_key (kek_id, wrapped) VALUES ($1, $2) ON CONFLICT (one) DO NOTHING',
    [made.kekId, made.wrapped],
  );
  const [row] = await statement<WrappedRow>(dataSource, 'SELECT kek_id, wrapped FROM feedback.root_key');
  const root = { kekId: row!.kek_id, wrapped: row!.wrapped };
  const ring = new KeyRing(keys, root);
  await requireAll(dataSource, ring);
  if (root.kekId !== keys.current.id) {
    const moved = KeyRing.rewrapRoot(keys, root);
    await statement(dataSource, 'UPDATE feedback.root_key SET kek_id = $1, wrapped = $2 WHERE kek_id = $3', [
      ...[moved.kekId, moved.wrapped, root.kekId],
    ]);
  }
  return ring;
}

/** One of each key-encryption key that wraps something, found over the index, must open. */
async function requireAll(dataSource: DataSource, ring: KeyRing): Promise<void> {
  const ids: string[] = [];
  for (;;) {
    const [row] = await statement<WrappedRow & { key_id: string }>(
      dataSource,
      `SELECT key_id, kek_id, wrapped FROM feedback.subject_key
         WHERE erased_at IS NULL AND kek_id > $1 ORDER BY kek_id LIMIT 1`,
      [ids.at(-1) ?? ''],
    );
    if (!row) return;
    ring.unwrap({ kekId: row.kek_id, wrapped: row.wrapped }, row.key_id);
    ids.push(row.kek_id);
  }
}

/** What upkeep does with the keys of subjects. */
export class KeyStore {
  readonly #dataSource: DataSource;
  readonly #ring: KeyRing;

  constructor(dataSource: DataSource, ring: KeyRing) {
    this.#dataSource = dataSource;
    this.#ring = ring;
  }

  /**
   * Wraps at most `limit` keys anew that another key-encryption key has wrapped; returns how many there were. None while the root key
   * is under another one: then this replica's settings are not the newest.
   */
  async rewrap(limit: number): Promise<number> {
    const rows = await statement<WrappedRow & { key_id: string }>(
      this.#dataSource,
      `SELECT key_id, kek_id, wrapped FROM feedback.subject_key
         WHERE erased_at IS NULL AND kek_id <> $1 AND EXISTS (SELECT FROM feedback.root_key WHERE kek_id = $1) LIMIT $2`,
      [this.#ring.currentId, limit],
    );
    if (rows.length === 0) return 0;
    const wrapped = rows.map(({ key_id, kek_id: kekId, wrapped: old }) =>
      this.#ring.wrap(this.#ring.unwrap({ kekId, wrapped: old }, key_id), key_id),
    );
    // One that is destroyed meanwhile stays so.
    await statement(
      this.#dataSource,
      `UPDATE feedback.subject_key AS key SET kek_id = $1, wrapped = given.wrapped
         FROM unnest($2::uuid[], $3::bytea[]) AS given(key_id, wrapped)
         WHERE key.key_id = given.key_id AND key.wrapped IS NOT NULL`,
      [this.#ring.currentId, rows.map(({ key_id }) => key_id), wrapped.map((each) => each.wrapped)],
    );
    return rows.length;
  }

  /**
   * Deletes at most `limit` keys under which nothing is left: all days of their predictions were dropped, in all classes. Returns how many;
   * 0 too while somebody encrypts.
   */
  async deleteUnused(limit: number): Promise<number> {
    try {
      return await onConnection(this.#dataSource, async (client) => {
        const { rows } = await client.query<{ won: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS won', [
          locks.subjects,
        ]);
        if (!rows[0]!.won) return 0;
        const { rowCount } = await client.query(
          `DELETE FROM feedback.subject_key WHERE key_id IN (
             SELECT key_id FROM feedback.subject_key AS key
               WHERE last_day < (SELECT min(to_date(right(child.relname, 8), 'YYYYMMDD')) - ${marginDays}
                   FROM pg_inherits AS link JOIN pg_class AS child ON child.oid = link.inhrelid
                   JOIN pg_class AS parent ON parent.oid = link.inhparent
                   WHERE parent.relnamespace = 'feedback'::regnamespace AND parent.relkind = 'p' AND child.relkind = 'r')
                 AND NOT EXISTS (SELECT FROM feedback.evidence_skewed WHERE payload_key_id = key.key_id)
                 AND NOT EXISTS (SELECT FROM feedback.dead_letter WHERE payload_key_id = key.key_id)
               LIMIT $1)`,
          [limit],
        );
        return rowCount ?? 0;
      });
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  /** Gives the room of rows that were overwritten or deleted back, so that other rows overwrite what was in them. */
  async vacuum(): Promise<void> {
    for (const table of ['subject_key', 'dead_letter', 'label_waiting'])
      await statement(this.#dataSource, `VACUUM (SKIP_LOCKED) feedback.${table}`);
  }

  /** Deletes at most `limit` dead letters that nobody can read, which have been there for so many days; returns how many. */
  async deleteUnreadable(days: number, limit: number): Promise<number> {
    const rows = await statement(
      this.#dataSource,
      `DELETE FROM feedback.dead_letter WHERE id IN (SELECT id FROM feedback.dead_letter
         WHERE of_anybody AND first_at < now() - make_interval(days => $1) LIMIT $2) RETURNING id`,
      [days, limit],
    );
    return rows.length;
  }
}
