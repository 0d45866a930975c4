import { strikeCountsForMs, type StrikeKind } from '@sluice/domain/quarantine';
import type { QuarantineRecord, StrikeRecord } from '../usecases/records.ts';
import type { StrikeTable } from '../usecases/report-strike.ts';
import type { Sql } from './sql.ts';
import { fromMs, toMs } from './sql.ts';
import type { Stamp } from './version-store.ts';

/** Strikes are of one of these. */
export interface VersionInPool {
  readonly pool: string;
  readonly model: string;
  readonly version: number;
}

/** Strikes are kept for so long, far beyond the time for which they count. */
const keepStrikes = `interval '90 days'`;
/** And at most so many of a version in a pool, the last ones: three that count are a quarantine, which ends the reports. */
const mostStrikes = 100;

/** Those that hold now, of some models or of all, of one pool or of all. */
export async function selectQuarantines(
  sql: Sql,
  { models, pool }: { readonly models?: readonly string[]; readonly pool?: string },
): Promise<readonly QuarantineRecord[]> {
  const rows = await sql.query<Omit<QuarantineRecord, 'since'> & { from_at: Date }>(
    `select model, version, pool, reason, actor, from_at from registry.quarantine
     where to_at is null and ($1::text[] is null or model = any ($1)) and ($2::text is null or pool = $2)
     order by model, version, pool`,
    [models ?? null, pool ?? null],
  );
  return rows.map(({ from_at: since, ...row }) => ({ ...row, since: toMs(since) }));
}

/** The strikes of a version that count now, oldest first. */
export async function selectStrikes(sql: Sql, of: VersionInPool): Promise<readonly StrikeRecord[]> {
  const rows = await sql.query<{ id: string; runtime_id: string; kind: StrikeKind; struck_at: Date }>(
    `select id, runtime_id, kind, struck_at from registry.strike
     where model = $1 and version = $2 and pool = $3 and cleared_revision is null
       and received_at > clock_timestamp() - $4 * interval '1 millisecond'
     order by received_at, id`,
    [of.model, of.version, of.pool, strikeCountsForMs],
  );
  return rows.map((row) => ({
    ...of,
    id: row.id,
    runtimeId: row.runtime_id,
    kind: row.kind,
    at: toMs(row.struck_at),
  }));
}

export async function insertQuarantine(
  sql: Sql,
  { model, version, pool, reason }: Omit<QuarantineRecord, 'since' | 'actor'>,
  stamp: Stamp,
): Promise<void> {
  await sql.query(
    `insert into registry.quarantine (model, version, pool, reason, actor, from_at, revision)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [model, version, pool, reason, stamp.actor, stamp.at, stamp.revision],
  );
}

/** Ends a quarantine; strikes of before it no longer count. */
export async function endQuarantine(sql: Sql, { model, version, pool }: VersionInPool, stamp: Stamp): Promise<void> {
  await sql.query(
    `update registry.quarantine set to_at = $4 where model = $1 and version = $2 and pool = $3 and to_at is null`,
    [model, version, pool, stamp.at],
  );
  await sql.query(
    `update registry.strike set cleared_revision = $4
     where model = $1 and version = $2 and pool = $3 and cleared_revision is null`,
    [model, version, pool, stamp.revision],
  );
}

/** Strikes in Postgres. They are reports, as leases are, and not audited; what follows from them is. */
export class StrikeStore implements StrikeTable {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async add({ id, runtimeId, pool, model, version, kind, at }: StrikeRecord): Promise<boolean> {
    const added = await this.#sql.query(
      `with old as (
         delete from registry.strike where received_at < clock_timestamp() - ${keepStrikes} or id in (
           select id from registry.strike where model = $4 and version = $5 and pool = $3
           order by received_at desc, id offset ${mostStrikes - 1}
         )
       )
       insert into registry.strike (id, runtime_id, pool, model, version, kind, struck_at, received_at)
       values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp()) on conflict (id) do nothing returning id`,
      [id, runtimeId, pool, model, version, kind, fromMs(at)],
    );
    return added.length > 0;
  }
}
