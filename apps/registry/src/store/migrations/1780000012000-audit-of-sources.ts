import type { Migration } from '@sluice/persistence/migrator';

/** Which entries of other services' outboxes are in the log, and where: each is appended once. */
export const auditOfSources: Migration = {
  id: '1780000012000-audit-of-sources',
  statements: [
    `create table registry.audit_source_entry (
       source text collate "C" not null,
       sequence bigint not null check (sequence > 0),
       leaf_index bigint not null unique references registry.audit_entry (leaf_index) deferrable initially deferred,
       primary key (source, sequence)
     )`,
    `comment on column registry.audit_source_entry.sequence is
       'of the service''s outbox, without gaps: one more than the highest is what the service sends next'`,
    `create trigger append_only before update or delete or truncate on registry.audit_source_entry
       for each statement execute function registry.refuse_change()`,
    `create constraint trigger needs_entry after insert on registry.audit_source_entry
       deferrable initially deferred for each row execute function registry.require_entry()`,
    `grant select, insert on registry.audit_source_entry to sluice_registry`,
  ],
};
