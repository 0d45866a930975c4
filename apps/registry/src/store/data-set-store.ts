import type { DataSetColumn, DataSetRef } from '@sluice/domain/data-set';
import type { DataSetRecord, DataSetVersionRecord, MadeThing, NewDataSetVersion } from '../usecases/provenance.ts';
import type { Sql } from './sql.ts';
import { toMs } from './sql.ts';
import type { Stamp } from './version-store.ts';

interface DataSetRow {
  name: string;
  last_version: number;
  created_at: Date;
  created_by: string;
}

interface DataSetVersionRow {
  data_set: string;
  number: number;
  digest: string;
  columns: DataSetColumn[];
  row_count: number | null;
  location: string;
  format: string;
  manifest_json: string;
  created_at: Date;
  created_by: string;
  revision: number;
  run: string;
  parents: DataSetRef[];
}

const versionColumns = (manifest: string): string => `
  v.data_set, v.number, v.digest, v.columns, v.row_count, v.location, v.format, ${manifest} as manifest_json,
  v.created_at, v.created_by, v.revision,
  coalesce((
    select o.run from registry.run_output o where o.data_set = v.data_set and o.number = v.number
  ), '') as run,
  coalesce((
    select json_agg(json_build_object('dataSet', p.parent_data_set, 'version', p.parent_number)
             order by p.parent_data_set, p.parent_number)
    from registry.data_set_parent p where p.data_set = v.data_set and p.number = v.number
  ), '[]') as parents`;

/** Data sets by name, those after `after`; only the one of a name when `name` is given. */
export async function selectDataSets(
  sql: Sql,
  {
    name = null,
    after = '',
    limit,
  }: { readonly name?: string | null; readonly after?: string; readonly limit: number },
): Promise<readonly DataSetRecord[]> {
  const rows = await sql.query<DataSetRow>(
    `select name, last_version, created_at, created_by from registry.data_set
     where name > $1 collate "C" and ($2::text is null or name = $2) order by name limit $3`,
    [after, name, limit],
  );
  return rows.map((row) => ({
    name: row.name,
    versionCount: row.last_version,
    createdAt: toMs(row.created_at),
    createdBy: row.created_by,
  }));
}

export async function selectDataSetVersion(sql: Sql, ref: DataSetRef): Promise<DataSetVersionRecord | undefined> {
  const rows = await sql.query<DataSetVersionRow>(
    `select ${versionColumns('v.manifest_json')} from registry.data_set_version v
     where v.data_set = $1 and v.number = $2`,
    [ref.dataSet, ref.version],
  );
  return rows[0] && toVersion(rows[0]);
}

/** Versions by number, those after `after`, without their manifests. */
export async function selectDataSetVersions(
  sql: Sql,
  name: string,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly DataSetVersionRecord[]> {
  const rows = await sql.query<DataSetVersionRow>(
    `select ${versionColumns(`''`)} from registry.data_set_version v
     where v.data_set = $1 and v.number > $2 order by v.number limit $3`,
    [name, after, limit],
  );
  return rows.map(toVersion);
}

export async function selectByContent(sql: Sql, name: string, contentSha256: string): Promise<number | undefined> {
  const rows = await sql.query<{ number: number }>(
    `select number from registry.data_set_version where data_set = $1 and content_sha256 = $2`,
    [name, contentSha256],
  );
  return rows[0]?.number;
}

export async function selectByRequest(
  sql: Sql,
  requestId: string,
): Promise<(DataSetRef & { readonly contentSha256: string; readonly actor: string }) | undefined> {
  const rows = await sql.query<{ data_set: string; number: number; content_sha256: string; created_by: string }>(
    `select data_set, number, content_sha256, created_by from registry.data_set_version where request_id = $1`,
    [requestId],
  );
  const row = rows[0];
  return (
    row && { dataSet: row.data_set, version: row.number, contentSha256: row.content_sha256, actor: row.created_by }
  );
}

/** What is known of the making of versions, in the order asked for. */
export async function selectMadeDataSets(
  sql: Sql,
  refs: readonly DataSetRef[],
): Promise<readonly (MadeThing | undefined)[]> {
  const rows = await sql.query<{ revision: number | null; run: string }>(
    `select v.revision, coalesce(o.run, '') as run
     from unnest($1::text[], $2::bigint[]) with ordinality as asked (data_set, number, at)
     left join registry.data_set_version v using (data_set, number)
     left join registry.run_output o using (data_set, number)
     order by asked.at`,
    [refs.map(({ dataSet }) => dataSet), refs.map(({ version }) => version)],
  );
  return rows.map(({ revision, run }) => (revision === null ? undefined : { revision, run }));
}

export async function insertDataSetVersion(
  sql: Sql,
  version: NewDataSetVersion,
  stamp: Stamp,
): Promise<DataSetVersionRecord> {
  const { dataSet, contentSha256, requestId, ...content } = version;
  const [taken] = await sql.query<{ number: number }>(
    `with taken as (
       insert into registry.data_set (name, last_version, created_at, created_by) values ($1, 1, $2, $3)
       on conflict (name) do update set last_version = data_set.last_version + 1 returning last_version
     )
     select last_version as number from taken`,
    [dataSet, stamp.at, stamp.actor],
  );
  const { number } = taken!;
  await sql.query(
    `insert into registry.data_set_version
       (data_set, number, digest, columns, row_count, location, format, manifest_json, content_sha256, request_id,
        created_at, created_by, revision)
     values ($1, $2, $3, $4::jsonb, $5, $6, $7, $8, $9, nullif($10, ''), $11, $12, $13)`,
    [
      ...[dataSet, number, content.digest, JSON.stringify(content.columns), content.rowCount ?? null],
      ...[content.location, content.format, content.manifestJson, contentSha256, requestId],
      ...[stamp.at, stamp.actor, stamp.revision],
    ],
  );
  await sql.query(
    `insert into registry.data_set_parent (data_set, number, parent_data_set, parent_number)
     select $1, $2, * from unnest($3::text[], $4::bigint[])`,
    [dataSet, number, content.parents.map((ref) => ref.dataSet), content.parents.map((ref) => ref.version)],
  );
  const { at, actor, revision } = stamp;
  return { dataSet, number, ...content, createdAt: toMs(at), createdBy: actor, revision };
}

function toVersion(row: DataSetVersionRow): DataSetVersionRecord {
  return {
    dataSet: row.data_set,
    number: row.number,
    digest: row.digest,
    columns: row.columns,
    rowCount: row.row_count ?? undefined,
    parents: row.parents,
    location: row.location,
    format: row.format,
    manifestJson: row.manifest_json,
    run: row.run,
    createdAt: toMs(row.created_at),
    createdBy: row.created_by,
    revision: row.revision,
  };
}
