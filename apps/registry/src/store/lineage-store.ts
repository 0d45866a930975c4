import type { Release } from '@sluice/domain/release';
import type { RunState } from '@sluice/domain/run';
import type { VersionState } from '@sluice/domain/version';
import type {
  LineageDirection,
  LineageKey,
  LineageRelation,
  LineageStep,
  LineageThing,
} from '../usecases/provenance.ts';
import type { Sql } from './sql.ts';
import { toMs, toMsOrUndefined } from './sql.ts';

/** One end of a relation: its kind and the columns of its key, a text and, but for runs, a number. */
interface End {
  readonly kind: 'version' | 'data-set' | 'run';
  readonly columns: readonly [text: string] | readonly [text: string, number: string];
}

interface Relation {
  readonly relation: LineageRelation;
  readonly table: string;
  readonly child: End;
  readonly parent: End;
}

const version: End = { kind: 'version', columns: ['model', 'number'] };
const dataSet: End = { kind: 'data-set', columns: ['data_set', 'number'] };
const run: End = { kind: 'run', columns: ['run'] };

const relations: readonly Relation[] = [
  { relation: 'made-by', table: 'run_version', child: version, parent: run },
  { relation: 'made-by', table: 'run_output', child: dataSet, parent: run },
  {
    ...{ relation: 'trained-on', table: 'version_data_set', child: version },
    parent: { kind: 'data-set', columns: ['data_set', 'data_set_number'] },
  },
  {
    ...{ relation: 'derived-from', table: 'data_set_parent', child: dataSet },
    parent: { kind: 'data-set', columns: ['parent_data_set', 'parent_number'] },
  },
  { relation: 'read', table: 'run_input', child: run, parent: dataSet },
];

/** The steps from these one further up or down, at most `limit` of each relation, always the same ones. */
export async function selectSteps(
  sql: Sql,
  from: readonly LineageKey[],
  direction: LineageDirection,
  limit: number,
): Promise<readonly LineageStep[]> {
  const steps: LineageStep[] = [];
  for (const relation of relations) {
    const near = direction === 'up' ? relation.child : relation.parent;
    const keys = from.filter(({ kind }) => kind === near.kind);
    if (keys.length > 0) steps.push(...(await selectRelated(sql, relation, near, keys, limit)));
  }
  const versions = from.filter((key) => key.kind === 'version');
  if (direction === 'down' && versions.length > 0) steps.push(...(await selectServed(sql, versions, limit)));
  return steps;
}

async function selectRelated(
  sql: Sql,
  { relation, table, child, parent }: Relation,
  near: End,
  keys: readonly LineageKey[],
  limit: number,
): Promise<readonly LineageStep[]> {
  const [text, number] = near.columns;
  const asked =
    number === undefined
      ? `unnest($1::text[]) as asked (text) on t.${text} = asked.text`
      : `unnest($1::text[], $2::bigint[]) as asked (text, number) on t.${text} = asked.text and t.${number} = asked.number`;
  const columns = [...child.columns, ...parent.columns].map((column) => `t.${column}`).join(', ');
  const rows = await sql.query<Record<string, string | number>>(
    `select ${columns} from registry.${table} t join ${asked} order by ${columns} limit ${limit}`,
    number === undefined ? [keys.map(textOf)] : [keys.map(textOf), keys.map(numberOf)],
  );
  return rows.map((row) => ({ relation, child: toKey(child, row), parent: toKey(parent, row) }));
}

/** Releases, past ones too, that have the versions as arms. */
async function selectServed(
  sql: Sql,
  versions: readonly (LineageKey & { readonly kind: 'version' })[],
  limit: number,
): Promise<readonly LineageStep[]> {
  const rows = await sql.query<{ id: string; model: string; number: number }>(
    `select r.id, asked.model, asked.number
     from unnest($1::text[], $2::bigint[]) as asked (model, number)
     join registry.release r on r.model = asked.model
       and r.body -> 'arms' @> jsonb_build_array(jsonb_build_object('version', asked.number))
     order by asked.model, asked.number, r.revision desc limit $3`,
    [versions.map(textOf), versions.map(numberOf), limit],
  );
  return rows.map(({ id, model, number }) => ({
    ...{ relation: 'served', child: { kind: 'release', id } },
    parent: { kind: 'version', model, version: number },
  }));
}

