import type { Migration } from '@sluice/persistence/migrator';

/**
 * A version's history has a stretch for each of its revisions, and how it was run then: an approval or a pin raised the
 * revision without a stretch of its own, so that asOf answered an older one.
 */
export const historyOfRevisions: Migration = {
  id: '1780000008000-history-of-revisions',
  statements: [
    `alter table registry.version_history add column serving jsonb`,
    `comment on column registry.version_history.serving is 'null where it was as the version has it now'`,
    // What the log says already is filled in without another entry of it.
    `alter table registry.version_history disable trigger needs_entry`,
    // An end that is not the true one yet: only one stretch of a version may have none.
    `insert into registry.version_history (model, number, state, rejection, from_at, to_at, revision)
     select h.model, h.number, h.state, h.rejection, e.effective_at, e.effective_at, e.leaf_index
     from registry.audit_entry e
     join registry.version_history h on e.object = 'model/' || h.model || '/version/' || h.number
       and h.revision < e.leaf_index
     where e.action in ('version.approved', 'version.pinned', 'version.unpinned') and not exists (
       select from registry.version_history later
       where later.model = h.model and later.number = h.number
         and later.revision > h.revision and later.revision <= e.leaf_index
     )`,
    `update registry.version_history h set to_at = next.from_at
     from (
       select model, number, revision,
         lead(from_at) over (partition by model, number order by revision) as from_at
       from registry.version_history
     ) as next
     where (next.model, next.number, next.revision) = (h.model, h.number, h.revision) and next.from_at is not null`,
    `update registry.version_history h set to_at = null
     where not exists (
       select from registry.version_history later
       where later.model = h.model and later.number = h.number and later.revision > h.revision
     )`,
    `alter table registry.version_history enable trigger needs_entry`,
  ],
};
