import type { CapturePolicy } from '@sluice/domain/capture';
import { defaultCapture, sameCapture } from '@sluice/domain/capture';
import type { LabelPolicy } from '@sluice/domain/label-policy';
import { defaultLabels, sameLabels } from '@sluice/domain/label-policy';
import type { ModelSettings } from '@sluice/domain/model';
import type { ModelRecord } from '../usecases/records.ts';
import type { Sql } from './sql.ts';
import { fromMs, toMs } from './sql.ts';
import type { Stamp } from './version-store.ts';
import { during } from './version-store.ts';

interface SettingsRow {
  owner: string;
  description: string;
  approvals_required: number;
  capture: CapturePolicy | null;
  labels: LabelPolicy | null;
}

interface ModelRow extends SettingsRow {
  name: string;
  last_version: number;
  created_at: Date;
  created_by: string;
  revision: number;
}

const settingsColumns = 'owner, description, approvals_required, capture, labels';
const columns = `name, ${settingsColumns}, last_version, created_at, created_by, revision`;

export async function selectModel(sql: Sql, name: string): Promise<ModelRecord | undefined> {
  const rows = await sql.query<ModelRow>(`select ${columns} from registry.model where name = $1`, [name]);
  return rows[0] && toModel(rows[0]);
}

export async function selectModels(sql: Sql, after: string, limit: number): Promise<readonly ModelRecord[]> {
  const rows = await sql.query<ModelRow>(
    `select ${columns} from registry.model where name > $1 collate "C" order by name limit $2`,
    [after, limit],
  );
  return rows.map(toModel);
}

export async function insertModel(
  sql: Sql,
  model: { name: string; settings: ModelSettings; at: Date; actor: string; revision: number },
): Promise<void> {
  await sql.query(
    `insert into registry.model (name, ${settingsColumns}, created_at, created_by, revision, changed_revision)
     values ($1, $2, $3, $4, $5::jsonb, $6::jsonb, $7, $8, $9, $9)`,
    [model.name, ...toStored(model.settings), model.at, model.actor, model.revision],
  );
  await keepSettings(sql, model.name, model.at);
}

/** A model whose policy is the default follows it when later software has another one. */
const toStored = ({ owner, description, approvalsRequired, capture, labels }: ModelSettings) =>
  [
    ...[owner, description, approvalsRequired],
    sameCapture(capture, defaultCapture) ? null : JSON.stringify(capture),
    sameLabels(labels, defaultLabels) ? null : JSON.stringify(labels),
  ] as const;

export async function updateSettings(sql: Sql, name: string, settings: ModelSettings, stamp: Stamp): Promise<void> {
  await sql.query(
    `update registry.model
     set owner = $2, description = $3, approvals_required = $4, capture = $5::jsonb, labels = $6::jsonb, revision = $7
     where name = $1`,
    [name, ...toStored(settings), stamp.revision],
  );
  await keepSettings(sql, name, stamp.at);
}

/** To be called after a change of a model's settings: those that it has now begin a stretch of its history. */
async function keepSettings(sql: Sql, name: string, at: Date): Promise<void> {
  await sql.query(`update registry.model_history set to_at = $2 where model = $1 and to_at is null`, [name, at]);
  await sql.query(
    `insert into registry.model_history (model, ${settingsColumns}, from_at, revision)
     select name, ${settingsColumns}, $2, revision from registry.model where name = $1`,
    [name, at],
  );
}

/** The settings that a model had at a time; undefined when it was not there, or nobody kept them. */
export async function selectSettingsAsOf(sql: Sql, model: string, time: number): Promise<ModelSettings | undefined> {
  const rows = await sql.query<SettingsRow>(
    `select ${settingsColumns} from registry.model_history h where model = $1 and ${during('h', '$2')}`,
    [model, fromMs(time)],
  );
  return rows[0] && toSettings(rows[0]);
}

/** Takes the model's next version number; none is ever given twice. */
export async function takeVersionNumber(sql: Sql, name: string): Promise<number> {
  const rows = await sql.query<{ last_version: number }>(
    `with taken as (
       update registry.model set last_version = last_version + 1 where name = $1 returning last_version
     )
     select last_version from taken`,
    [name],
  );
  return rows[0]!.last_version;
}

function toModel(row: ModelRow): ModelRecord {
  return {
    name: row.name,
    settings: toSettings(row),
    revision: row.revision,
    createdAt: toMs(row.created_at),
    createdBy: row.created_by,
    versionCount: row.last_version,
  };
}

function toSettings(row: SettingsRow): ModelSettings {
  return {
    owner: row.owner,
    description: row.description,
    approvalsRequired: row.approvals_required,
    capture: row.capture ?? defaultCapture,
    labels: row.labels ?? defaultLabels,
  };
}
