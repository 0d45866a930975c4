import type { DataSetRef } from '@sluice/domain/data-set';
import { type ServingConfig, servingDefaults, type Signature } from '@sluice/domain/signature';
import type { VersionFile, VersionState } from '@sluice/domain/version';
import type { AdmissionReport } from '../admission/admission.ts';
import type { ApprovalRecord, VersionRecord, VersionView } from '../usecases/records.ts';
import type { AdmissionEnd, NewVersion, VersionQuery } from '../usecases/state.ts';
import type { Sql } from './sql.ts';
import { fromMs, toMs } from './sql.ts';

/** As of when the version was made: settings that came later are not there. */
export type StoredServing = Partial<ServingConfig>;

/** Settings that a stored version does not have are those of before they were there. */
export const toServing = (stored: StoredServing): ServingConfig => ({ ...servingDefaults, ...stored });

interface VersionRow {
  model: string;
  number: number;
  state: VersionState;
  digest: string;
  graph_path: string;
  signature: Signature;
  serving: StoredServing;
  manifest_json: string;
  admission: AdmissionReport | null;
  rejection: string;
  created_at: Date;
  created_by: string;
  revision: number;
  files: VersionFile[];
  run: string;
  data_sets: DataSetRef[];
}

interface ViewRow extends VersionRow {
  approvals: { alias: string; approver: string; at: number; revision: number }[];
  aliases: string[];
  pinned: boolean;
  quarantines: { pool: string; reason: string; actor: string; since: number }[];
}

interface ThenRow extends ViewRow {
  state_then: VersionState;
  rejection_then: string;
  revision_then: number;
  serving_then: StoredServing | null;
}

const columns = `v.model, v.number, v.state, v.digest, v.graph_path, v.signature, v.serving, v.manifest_json,
  v.admission, v.rejection, v.created_at, v.created_by, v.revision,
  coalesce((
    select json_agg(json_build_object('path', f.path, 'sha256', f.sha256, 'size', f.size) order by f.path collate "C")
    from registry.version_file f where f.model = v.model and f.number = v.number
  ), '[]') as files,
  coalesce((select o.run from registry.run_version o where o.model = v.model and o.number = v.number), '') as run,
  coalesce((
    select json_agg(json_build_object('dataSet', d.data_set, 'version', d.data_set_number)
             order by d.data_set, d.data_set_number)
    from registry.version_data_set d where d.model = v.model and d.number = v.number
  ), '[]') as data_sets`;

/** Approvals, aliases and pin at `$time`, or now when it is null. */
const viewColumns = (time: string): string => `
  coalesce((
    select json_agg(json_build_object('alias', a.alias, 'approver', a.approver,
             'at', (extract(epoch from a.at) * 1000)::bigint, 'revision', a.revision) order by a.revision)
    from registry.approval a
    where a.model = v.model and a.version = v.number and (${time}::timestamptz is null or a.at <= ${time})
  ), '[]') as approvals,
  coalesce((
    select array_agg(h.alias order by h.alias) from registry.alias_history h
    where h.model = v.model and h.version = v.number and ${during('h', time)}
  ), '{}') as aliases,
  exists (
    select from registry.pin p where p.model = v.model and p.version = v.number and ${during('p', time)}
  ) as pinned,
  coalesce((
    select json_agg(json_build_object('pool', q.pool, 'reason', q.reason, 'actor', q.actor,
             'since', (extract(epoch from q.from_at) * 1000)::bigint) order by q.pool)
    from registry.quarantine q where q.model = v.model and q.version = v.number and ${during('q', time)}
  ), '[]') as quarantines`;

/** True for a row of history that holds at a time, or now when the time is null. */
export function during(table: string, time: string): string {
  return `case when ${time}::timestamptz is null then ${table}.to_at is null
    else ${table}.from_at <= ${time} and (${table}.to_at is null or ${table}.to_at > ${time}) end`;
}

export async function selectVersion(sql: Sql, model: string, number: number): Promise<VersionRecord | undefined> {
  const rows = await sql.query<VersionRow>(
    `select ${columns} from registry.version v where v.model = $1 and v.number = $2`,
    [model, number],
  );
  return rows[0] && toVersion(rows[0]);
}

export async function selectVersionViews(
  sql: Sql,
  model: string,
  query: VersionQuery,
): Promise<readonly VersionView[]> {
  const rows = await sql.query<ViewRow>(
    `select ${columns}, ${viewColumns('$6')}
     from registry.version v
     where v.model = $1 and v.number > $2 and ($3 or v.state <> 'deleted')
       and ($4::bigint[] is null or v.number = any ($4))
     order by v.number limit $5`,
    [model, query.after ?? 0, query.deleted ?? false, query.numbers ?? null, query.limit ?? 1_000, null],
  );
  return rows.map(toView);
}

