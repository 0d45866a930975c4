import type { AliasMoveState } from '@sluice/domain/alias-move';
import type { HistoryQuery } from '../usecases/history-page.ts';
import type { AliasHistoryEntry, AliasMove, AliasRecord } from '../usecases/records.ts';
import type { Sql } from './sql.ts';
import { fromMs, toMs, toMsOrUndefined } from './sql.ts';
import type { Stamp } from './version-store.ts';
import { during } from './version-store.ts';

interface AliasRow {
  model: string;
  alias: string;
  version: number | null;
  revision: number;
  since: Date | null;
  actor: string;
}

interface HistoryRow {
  alias: string;
  version: number;
  from_at: Date;
  to_at: Date | null;
  actor: string;
  revision: number;
  rollback: boolean;
}

interface MoveRow {
  id: string;
  model: string;
  alias: string;
  from_version: number | null;
  to_version: number;
  state: AliasMoveState;
  reasons: string[];
  requested_at: Date;
  ended_at: Date | null;
  actor: string;
  timeout_ms: number;
  rollback: boolean;
  requested_revision: number;
  ended_revision: number | null;
}

export async function selectAliases(sql: Sql, models: readonly string[], alias = ''): Promise<readonly AliasRecord[]> {
  const rows = await sql.query<AliasRow>(
    `select model, alias, version, revision, since, actor from registry.alias
     where model = any ($1) and ($2 = '' or alias = $2) order by model, alias`,
    [models, alias],
  );
  return rows.map((row) => ({
    model: row.model,
    alias: row.alias,
    version: row.version ?? undefined,
    revision: row.revision,
    since: toMsOrUndefined(row.since),
    actor: row.actor,
  }));
}

export async function selectMoves(
  sql: Sql,
  model: string,
  alias: string,
  { before, limit }: HistoryQuery,
): Promise<readonly AliasMove[]> {
  const rows = await sql.query<MoveRow>(
    `select * from registry.alias_move where model = $1 and ($2 = '' or alias = $2) and requested_revision < $3
     order by requested_revision desc limit $4`,
    [model, alias, before, limit],
  );
  return rows.map(toMove);
}

export async function selectMove(sql: Sql, id: string): Promise<AliasMove | undefined> {
  const rows = await sql.query<MoveRow>(`select * from registry.alias_move where id = $1`, [id]);
  return rows[0] && toMove(rows[0]);
}

export async function selectPendingMoves(sql: Sql, models?: readonly string[]): Promise<readonly AliasMove[]> {
  const rows = await sql.query<MoveRow>(
    `select * from registry.alias_move
     where state = 'requested' and ($1::text[] is null or model = any ($1)) order by requested_revision`,
    [models ?? null],
  );
  return rows.map(toMove);
}

const historyColumns = `h.alias, h.version, h.from_at, h.to_at, h.actor, h.revision, exists (
  select from registry.alias_move m
  where m.model = h.model and m.alias = h.alias and m.ended_revision = h.revision and m.rollback
) as rollback`;

/** Stretches of an alias or of all (''), newest first. */
export async function selectHistory(
  sql: Sql,
  model: string,
  alias: string,
  { before, limit }: HistoryQuery,
): Promise<readonly AliasHistoryEntry[]> {
  const rows = await sql.query<HistoryRow>(
    `select ${historyColumns} from registry.alias_history h
     where h.model = $1 and ($2 = '' or h.alias = $2) and h.revision < $3 order by h.revision desc limit $4`,
    [model, alias, before, limit],
  );
  return rows.map(toHistory);
}

/** Where each alias of a model pointed at a time. */
export async function selectAliasesAsOf(sql: Sql, model: string, time: number): Promise<readonly AliasHistoryEntry[]> {
  const rows = await sql.query<HistoryRow>(
    `select ${historyColumns} from registry.alias_history h
     where h.model = $1 and ${during('h', '$2')} order by h.revision, h.alias`,
    [model, fromMs(time)],
  );
  return rows.map(toHistory);
}

