import type { CapturePolicy } from '@sluice/domain/capture';
import { defaultCapture, sameCapture } from '@sluice/domain/capture';
import type { ModelSettings } from '@sluice/domain/model';
import type { ModelRecord } from '../usecases/records.ts';
import type { Sql } from './sql.ts';
import { toMs } from './sql.ts';

interface ModelRow {
  name: string;
  owner: string;
  description: string;
  approvals_required: number;
  capture: CapturePolicy | null;
  last_version: number;
  created_at: Date;
  created_by: string;
  revision: number;
}

const columns = 'name, owner, description, approvals_required, capture, last_version, created_at, created_by, revision';

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
  const { owner, description, approvalsRequired, capture } = model.settings;
  await sql.query(
    `insert into registry.model
       (name, owner, description, approvals_required, capture, created_at, created_by, revision, changed_revision)
     values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $8)`,
    [model.name, owner, description, approvalsRequired, toStored(capture), model.at, model.actor, model.revision],
  );
}

/** A model whose policy is the default follows it when later software has another one. */
const toStored = (capture: CapturePolicy): string | null =>
  sameCapture(capture, defaultCapture) ? null : JSON.stringify(capture);

/** A model's policy, as `toStored` left it. */
export const toModelCapture = (stored: CapturePolicy | null): CapturePolicy => stored ?? defaultCapture;

export async function updateSettings(sql: Sql, name: string, settings: ModelSettings, revision: number): Promise<void> {
  await sql.query(
    `update registry.model
     set owner = $2, description = $3, approvals_required = $4, capture = $5::jsonb, revision = $6 where name = $1`,
    [name, settings.owner, settings.description, settings.approvalsRequired, toStored(settings.capture), revision],
  );
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
    settings: {
      owner: row.owner,
      description: row.description,
      approvalsRequired: row.approvals_required,
      capture: toModelCapture(row.capture),
    },
    revision: row.revision,
    createdAt: toMs(row.created_at),
    createdBy: row.created_by,
    versionCount: row.last_version,
  };
}
