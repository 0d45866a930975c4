import type { PoolClient } from 'pg';
import type { KeyRing } from '../payloads/key-ring.ts';

/** What is to be destroyed. */
export interface Destruction {
  /** Keyed hash of the subject: its key goes if it was made by then. */
  readonly hash: Buffer;
  readonly orderedAt: Date;
  /** Keys that go whosever they are. */
  readonly keyIds: readonly string[];
}

const lettersAtOnce = 100;

/**
 * Destroys keys, and what of dead letters is under them: these stay, without payloads. To be called with the lock of subjects.
 *
 * @returns ids of the keys that were alive
 */
export async function destroyKeys(
  client: PoolClient,
  ring: KeyRing,
  { hash, orderedAt, keyIds }: Destruction,
): Promise<string[]> {
  const { rows } = await client.query<{ key_id: string }>(
    `UPDATE feedback.subject_key SET wrapped = NULL, kek_id = NULL, erased_at = $2
       WHERE erased_at IS NULL AND ((subject_hash = $1 AND created_at <= $2) OR key_id = ANY ($3::uuid[])) RETURNING key_id`,
    [hash, orderedAt, keyIds],
  );
  const destroyed = rows.map(({ key_id }) => key_id);
  for (const keyId of destroyed) await eraseLetters(client, ring, keyId);
  return destroyed;
}

async function eraseLetters(client: PoolClient, ring: KeyRing, keyId: string): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ id: number; bytes: Buffer }>(
      'SELECT id, bytes FROM feedback.dead_letter WHERE payload_key_id = $1 ORDER BY id LIMIT $2',
      [keyId, lettersAtOnce],
    );
    if (rows.length === 0) return;
    for (const { id, bytes } of rows) {
      // Without its payload it may be one that is there already.
      const { rowCount } = await client.query(
        `UPDATE feedback.dead_letter SET sealed = NULL, payload_key_id = NULL, digest = $2
           WHERE id = $1 AND NOT EXISTS (SELECT FROM feedback.dead_letter WHERE digest = $2)`,
        [id, ring.digest(bytes)],
      );
      if (rowCount === 0) await client.query('DELETE FROM feedback.dead_letter WHERE id = $1', [id]);
    }
  }
}