function textOf(key: LineageKey): string {
  switch (key.kind) {
    case 'version':
      return key.model;
    case 'data-set':
      return key.dataSet;
    case 'run':
    case 'release':
      return key.id;
  }
}

const numberOf = (key: LineageKey): number => (key.kind === 'version' || key.kind === 'data-set' ? key.version : 0);

function toKey({ kind, columns: [text, number] }: End, row: Readonly<Record<string, string | number>>): LineageKey {
  const name = String(row[text]);
  if (kind === 'run') return { kind, id: name };
  const version = Number(row[number!]);
  return kind === 'version' ? { kind, model: name, version } : { kind, dataSet: name, version };
}

/** What is to be seen of these, in no order; those that there are not are missing. */
export async function selectThings(sql: Sql, keys: readonly LineageKey[]): Promise<readonly LineageThing[]> {
  const of = (kind: LineageKey['kind']): readonly LineageKey[] => keys.filter((key) => key.kind === kind);
  return [
    ...(await selectVersions(sql, of('version'))),
    ...(await selectDataSets(sql, of('data-set'))),
    ...(await selectRuns(sql, of('run'))),
    ...(await selectReleases(sql, of('release'))),
  ];
}

async function selectVersions(sql: Sql, keys: readonly LineageKey[]): Promise<readonly LineageThing[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query<{
    model: string;
    number: number;
    digest: string;
    state: VersionState;
    created_at: Date;
  }>(
    `select v.model, v.number, v.digest, v.state, v.created_at
     from unnest($1::text[], $2::bigint[]) as asked (model, number) join registry.version v using (model, number)`,
    [keys.map(textOf), keys.map(numberOf)],
  );
  return rows.map(({ number, created_at: at, ...row }) => ({
    ...{ kind: 'version', ...row, version: number, createdAt: toMs(at) },
  }));
}

async function selectDataSets(sql: Sql, keys: readonly LineageKey[]): Promise<readonly LineageThing[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query<{
    data_set: string;
    number: number;
    digest: string;
    location: string;
    created_at: Date;
  }>(
    `select v.data_set, v.number, v.digest, v.location, v.created_at
     from unnest($1::text[], $2::bigint[]) as asked (data_set, number)
     join registry.data_set_version v using (data_set, number)`,
    [keys.map(textOf), keys.map(numberOf)],
  );
  return rows.map(({ data_set: name, number, created_at: at, ...row }) => ({
    ...{ kind: 'data-set', dataSet: name, version: number, ...row, createdAt: toMs(at) },
  }));
}

async function selectRuns(sql: Sql, keys: readonly LineageKey[]): Promise<readonly LineageThing[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query<{
    id: string;
    pipeline: string;
    scheduled_at: Date;
    attempt: number;
    state: RunState;
  }>(`select id, pipeline, scheduled_at, attempt, state from registry.run where id = any ($1)`, [keys.map(textOf)]);
  return rows.map(({ scheduled_at: at, ...row }) => ({ kind: 'run', ...row, scheduledAt: toMs(at) }));
}

async function selectReleases(sql: Sql, keys: readonly LineageKey[]): Promise<readonly LineageThing[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query<{
    id: string;
    model: string;
    mode: Release['mode'];
    implicit: boolean;
    from_at: Date;
    to_at: Date | null;
  }>(
    `select id, model, body ->> 'mode' as mode, (body ->> 'implicit')::boolean as implicit, from_at, to_at
     from registry.release where id = any ($1)`,
    [keys.map(textOf)],
  );
  return rows.map(({ from_at: from, to_at: to, ...row }) => ({
    ...{ kind: 'release', ...row, from: toMs(from), to: toMsOrUndefined(to) },
  }));
}
