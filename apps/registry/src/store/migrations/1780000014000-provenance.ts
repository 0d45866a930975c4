import type { Migration } from '@sluice/persistence/migrator';

const tables = [
  `create table registry.data_set (
     name text collate "C" primary key,
     last_version bigint not null default 0,
     created_at timestamptz not null,
     created_by text not null
   )`,
  `create table registry.data_set_version (
     data_set text collate "C" not null references registry.data_set (name),
     number bigint not null check (number > 0),
     digest text not null,
     columns jsonb not null,
     row_count bigint check (row_count >= 0),
     location text not null,
     format text not null,
     manifest_json text not null,
     content_sha256 text not null,
     request_id text unique,
     created_at timestamptz not null,
     created_by text not null,
     revision bigint not null,
     primary key (data_set, number),
     unique (data_set, content_sha256)
   )`,
  `comment on column registry.data_set_version.content_sha256 is 'of all that the version says: no two say the same'`,
  `create table registry.data_set_parent (
     data_set text collate "C" not null,
     number bigint not null,
     parent_data_set text collate "C" not null,
     parent_number bigint not null,
     primary key (data_set, number, parent_data_set, parent_number),
     foreign key (data_set, number) references registry.data_set_version (data_set, number),
     foreign key (parent_data_set, parent_number) references registry.data_set_version (data_set, number)
   )`,
  `create index data_set_parent_down on registry.data_set_parent (parent_data_set, parent_number)`,
  `create table registry.run (
     id text collate "C" primary key,
     pipeline text collate "C" not null,
     scheduled_at timestamptz not null,
     attempt integer not null check (attempt > 0),
     state text not null check (state in ('running', 'succeeded', 'failed')),
     error text not null default '',
     request_id text unique,
     started_at timestamptz not null,
     started_by text not null,
     ended_at timestamptz,
     ended_by text not null default '',
     start_revision bigint not null unique,
     revision bigint not null,
     unique (pipeline, scheduled_at, attempt)
   )`,
  `create index run_pipeline on registry.run (pipeline, start_revision)`,
  `create table registry.run_input (
     run text collate "C" not null references registry.run (id),
     data_set text collate "C" not null,
     number bigint not null,
     primary key (run, data_set, number),
     foreign key (data_set, number) references registry.data_set_version (data_set, number)
   )`,
  `create index run_input_data_set on registry.run_input (data_set, number)`,
  `create table registry.run_output (
     run text collate "C" not null references registry.run (id),
     data_set text collate "C" not null,
     number bigint not null,
     primary key (run, data_set, number),
     unique (data_set, number),
     foreign key (data_set, number) references registry.data_set_version (data_set, number)
   )`,
  `create table registry.run_version (
     run text collate "C" not null references registry.run (id),
     model text collate "C" not null,
     number bigint not null,
     primary key (run, model, number),
     unique (model, number),
     foreign key (model, number) references registry.version (model, number)
   )`,
  `create table registry.version_data_set (
     model text collate "C" not null,
     number bigint not null,
     data_set text collate "C" not null,
     data_set_number bigint not null,
     primary key (model, number, data_set, data_set_number),
     foreign key (model, number) references registry.version (model, number),
     foreign key (data_set, data_set_number) references registry.data_set_version (data_set, number)
   )`,
  `create index version_data_set_down on registry.version_data_set (data_set, data_set_number)`,
  // Which releases, past ones too, a version was in.
  `create index release_arms on registry.release using gin ((body -> 'arms') jsonb_path_ops)`,
];

/** What a registry may change; all else stays as it was inserted. */
const changeable: Readonly<Record<string, readonly string[]>> = {
  data_set: ['last_version'],
  data_set_version: [],
  data_set_parent: [],
  run: ['state', 'error', 'ended_at', 'ended_by', 'revision'],
  run_input: [],
  run_output: [],
  run_version: [],
  version_data_set: [],
};

/** Data sets, runs of pipelines, and what was made of what by whom. */
export const provenance: Migration = {
  id: '1780000014000-provenance',
  statements: [
    ...tables,
    ...Object.entries(changeable).flatMap(([table, columns]) => [
      `create constraint trigger needs_entry after insert or update or delete on registry.${table}
         deferrable initially deferred for each row execute function registry.require_entry()`,
      `grant select, insert on registry.${table} to sluice_registry`,
      ...(columns.length > 0 ? [`grant update (${columns.join(', ')}) on registry.${table} to sluice_registry`] : []),
    ]),
  ],
};
