import type { DataSetRef, VersionRef } from '@sluice/domain/data-set';
import type { RunEnd, RunState } from '@sluice/domain/run';
import type { MadeThing, RunKey, RunQuery, RunRecord } from '../usecases/provenance.ts';
import type { Sql } from './sql.ts';
import { fromMs, toMs, toMsOrUndefined } from './sql.ts';
import type { Stamp } from './version-store.ts';

interface RunRow {
  id: string;
  pipeline: string;
  scheduled_at: Date;
  attempt: number;
  state: RunState;
  error: string;
  started_at: Date;
  started_by: string;
  ended_at: Date | null;
  ended_by: string;
  start_revision: number;
  revision: number;
  inputs: DataSetRef[];
  outputs: DataSetRef[];
  versions: VersionRef[];
}

const dataSetsOf = (table: string): string => `coalesce((
    select json_agg(json_build_object('dataSet', t.data_set, 'version', t.number) order by t.data_set, t.number)
    from registry.${table} t where t.run = r.id
  ), '[]')`;

const columns = `r.id, r.pipeline, r.scheduled_at, r.attempt, r.state, r.error, r.started_at, r.started_by, r.ended_at,
  r.ended_by, r.start_revision, r.revision, ${dataSetsOf('run_input')} as inputs, ${dataSetsOf('run_output')} as outputs,
  coalesce((
    select json_agg(json_build_object('model', t.model, 'version', t.number) order by t.model, t.number)
    from registry.run_version t where t.run = r.id
  ), '[]') as versions`;

export async function selectRun(sql: Sql, id: string): Promise<RunRecord | undefined> {
  const rows = await sql.query<RunRow>(`select ${columns} from registry.run r where r.id = $1`, [id]);
  return rows[0] && toRun(rows[0]);
}

export async function selectRunByKey(sql: Sql, key: RunKey): Promise<RunRecord | undefined> {
  const rows = await sql.query<RunRow>(
    `select ${columns} from registry.run r where r.pipeline = $1 and r.scheduled_at = $2 and r.attempt = $3`,
    [key.pipeline, fromMs(key.scheduledAt), key.attempt],
  );
  return rows[0] && toRun(rows[0]);
}

export async function selectRunByRequest(sql: Sql, requestId: string): Promise<RunRecord | undefined> {
  const rows = await sql.query<RunRow>(`select ${columns} from registry.run r where r.request_id = $1`, [requestId]);
  return rows[0] && toRun(rows[0]);
}

/** Runs, the newest start first. */
export async function selectRuns(sql: Sql, query: RunQuery): Promise<readonly RunRecord[]> {
  const rows = await sql.query<RunRow>(
    `select ${columns} from registry.run r
     where r.start_revision < $1 and ($2 = '' or r.pipeline = $2) and ($3::text is null or r.state = $3)
     order by r.start_revision desc limit $4`,
    [query.before, query.pipeline, query.state ?? null, query.limit],
  );
  return rows.map(toRun);
}

/** What is known of the making of versions of models, in the order asked for. */
export async function selectMadeVersions(
  sql: Sql,
  refs: readonly VersionRef[],
): Promise<readonly (MadeThing | undefined)[]> {
  // A version's own revision is that of its last change.
  const rows = await sql.query<{ revision: number | null; run: string }>(
    `select (
       select min(h.revision) from registry.version_history h where h.model = asked.model and h.number = asked.number
     ) as revision, coalesce(o.run, '') as run
     from unnest($1::text[], $2::bigint[]) with ordinality as asked (model, number, at)
     left join registry.run_version o using (model, number)
     order by asked.at`,
    [refs.map(({ model }) => model), refs.map(({ version }) => version)],
  );
  return rows.map(({ revision, run }) => (revision === null ? undefined : { revision, run }));
}

export async function insertRun(
  sql: Sql,
  key: RunKey,
  inputs: readonly DataSetRef[],
  requestId: string,
  stamp: Stamp,
): Promise<RunRecord> {
  const id = `${key.pipeline}@${stamp.revision}`;
  await sql.query(
    `insert into registry.run
       (id, pipeline, scheduled_at, attempt, state, request_id, started_at, started_by, start_revision, revision)
     values ($1, $2, $3, $4, 'running', nullif($5, ''), $6, $7, $8, $8)`,
    [id, key.pipeline, fromMs(key.scheduledAt), key.attempt, requestId, stamp.at, stamp.actor, stamp.revision],
  );
  await insertRunDataSets(sql, 'run_input', id, inputs);
  return (await selectRun(sql, id))!;
}

export async function endRun(sql: Sql, id: string, state: RunEnd, error: string, stamp: Stamp): Promise<void> {
  await sql.query(
    `update registry.run set state = $2, error = $3, ended_at = $4, ended_by = $5, revision = $6 where id = $1`,
    [id, state, error, stamp.at, stamp.actor, stamp.revision],
  );
}

export async function insertRunDataSets(
  sql: Sql,
  table: 'run_input' | 'run_output',
  run: string,
  refs: readonly DataSetRef[],
): Promise<void> {
  await sql.query(
    `insert into registry.${table} (run, data_set, number) select $1, * from unnest($2::text[], $3::bigint[])`,
    [run, refs.map(({ dataSet }) => dataSet), refs.map(({ version }) => version)],
  );
}

export async function insertRunVersions(sql: Sql, run: string, refs: readonly VersionRef[]): Promise<void> {
  await sql.query(
    `insert into registry.run_version (run, model, number) select $1, * from unnest($2::text[], $3::bigint[])`,
    [run, refs.map(({ model }) => model), refs.map(({ version }) => version)],
  );
}

function toRun(row: RunRow): RunRecord {
  return {
    id: row.id,
    pipeline: row.pipeline,
    scheduledAt: toMs(row.scheduled_at),
    attempt: row.attempt,
    state: row.state,
    error: row.error,
    startedAt: toMs(row.started_at),
    startedBy: row.started_by,
    endedAt: toMsOrUndefined(row.ended_at),
    endedBy: row.ended_by,
    inputs: row.inputs,
    outputs: row.outputs,
    versions: row.versions,
    startRevision: row.start_revision,
    revision: row.revision,
  };
}
