import type { Migration } from '@sluice/persistence/migrator';

const statements = [
  `create table registry.model (
     name text collate "C" primary key,
     owner text not null,
     description text not null,
     approvals_required smallint not null check (approvals_required in (0, 1)),
     last_version bigint not null default 0,
     created_at timestamptz not null,
     created_by text not null,
     revision bigint not null,
     changed_revision bigint not null
   )`,
  `comment on column registry.model.revision is 'leaf index of the last change of the model itself'`,
  `comment on column registry.model.changed_revision is 'leaf index of the last change that watchers see'`,
  `create index model_changed on registry.model (changed_revision)`,

  `create table registry.version (
     model text collate "C" not null references registry.model (name),
     number bigint not null check (number > 0),
     state text not null check (state in ('admitting', 'ready', 'rejected', 'deleted')),
     digest text not null,
     graph_path text not null,
     signature jsonb not null,
     serving jsonb not null,
     manifest_json text not null,
     admission jsonb,
     rejection text not null default '',
     created_at timestamptz not null,
     created_by text not null,
     revision bigint not null,
     placed boolean not null default false,
     unplaced_revision bigint,
     primary key (model, number)
   )`,
  `comment on column registry.version.unplaced_revision is 'leaf index of the change that ended its placement'`,
  `create table registry.version_file (
     model text collate "C" not null,
     number bigint not null,
     path text not null,
     sha256 text not null,
     size bigint not null check (size >= 0),
     primary key (model, number, path),
     foreign key (model, number) references registry.version (model, number)
   )`,
  `create index version_file_sha256 on registry.version_file (sha256)`,
  `create table registry.version_history (
     model text collate "C" not null,
     number bigint not null,
     state text not null,
     rejection text not null,
     from_at timestamptz not null,
     to_at timestamptz,
     revision bigint not null,
     primary key (model, number, revision),
     foreign key (model, number) references registry.version (model, number)
   )`,
  `create unique index version_history_current on registry.version_history (model, number) where to_at is null`,
  `create table registry.version_request (
     request_id text primary key,
     model text collate "C" not null,
     number bigint not null,
     actor text not null,
     foreign key (model, number) references registry.version (model, number)
   )`,
  `create table registry.admission_run (
     model text collate "C" not null,
     number bigint not null,
     holder text not null,
     attempts integer not null,
     renewed_at timestamptz not null,
     primary key (model, number),
     foreign key (model, number) references registry.version (model, number)
   )`,

  `create table registry.alias (
     model text collate "C" not null references registry.model (name),
     alias text collate "C" not null,
     version bigint,
     revision bigint not null,
     since timestamptz,
     actor text not null,
     primary key (model, alias),
     foreign key (model, version) references registry.version (model, number)
   )`,
  `comment on column registry.alias.version is 'null while the first move of the alias is under way'`,
  `create table registry.alias_history (
     model text collate "C" not null,
     alias text collate "C" not null,
     version bigint not null,
     from_at timestamptz not null,
     to_at timestamptz,
     actor text not null,
     revision bigint not null,
     primary key (model, alias, revision),
     foreign key (model, version) references registry.version (model, number)
   )`,
  `create unique index alias_history_current on registry.alias_history (model, alias) where to_at is null`,
  `create table registry.alias_move (
     id text primary key,
     model text collate "C" not null references registry.model (name),
     alias text collate "C" not null,
     from_version bigint,
     to_version bigint not null,
     state text not null check (state in ('requested', 'effective', 'withdrawn', 'cancelled')),
     reasons text[] not null default '{}',
     requested_at timestamptz not null,
     ended_at timestamptz,
     actor text not null,
     timeout_ms bigint not null,
     requested_revision bigint not null,
     ended_revision bigint,
     foreign key (model, to_version) references registry.version (model, number)
   )`,
  `create unique index alias_move_pending on registry.alias_move (model, alias) where state = 'requested'`,
  `create index alias_move_alias on registry.alias_move (model, alias, requested_revision)`,

  `create table registry.approval (
     model text collate "C" not null,
     version bigint not null,
     alias text collate "C" not null,
     approver text not null,
     at timestamptz not null,
     revision bigint not null,
     primary key (model, version, alias, approver),
     foreign key (model, version) references registry.version (model, number)
   )`,
  `create table registry.pin (
     model text collate "C" not null,
     version bigint not null,
     actor text not null,
     from_at timestamptz not null,
     to_at timestamptz,
     revision bigint not null,
     primary key (model, version, revision),
     foreign key (model, version) references registry.version (model, number)
   )`,
  `create unique index pin_current on registry.pin (model, version) where to_at is null`,
  `create table registry.release (
     id text primary key,
     model text collate "C" not null references registry.model (name),
     revision bigint not null,
     body jsonb not null,
     from_at timestamptz not null,
     to_at timestamptz
   )`,
  `create unique index release_current on registry.release (model) where to_at is null`,
  `create index release_model on registry.release (model, from_at)`,
  `create table registry.retained (
     model text collate "C" not null,
     alias text collate "C" not null,
     version bigint not null,
     until_at timestamptz not null,
     primary key (model, alias, version),
     foreign key (model, version) references registry.version (model, number)
   )`,
];

const leases = [
  `create table registry.runtime_lease (
     runtime_id text collate "C" primary key,
     pool text not null,
     address text not null,
     applied_revision bigint not null,
     ttl_ms integer not null,
     renewed_at timestamptz not null,
     versions jsonb not null,
     memory_budget_bytes bigint not null,
     memory_used_bytes bigint not null
   )`,
  `create table registry.router_lease (
     router_id text collate "C" primary key,
     address text not null,
     applied_revision bigint not null,
     ttl_ms integer not null,
     renewed_at timestamptz not null
   )`,
  `create table registry.write_heartbeat (
     singleton boolean primary key default true check (singleton),
     at timestamptz not null
   )`,
  `comment on table registry.write_heartbeat is 'when a registry could last write; a long gap is an outage'`,
  `insert into registry.write_heartbeat (at) values (clock_timestamp())`,
  `create table registry.outage (
     from_at timestamptz primary key,
     to_at timestamptz not null
   )`,
  `create table registry.artifact (
     sha256 text primary key,
     size bigint not null,
     created_at timestamptz not null default clock_timestamp(),
     last_used_at timestamptz not null default clock_timestamp()
   )`,
];

/** Rows of these end; those of the others only change or stay. */
const deletable = ['alias', 'retained', 'admission_run', 'runtime_lease', 'router_lease', 'outage', 'artifact'];
const kept = [
  ...['model', 'version', 'version_file', 'version_history', 'version_request'],
  ...['alias_history', 'alias_move', 'approval', 'pin', 'release', 'write_heartbeat'],
];
const grants = [
  ...kept.map((table) => `grant select, insert, update on registry.${table} to sluice_registry`),
  ...deletable.map((table) => `grant select, insert, update, delete on registry.${table} to sluice_registry`),
];

/** Models, versions and all that refers to them; leases and other state that is not audited. */
export const desiredState: Migration = {
  id: '1780000002000-desired-state',
  statements: [...statements, ...leases, ...grants],
};
