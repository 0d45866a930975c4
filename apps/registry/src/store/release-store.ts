import { defaultCapture } from '@sluice/domain/capture';
import type { CapturePolicy } from '@sluice/domain/capture';
import type { Release } from '@sluice/domain/release';
import type { RedactableNames } from '../usecases/records.ts';
import type { Sql } from './sql.ts';
import { fromMs } from './sql.ts';
import type { Stamp } from './version-store.ts';
import { during } from './version-store.ts';

/** The model's release at a time, or now. */
export async function selectRelease(sql: Sql, model: string, time?: number): Promise<Release | undefined> {
  const rows = await sql.query<{ body: Release }>(
    `select r.body from registry.release r where r.model = $1 and ${during('r', '$2')}`,
    [model, time === undefined ? null : fromMs(time)],
  );
  return rows[0] && toRelease(rows[0].body);
}

/** Whether a release that a person made rules or has ruled. */
export async function hasHadOwnRelease(sql: Sql, model: string): Promise<boolean> {
  const rows = await sql.query(
    `select from registry.release where model = $1 and not (body ->> 'implicit')::boolean limit 1`,
    [model],
  );
  return rows.length > 0;
}

/** Ends the model's release and begins another, or none. */
export async function replaceRelease(
  sql: Sql,
  model: string,
  release: Release | undefined,
  stamp: Stamp,
): Promise<void> {
  await sql.query(`update registry.release set to_at = $2 where model = $1 and to_at is null`, [model, stamp.at]);
  if (!release) return;
  await sql.query(
    `insert into registry.release (id, model, revision, body, from_at) values ($1, $2, $3, $4::jsonb, $5)
     on conflict (id) do update set body = excluded.body, from_at = excluded.from_at, to_at = null`,
    [release.id, model, release.revision, JSON.stringify(release), stamp.at],
  );
}

/** A release as it is stored, perhaps by a registry of before some of its fields. */
export const toRelease = (body: Release): Release => ({ ...body, capture: toCapture(body.capture) });

/** A policy of before it said what is kept of requests and responses kept neither, in a class that is `standard` now. */
function toCapture(stored: CapturePolicy): CapturePolicy {
  const { rate, durability } = stored;
  return 'maxPayloadBytes' in stored ? stored : { ...defaultCapture, rate, durability };
}

/** Which of these names no ready version of the model has as an input or as a feature of one, and some that there are. */
export async function selectRedactable(
  sql: Sql,
  model: string,
  names: readonly string[],
  limit: number,
): Promise<RedactableNames> {
  const [row] = await sql.query<{ missing: string[]; known: string[] }>(
    `with input as (
       select i from registry.version v, jsonb_array_elements(v.signature -> 'inputs') i
       where v.model = $1 and v.state = 'ready'
     ), known as (
       select i ->> 'name' as name from input
       union select f ->> 'name' from input, jsonb_array_elements(i -> 'features') f
     )
     select array(
         select asked.name from unnest($2::text[]) with ordinality as asked (name, at)
         where not exists (select from known where known.name = asked.name) order by asked.at
       ) as missing,
       array(select name from known order by name collate "C" limit $3) as known`,
    [model, names, limit],
  );
  return row!;
}
