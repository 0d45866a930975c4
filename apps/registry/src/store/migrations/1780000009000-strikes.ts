import type { Migration } from '@sluice/persistence/migrator';

/** What versions did to runtimes, as these report it, and the quarantines that follow: those are desired state. */
export const strikes: Migration = {
  id: '1780000009000-strikes',
  statements: [
    `create table registry.strike (
       id text collate "C" primary key,
       runtime_id text collate "C" not null,
       pool text collate "C" not null,
       model text collate "C" not null,
       version bigint not null,
       kind text not null check (kind in ('crashed', 'hung', 'crashed-loading', 'hung-loading')),
       struck_at timestamptz not null,
       received_at timestamptz not null,
       cleared_revision bigint,
       foreign key (model, version) references registry.version (model, number)
     )`,
    `comment on column registry.strike.struck_at is 'by the clock of the runtime; received_at is what counts'`,
    `comment on column registry.strike.cleared_revision is 'leaf index of the lift that forgave it'`,
    `create index strike_version on registry.strike (model, version, pool)`,
    `create table registry.quarantine (
       model text collate "C" not null,
       version bigint not null,
       pool text collate "C" not null,
       reason text not null,
       actor text not null,
       from_at timestamptz not null,
       to_at timestamptz,
       revision bigint not null,
       primary key (model, version, pool, revision),
       foreign key (model, version) references registry.version (model, number)
     )`,
    `create unique index quarantine_current on registry.quarantine (model, version, pool) where to_at is null`,
    `create constraint trigger needs_entry after insert or update or delete on registry.quarantine
       deferrable initially deferred for each row execute function registry.require_entry()`,
    `grant select, insert, delete, update (cleared_revision) on registry.strike to sluice_registry`,
    `grant select, insert, update (to_at) on registry.quarantine to sluice_registry`,
  ],
};
