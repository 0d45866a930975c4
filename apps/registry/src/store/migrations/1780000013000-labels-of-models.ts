import type { Migration } from '@sluice/persistence/migrator';

/**
 * Which labels count for a model, and what its settings were when: what is known of models that are there begins with
 * the last change of their settings.
 */
export const labelsOfModels: Migration = {
  id: '1780000013000-labels-of-models',
  statements: [
    `alter table registry.model add column labels jsonb`,
    `comment on column registry.model.labels is 'null while it is the default policy'`,
    `grant update (labels) on registry.model to sluice_registry`,
    `create table registry.model_history (
       model text collate "C" not null references registry.model (name),
       owner text not null,
       description text not null,
       approvals_required smallint not null,
       capture jsonb,
       labels jsonb,
       from_at timestamptz not null,
       to_at timestamptz,
       revision bigint not null,
       primary key (model, revision)
     )`,
    `create unique index model_history_current on registry.model_history (model) where to_at is null`,
    `insert into registry.model_history (model, owner, description, approvals_required, capture, from_at, revision)
     select m.name, m.owner, m.description, m.approvals_required, m.capture, e.effective_at, m.revision
     from registry.model m join registry.audit_entry e on e.leaf_index = m.revision`,
    `create constraint trigger needs_entry after insert or update or delete on registry.model_history
       deferrable initially deferred for each row execute function registry.require_entry()`,
    `grant select, insert, update (to_at) on registry.model_history to sluice_registry`,
  ],
};
