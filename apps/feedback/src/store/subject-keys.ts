import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { KeyRing } from '../payloads/key-ring.ts';
import { locks } from './locks.ts';

/** What is to be encrypted for one subject within one transaction. */
export interface KeyDemand {
  /** Keyed hash of the subject. */
  readonly hash: Buffer;
  /** When the latest of the predictions was made, milliseconds since the epoch; Infinity where that is now. */
  latestMs: number;
  /** The latest day (UTC) of the predictions, `YYYY-MM-DD`; empty for today. */
  lastDay: string;
}

/** How a subject stands. */
export interface SubjectKey {
  /** Undefined where nothing may be kept: there is no key, and none may be made. */
  readonly key: { readonly keyId: string; readonly key: Uint8Array } | undefined;
  /** Of a subject that was erased. */
  readonly erased: Erased | undefined;
}

/** Times of a subject that was erased, milliseconds since the epoch. */
export interface Erased {
  /** What was made by then is kept without payload. */
  readonly byMs: number;
  /** What says that it was made later than this comes of a clock that is wrong: nobody knows whether it was made after the order. */
  readonly knownMs: number;
}

/** Whether a payload may not be kept that says that it was made at a time, milliseconds since the epoch; NaN says nothing. */
export const isErased = (erased: Erased | undefined, madeMs: number): boolean =>
  erased !== undefined && !(madeMs > erased.byMs && madeMs <= erased.knownMs);

/** Clocks of routers may be ahead of the database's by so much: what they made by then counts as made before an order. */
const clockMarginMs = 60_000;

interface Found {
  readonly n: number;
  readonly key_id: string | null;
  readonly kek_id: string | null;
  readonly wrapped: Buffer | null;
  readonly last_day: string | null;
  readonly today: string;
  readonly now: Date;
  readonly ordered_at: Date | null;
}

/**
 * Keys of subjects for the transaction of `client`, made where there is none. Until the transaction ends none of them is destroyed, so
 * that nothing is committed under a key that is gone. Replicas that make the key of a subject at once agree on one.
 *
 * @returns in the order of the demands, each of which is of another subject
 */
export async function takeKeys(
  client: PoolClient,
  ring: KeyRing,
  demands: readonly KeyDemand[],
): Promise<readonly SubjectKey[]> {
  // A statement of its own: the next one sees what was committed by then.
  await client.query('SELECT pg_advisory_xact_lock_shared($1)', [locks.subjects]);
  const found = await look(client, demands);
  for (const [index, demand] of demands.entries()) if (demand.lastDay === '') demand.lastDay = found[index]!.today;
  const missing = demands.filter((demand, index) => found[index]!.key_id === null && isWanted(demand, found[index]!));
  if (missing.length > 0) {
    await make(client, ring, missing);
    const made = await look(client, missing);
    for (const [index, demand] of missing.entries()) found[demands.indexOf(demand)] = made[index]!;
  }
  await prolong(client, demands, found);
  return found.map(({ key_id, kek_id, wrapped, ordered_at, now }) => ({
    key:
      key_id === null ? undefined : { keyId: key_id, key: ring.unwrap({ kekId: kek_id!, wrapped: wrapped! }, key_id) },
    erased: ordered_at
      ? { byMs: ordered_at.getTime() + clockMarginMs, knownMs: now.getTime() + clockMarginMs }
      : undefined,
  }));
}

/** Whether something was made after the last order, so that it may be kept. */
const isWanted = ({ latestMs }: KeyDemand, { ordered_at }: Found): boolean =>
  ordered_at === null || latestMs > ordered_at.getTime() + clockMarginMs;

async function look(client: PoolClient, demands: readonly KeyDemand[]): Promise<Found[]> {
  const { rows } = await client.query<Found>(
    `SELECT asked.n::int AS n, key.key_id, key.kek_id, key.wrapped, key.last_day::text AS last_day,
         (now() AT TIME ZONE 'UTC')::date::text AS today, clock_timestamp() AS now, erasure.ordered_at
       FROM unnest($1::bytea[]) WITH ORDINALITY AS asked(hash, n)
       LEFT JOIN feedback.subject_key AS key ON key.subject_hash = asked.hash AND key.erased_at IS NULL
       LEFT JOIN LATERAL (SELECT ordered_at FROM feedback.erasure WHERE subject_hash = asked.hash
         ORDER BY ordered_at DESC LIMIT 1) AS erasure ON true
       ORDER BY asked.n`,
    [demands.map(({ hash }) => hash)],
  );
  return rows;
}

/** In the order of their hashes, so that replicas wait for each other and never in a circle. */
async function make(client: PoolClient, ring: KeyRing, demands: readonly KeyDemand[]): Promise<void> {
  const made = demands.map((demand) => {
    const keyId = randomUUID();
    return { ...demand, keyId, ...ring.make(keyId) };
  });
  await client.query(
    `INSERT INTO feedback.subject_key (key_id, subject_hash, kek_id, wrapped, last_day)
       SELECT key_id, subject_hash, kek_id, wrapped, last_day
         FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::bytea[], $5::date[])
           AS made(key_id, subject_hash, kek_id, wrapped, last_day) ORDER BY subject_hash
       ON CONFLICT (subject_hash) WHERE erased_at IS NULL DO NOTHING`,
    [
      ...[made.map(({ keyId }) => keyId), made.map(({ hash }) => hash), made.map(({ kekId }) => kekId)],
      ...[made.map(({ wrapped }) => wrapped), made.map(({ lastDay }) => lastDay)],
    ],
  );
}

/** Once a day for each subject: a key stays as long as the day of its last payload. */
async function prolong(client: PoolClient, demands: readonly KeyDemand[], found: readonly Found[]): Promise<void> {
  const later = demands
    .map(({ lastDay }, index) => ({ lastDay, keyId: found[index]!.key_id, known: found[index]!.last_day }))
    .filter(({ lastDay, keyId, known }) => keyId !== null && lastDay > known!);
  if (later.length === 0) return;
  await client.query(
    `WITH later AS (
       SELECT key.key_id, given.last_day FROM feedback.subject_key AS key
         JOIN unnest($1::uuid[], $2::date[]) AS given(key_id, last_day) USING (key_id) ORDER BY key.key_id FOR UPDATE OF key
     )
     UPDATE feedback.subject_key AS key SET last_day = greatest(key.last_day, later.last_day)
       FROM later WHERE key.key_id = later.key_id`,
    [later.map(({ keyId }) => keyId), later.map(({ lastDay }) => lastDay)],
  );
}
