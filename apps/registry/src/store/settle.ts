import { championAlias } from '@sluice/domain/approval';
import type { PlacementFacts } from '@sluice/domain/placement';
import { placementOf } from '@sluice/domain/placement';
import { implicitRelease, sameSplit } from '@sluice/domain/release';
import { selectAliases, selectPendingMoves } from './alias-store.ts';
import { replaceRelease, selectPins, selectRelease, selectRetained } from './hold-store.ts';
import type { Sql } from './sql.ts';
import type { Stamp } from './version-store.ts';
import { selectVersion } from './version-store.ts';

/** The channel on which replicas wake each other; what is sent says only what to read again. */
export const wakeChannel = 'sluice_registry';

/** Brings a model's implicit release and placement up to date after a change, and wakes all watchers at commit. */
export async function settleModel(sql: Sql, model: string, stamp: Stamp): Promise<void> {
  const facts = await placementFacts(sql, model);
  await settleRelease(sql, model, facts, stamp);
  const placed = placementOf(facts).map((entry) => entry.version);
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
  };
}

async function settleRelease(sql: Sql, model: string, facts: PlacementFacts, stamp: Stamp): Promise<void> {
  const current = await selectRelease(sql, model);
  if (current && !current.implicit) return;
  const champion = facts.aliases.find(({ alias }) => alias === championAlias)?.version;
  const target = champion ?? facts.pins.at(-1);
  const digest = target === undefined ? '' : ((await selectVersion(sql, model, target))?.digest ?? '');
  const next = implicitRelease({
    model,
    champion,
    pins: facts.pins,
    digestOf: () => digest,
    revision: stamp.revision,
  });
  if (!sameSplit(current, next)) await replaceRelease(sql, model, next, stamp);
}
