import { answeringVersion } from '@sluice/domain/answering';
import { championAlias } from '@sluice/domain/approval';
import type { PlacementFacts } from '@sluice/domain/placement';
import { checkPlacedBytes, placementOf } from '@sluice/domain/placement';
import type { CapturePolicy, Release } from '@sluice/domain/release';
import { implicitRelease, sameSplit } from '@sluice/domain/release';
import { selectAliases, selectPendingMoves } from './alias-store.ts';
import { selectPins, selectRetained } from './hold-store.ts';
import { selectModel } from './model-store.ts';
import { selectQuarantines } from './quarantine-store.ts';
import { replaceRelease, selectRelease } from './release-store.ts';
import type { Sql } from './sql.ts';
import type { Stamp } from './version-store.ts';
import { selectVersion } from './version-store.ts';

/** The channel on which replicas wake each other; what is sent says only what to read again. */
export const wakeChannel = 'sluice_registry';

/** Brings a model's release and placement up to date after a change, and wakes all watchers at commit. */
export async function settleModel(sql: Sql, model: string, stamp: Stamp): Promise<void> {
  const facts = await placementFacts(sql, model);
  await settleRelease(sql, model, facts, stamp);
  const placed = placementOf(facts).map((entry) => entry.version);
  await checkRoom(sql, model, placed);
  await sql.query(
    `update registry.version
     set placed = number = any ($2),
         unplaced_revision = case when number = any ($2) then null else $3::bigint end
     where model = $1 and placed <> (number = any ($2))`,
    [model, placed, stamp.revision],
  );
  await sql.query(`update registry.model set changed_revision = $2 where name = $1`, [model, stamp.revision]);
  await sql.query(`select pg_notify($1, 'desired')`, [wakeChannel]);
}

/** What is placed must fit into what watchers are told; looked at only when a version is added. */
async function checkRoom(sql: Sql, model: string, placed: readonly number[]): Promise<void> {
  const [added] = await sql.query(
    `select from registry.version where model = $1 and number = any ($2) and not placed limit 1`,
    [model, placed],
  );
  if (!added) return;
  const rows = await sql.query<{ version: number; is_new: boolean; bytes: number }>(
    `select v.number as version, not v.placed as is_new, octet_length(v.signature::text)
       + octet_length(v.serving::text) + (
       select coalesce(sum(octet_length(f.path) + 100), 0) from registry.version_file f
       where f.model = v.model and f.number = v.number
     ) as bytes
     from registry.version v where v.model = $1 and v.number = any ($2) order by v.number`,
    [model, placed],
  );
  checkPlacedBytes(
    model,
    rows.map(({ version, is_new: isNew, bytes }) => ({ version, isNew, bytes })),
  );
}

/** All that decides which versions of a model are placed. */
export async function placementFacts(sql: Sql, model: string): Promise<PlacementFacts> {
  const release = await selectRelease(sql, model);
  return {
    aliases: (await selectAliases(sql, [model])).flatMap(({ alias, version }) =>
      version === undefined ? [] : [{ alias, version }],
    ),
    moves: await selectPendingMoves(sql, [model]),
    releases:
      release && !release.implicit ? [{ id: release.id, versions: release.arms.map((arm) => arm.version) }] : [],
    pins: await selectPins(sql, model),
    retained: await selectRetained(sql, model),
    quarantined: (await selectQuarantines(sql, { models: [model] })).map(({ version }) => version),
  };
}

/**
 * The release that rules after the change: one that a person made stays, with the model's capture policy unless it has
 * its own; else what follows from `champion` and pins.
 */
async function settleRelease(sql: Sql, model: string, facts: PlacementFacts, stamp: Stamp): Promise<void> {
  const current = await selectRelease(sql, model);
  const capture = (await selectModel(sql, model))!.settings.capture;
  const next =
    current && !current.implicit
      ? { ...current, capture: current.ownCapture === true ? current.capture : capture }
      : await implicitNow(sql, model, facts, capture, stamp);
  if (sameSplit(current, next)) return;
  const { revision } = stamp;
  await replaceRelease(sql, model, next && { ...next, id: `${model}@${revision}`, revision }, stamp);
}

async function implicitNow(
  sql: Sql,
  model: string,
  { aliases, pins }: PlacementFacts,
  capture: CapturePolicy,
  { revision }: Stamp,
): Promise<Release | undefined> {
  const champion = aliases.find(({ alias }) => alias === championAlias)?.version;
  const target = answeringVersion({ champion, pins });
  const digest = target === undefined ? '' : ((await selectVersion(sql, model, target))?.digest ?? '');
  return implicitRelease({ model, champion, pins, digestOf: () => digest, revision, capture });
}
