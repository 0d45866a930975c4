import type { CapturePolicy } from '@sluice/domain/capture';
import { placementOf } from '@sluice/domain/placement';
import type { Release } from '@sluice/domain/release';
import type { Signature } from '@sluice/domain/signature';
import type { VersionFile } from '@sluice/domain/version';
import { auditActions, auditObjects } from '../audit/entry.ts';
import type { ModelState, PlacedVersion } from '../watch/desired-state.ts';
import type { ModelsSince } from '../watch/reader.ts';
import { selectAliases, selectPendingMoves } from './alias-store.ts';
import { toModelCapture } from './model-store.ts';
import { selectQuarantines } from './quarantine-store.ts';
import { toRelease } from './release-store.ts';
import type { Sql } from './sql.ts';
import { type StoredServing, toServing } from './version-store.ts';

interface VersionRow {
  model: string;
  number: number;
  digest: string;
  graph_path: string;
  signature: Signature;
  serving: StoredServing;
  model_bytes: number | null;
  has_task: boolean;
  files: VersionFile[];
}

interface ModelRow {
  name: string;
  changed_revision: number;
  capture: CapturePolicy | null;
}

/** A version that is not placed. */
interface OtherRow {
  model: string;
  number: number;
  state: string;
  unplaced_revision: number | null;
  keeps_sequences: boolean;
}

/** Models whose last change is later than `token`; to be read in one snapshot. */
export async function selectModelStates(sql: Sql, token: number): Promise<ModelsSince> {
  const changed = await sql.query<ModelRow>(
    `select name, changed_revision, capture from registry.model where changed_revision > $1 or $1 = 0 order by name`,
    [token],
  );
  const [last] = await sql.query<{ latest: number | null }>(
    `select max(changed_revision) as latest from registry.model`,
  );
  const since = { latest: last?.latest ?? 0, floor: await selectFloor(sql) };
  if (changed.length === 0) return { ...since, models: [] };
  const parts = await selectParts(
    sql,
    changed.map((row) => row.name),
  );
  return { ...since, models: changed.map((row) => toModelState(row, parts)) };
}

/** The highest token that a watcher may have from before a restore that was accepted; 0 without one. */
async function selectFloor(sql: Sql): Promise<number> {
  const [restore] = await sql.query<{ leaf_index: number; lost: number }>(
    `select leaf_index, (canonical_json::jsonb -> 'body' ->> 'checkpoint_size')::bigint as lost
     from registry.audit_entry where object = $1 and action = $2 order by leaf_index desc limit 1`,
    [auditObjects.log, auditActions.restoreAccepted],
  );
  return restore ? Math.max(restore.leaf_index, restore.lost) : 0;
}

type Parts = Awaited<ReturnType<typeof selectParts>>;

async function selectParts(sql: Sql, names: readonly string[]) {
  return {
    aliases: byModel(await selectAliases(sql, names)),
    moves: byModel(await selectPendingMoves(sql, names)),
    pins: byModel(
      await sql.query<{ model: string; version: number }>(
        `select model, version from registry.pin where model = any ($1) and to_at is null`,
        [names],
      ),
    ),
    retained: byModel(
      await sql.query<{ model: string; alias: string; version: number }>(
        `select model, alias, version from registry.retained where model = any ($1)`,
        [names],
      ),
    ),
    releases: byModel(
      await sql.query<{ model: string; body: Release }>(
        `select model, body from registry.release where model = any ($1) and to_at is null`,
        [names],
      ),
    ),
    placed: byModel(
      await sql.query<VersionRow>(
        `select v.model, v.number, v.digest, v.graph_path, v.signature, v.serving,
           (v.admission ->> 'modelBytes')::bigint as model_bytes,
           coalesce(nullif(v.manifest_json, '')::json -> 'task' ->> 'kind', 'none') <> 'none' as has_task, (
           select json_agg(json_build_object('path', f.path, 'sha256', f.sha256, 'size', f.size)
                           order by f.path collate "C")
           from registry.version_file f where f.model = v.model and f.number = v.number
         ) as files
         from registry.version v where v.model = any ($1) and v.placed`,
        [names],
      ),
    ),
    quarantined: byModel(await selectQuarantines(sql, { models: names })),
    others: byModel(
      await sql.query<OtherRow>(
        `select model, number, state, unplaced_revision, serving ->> 'sequenceBatching' is not null as keeps_sequences
         from registry.version
         where model = any ($1) and not placed and (state = 'ready' or unplaced_revision is not null) order by number`,
        [names],
      ),
    ),
  };
}

function toModelState(row: ModelRow, parts: Parts): ModelState {
  const { name: model, changed_revision: changedRevision } = row;
  const aliases = parts.aliases(model).filter((alias) => alias.version !== undefined);
  const stored = parts.releases(model)[0]?.body;
  const release = stored && toRelease(stored);
  const versions = new Map(parts.placed(model).map((row) => [row.number, row]));
  const placed = placementOf({
    aliases: aliases.map(({ alias, version }) => ({ alias, version: version! })),
    moves: parts.moves(model),
    releases:
      release && !release.implicit ? [{ id: release.id, versions: release.arms.map((arm) => arm.version) }] : [],
    pins: parts.pins(model).map((row) => row.version),
    retained: parts.retained(model).map(({ alias, version }) => ({ alias, version: version })),
    quarantined: parts.quarantined(model).map(({ version }) => version),
  });
  const others = parts.others(model);
  return {
    model,
    changedRevision,
    aliases,
    release,
    capture: toModelCapture(row.capture),
    placed: placed.flatMap((entry): readonly PlacedVersion[] => {
      const row = versions.get(entry.version);
      if (!row) return [];
      const { digest, graph_path: graphPath, signature, files } = row;
      return [
        {
          ...entry,
          digest,
          graphPath,
          signature,
          serving: toServing(row.serving),
          modelBytes: row.model_bytes ?? 0,
          hasTask: row.has_task,
          files,
        },
      ];
    }),
    quarantined: parts.quarantined(model),
    unplaced: others.filter((row) => row.state === 'ready').map((row) => row.number),
    keepsSequences: [
      ...placed.map(({ version }) => versions.get(version)?.serving.sequenceBatching !== undefined),
      ...others.map((row) => row.state === 'ready' && row.keeps_sequences),
    ].includes(true),
    left: others.flatMap((row) =>
      row.unplaced_revision === null ? [] : [{ version: row.number, revision: row.unplaced_revision }],
    ),
  };
}

function byModel<T extends { readonly model: string }>(rows: readonly T[]): (model: string) => readonly T[] {
  const groups = Map.groupBy(rows, (row) => row.model);
  return (model) => groups.get(model) ?? [];
}