/** Whether an alias points to a version or has done so. */
export async function hasHistory(sql: Sql, model: string, alias: string): Promise<boolean> {
  const rows = await sql.query(`select from registry.alias_history where model = $1 and alias = $2 limit 1`, [
    model,
    alias,
  ]);
  return rows.length > 0;
}

export async function touchAlias(sql: Sql, model: string, alias: string, stamp: Stamp): Promise<void> {
  await sql.query(
    `insert into registry.alias (model, alias, revision, actor) values ($1, $2, $3, $4)
     on conflict (model, alias) do update set revision = excluded.revision`,
    [model, alias, stamp.revision, stamp.actor],
  );
}

export async function pointAlias(
  sql: Sql,
  alias: { readonly model: string; readonly alias: string; readonly version: number },
  stamp: Stamp,
): Promise<void> {
  const params = [alias.model, alias.alias, alias.version, stamp.revision, stamp.at, stamp.actor];
  await sql.query(
    `insert into registry.alias (model, alias, version, revision, since, actor) values ($1, $2, $3, $4, $5, $6)
     on conflict (model, alias) do update
     set version = excluded.version, revision = excluded.revision, since = excluded.since, actor = excluded.actor`,
    params,
  );
  await endHistory(sql, alias.model, alias.alias, stamp.at);
  await sql.query(
    `insert into registry.alias_history (model, alias, version, revision, from_at, actor)
     values ($1, $2, $3, $4, $5, $6)`,
    params,
  );
}

export async function deleteAlias(sql: Sql, model: string, alias: string, stamp: Stamp): Promise<void> {
  await sql.query(`delete from registry.alias where model = $1 and alias = $2`, [model, alias]);
  await endHistory(sql, model, alias, stamp.at);
}

async function endHistory(sql: Sql, model: string, alias: string, at: Date): Promise<void> {
  await sql.query(`update registry.alias_history set to_at = $3 where model = $1 and alias = $2 and to_at is null`, [
    model,
    alias,
    at,
  ]);
}

export async function insertMove(sql: Sql, move: AliasMove): Promise<void> {
  await sql.query(
    `insert into registry.alias_move
       (id, model, alias, from_version, to_version, state, reasons, requested_at, actor, timeout_ms, requested_revision,
        rollback)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      move.id,
      move.model,
      move.alias,
      move.fromVersion ?? null,
      move.toVersion,
      move.state,
      move.reasons,
      fromMs(move.requestedAt),
      move.actor,
      move.timeoutMs,
      move.requestedRevision,
      move.rollback,
    ],
  );
}

export async function endMove(
  sql: Sql,
  id: string,
  state: AliasMoveState,
  reasons: readonly string[],
  stamp: Stamp,
): Promise<void> {
  await sql.query(
    `update registry.alias_move set state = $2, reasons = $3, ended_at = $4, ended_revision = $5 where id = $1`,
    [id, state, reasons, stamp.at, stamp.revision],
  );
}

function toHistory(row: HistoryRow): AliasHistoryEntry {
  return {
    alias: row.alias,
    version: row.version,
    from: toMs(row.from_at),
    to: toMsOrUndefined(row.to_at),
    actor: row.actor,
    revision: row.revision,
    rollback: row.rollback,
  };
}

function toMove(row: MoveRow): AliasMove {
  return {
    id: row.id,
    model: row.model,
    alias: row.alias,
    fromVersion: row.from_version ?? undefined,
    toVersion: row.to_version,
    state: row.state,
    reasons: row.reasons,
    requestedAt: toMs(row.requested_at),
    endedAt: toMsOrUndefined(row.ended_at),
    actor: row.actor,
    timeoutMs: row.timeout_ms,
    rollback: row.rollback,
    requestedRevision: row.requested_revision,
    endedRevision: row.ended_revision ?? undefined,
  };
}
