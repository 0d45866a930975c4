import type { ApprovalRecord, Retained } from '../usecases/records.ts';
import type { Sql } from './sql.ts';
import { fromMs, toMs } from './sql.ts';
import type { Stamp } from './version-store.ts';

interface RetainedRow {
  model: string;
  alias: string;
  version: number;
  until_at: Date;
}

export async function selectApprovals(sql: Sql, model: string, version: number): Promise<readonly ApprovalRecord[]> {
  const rows = await sql.query<{ alias: string; approver: string; at: Date; revision: number }>(
    `select alias, approver, at, revision from registry.approval where model = $1 and version = $2 order by revision`,
    [model, version],
  );
  return rows.map((row) => ({
    model,
    version,
    alias: row.alias,
    approver: row.approver,
    at: toMs(row.at),
    revision: row.revision,
  }));
}

export async function insertApproval(sql: Sql, approval: ApprovalRecord): Promise<void> {
  await sql.query(
    `insert into registry.approval (model, version, alias, approver, at, revision) values ($1, $2, $3, $4, $5, $6)`,
    [approval.model, approval.version, approval.alias, approval.approver, fromMs(approval.at), approval.revision],
  );
}

export async function selectPins(sql: Sql, model: string): Promise<readonly number[]> {
  const rows = await sql.query<{ version: number }>(
    `select version from registry.pin where model = $1 and to_at is null order by version`,
    [model],
  );
  return rows.map((row) => row.version);
}

export async function insertPin(sql: Sql, model: string, version: number, stamp: Stamp): Promise<void> {
  await sql.query(`insert into registry.pin (model, version, actor, from_at, revision) values ($1, $2, $3, $4, $5)`, [
    model,
    version,
    stamp.actor,
    stamp.at,
    stamp.revision,
  ]);
}

export async function endPin(sql: Sql, model: string, version: number, stamp: Stamp): Promise<void> {
  await sql.query(`update registry.pin set to_at = $3 where model = $1 and version = $2 and to_at is null`, [
    model,
    version,
    stamp.at,
  ]);
}

export async function selectRetained(sql: Sql, model: string): Promise<readonly Retained[]> {
  const rows = await sql.query<RetainedRow>(
    `select model, alias, version, until_at from registry.retained where model = $1 order by alias, version`,
    [model],
  );
  return rows.map(toRetained);
}

export async function selectRetainedOver(sql: Sql): Promise<readonly Retained[]> {
  const rows = await sql.query<RetainedRow>(
    `select model, alias, version, until_at from registry.retained where until_at <= clock_timestamp()
     order by until_at limit 1000`,
  );
  return rows.map(toRetained);
}

export async function insertRetained(sql: Sql, retained: Retained): Promise<void> {
  await sql.query(
    `insert into registry.retained (model, alias, version, until_at) values ($1, $2, $3, $4)
     on conflict (model, alias, version) do update set until_at = excluded.until_at`,
    [retained.model, retained.alias, retained.version, fromMs(retained.until)],
  );
}

export async function deleteRetained(sql: Sql, model: string, alias: string, version: number): Promise<void> {
  await sql.query(`delete from registry.retained where model = $1 and alias = $2 and version = $3`, [
    model,
    alias,
    version,
  ]);
}

function toRetained(row: RetainedRow): Retained {
  return { model: row.model, alias: row.alias, version: row.version, until: toMs(row.until_at) };
}