/** Versions with the state, aliases, pin and approvals that they had at a time; those after a number, at most `limit`. */
export async function selectVersionsAsOf(
  sql: Sql,
  model: string,
  time: number,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly VersionView[]> {
  const rows = await sql.query<ThenRow>(
    `select ${columns}, s.state as state_then, s.rejection as rejection_then, s.revision as revision_then,
       s.serving as serving_then, ${viewColumns('$2')}
     from registry.version v
     join registry.version_history s on s.model = v.model and s.number = v.number and ${during('s', '$2')}
     where v.model = $1 and v.number > $3 order by v.number limit $4`,
    [model, fromMs(time), after, limit],
  );
  return rows.map((row) => ({
    ...toView(row),
    state: row.state_then,
    rejection: row.rejection_then,
    revision: row.revision_then,
    serving: toServing(row.serving_then ?? row.serving),
    admission: row.state_then === 'admitting' ? undefined : (row.admission ?? undefined),
  }));
}

export async function selectVersionByRequest(
  sql: Sql,
  requestId: string,
): Promise<{ readonly version: VersionRecord; readonly actor: string } | undefined> {
  const rows = await sql.query<VersionRow & { request_actor: string }>(
    `select ${columns}, r.actor as request_actor
     from registry.version_request r join registry.version v on v.model = r.model and v.number = r.number
     where r.request_id = $1`,
    [requestId],
  );
  return rows[0] && { version: toVersion(rows[0]), actor: rows[0].request_actor };
}

export interface Stamp {
  readonly at: Date;
  readonly actor: string;
  readonly revision: number;
}

export async function insertVersion(sql: Sql, version: NewVersion, number: number, stamp: Stamp): Promise<void> {
  const { model, digest, graphPath, files } = version;
  await sql.query(
    `insert into registry.version
       (model, number, state, digest, graph_path, signature, serving, manifest_json, created_at, created_by, revision)
     values ($1, $2, 'admitting', $3, $4, $5::jsonb, $6::jsonb, $7, $8, $9, $10)`,
    [
      model,
      number,
      digest,
      graphPath,
      JSON.stringify(version.signature),
      JSON.stringify(version.serving),
      version.manifestJson,
      stamp.at,
      stamp.actor,
      stamp.revision,
    ],
  );
  await sql.query(
    `insert into registry.version_file (model, number, path, sha256, size)
     select $1, $2, f.path, f.sha256, f.size
     from jsonb_to_recordset($3::jsonb) as f (path text, sha256 text, size bigint)`,
    [model, number, JSON.stringify(files)],
  );
  await sql.query(
    `insert into registry.admission_run (model, number, holder, attempts, renewed_at)
     values ($1, $2, $3, 1, clock_timestamp())`,
    [model, number, version.holder],
  );
  if (version.requestId !== '') {
    await sql.query(`insert into registry.version_request (request_id, model, number, actor) values ($1, $2, $3, $4)`, [
      version.requestId,
      model,
      number,
      stamp.actor,
    ]);
  }
  await keepHistory(sql, model, number, stamp);
}

/** Ends the admission of a version: ready, or rejected with its reason. */
export async function endAdmission(
  sql: Sql,
  model: string,
  number: number,
  end: AdmissionEnd,
  stamp: Stamp,
): Promise<void> {
  const state = end.passed ? 'ready' : 'rejected';
  await sql.query(
    `update registry.version
     set state = $3, serving = $4::jsonb, admission = $5::jsonb, rejection = $6, revision = $7
     where model = $1 and number = $2`,
    [
      model,
      number,
      state,
      JSON.stringify(end.serving),
      end.report === undefined ? null : JSON.stringify(end.report),
      end.rejection,
      stamp.revision,
    ],
  );
  await sql.query(`delete from registry.admission_run where model = $1 and number = $2`, [model, number]);
  await keepHistory(sql, model, number, stamp);
}

/** Raises the version's revision. */
export async function touchVersion(sql: Sql, model: string, number: number, stamp: Stamp): Promise<void> {
  await sql.query(`update registry.version set revision = $3 where model = $1 and number = $2`, [
    model,
    number,
    stamp.revision,
  ]);
  await keepHistory(sql, model, number, stamp);
}

export async function markVersionDeleted(sql: Sql, model: string, number: number, stamp: Stamp): Promise<void> {
  await sql.query(`update registry.version set state = 'deleted', revision = $3 where model = $1 and number = $2`, [
    model,
    number,
    stamp.revision,
  ]);
  await keepHistory(sql, model, number, stamp);
  // Its files have their grace period from now on: a push of the same may be under way, and a runtime may load them.
  await sql.query(
    `update registry.artifact set last_used_at = clock_timestamp()
     where sha256 in (select sha256 from registry.version_file where model = $1 and number = $2)`,
    [model, number],
  );
}

/** To be called after a change of a version: what is true of it now begins a stretch of its history. */
async function keepHistory(sql: Sql, model: string, number: number, stamp: Stamp): Promise<void> {
  await sql.query(`update registry.version_history set to_at = $3 where model = $1 and number = $2 and to_at is null`, [
    model,
    number,
    stamp.at,
  ]);
  await sql.query(
    `insert into registry.version_history (model, number, state, rejection, serving, from_at, revision)
     select model, number, state, rejection, serving, $3, revision
     from registry.version where model = $1 and number = $2`,
    [model, number, stamp.at],
  );
}

function toVersion(row: VersionRow): VersionRecord {
  return {
    model: row.model,
    number: row.number,
    state: row.state,
    digest: row.digest,
    files: row.files,
    graphPath: row.graph_path,
    signature: row.signature,
    serving: toServing(row.serving),
    manifestJson: row.manifest_json,
    admission: row.admission ?? undefined,
    createdAt: toMs(row.created_at),
    createdBy: row.created_by,
    revision: row.revision,
    rejection: row.rejection,
    run: row.run,
    dataSets: row.data_sets,
  };
}

function toView(row: ViewRow): VersionView {
  const version = toVersion(row);
  const { model, number } = version;
  const approvals: ApprovalRecord[] = row.approvals.map((approval) => ({ model, version: number, ...approval }));
  const quarantines = row.quarantines.map((quarantine) => ({ model, version: number, ...quarantine }));
  return { ...version, approvals, aliases: row.aliases, pinned: row.pinned, quarantines };
}
