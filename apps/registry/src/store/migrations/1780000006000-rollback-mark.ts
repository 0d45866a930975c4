import type { Migration } from '@sluice/persistence/migrator';

/** Which moves were rollbacks: one after another they go ever further back, and never to what a rollback left. */
export const rollbackMark: Migration = {
  id: '1780000006000-rollback-mark',
  statements: [
    `alter table registry.alias_move add column rollback boolean not null default false`,
    `comment on column registry.alias_move.rollback is 'asked for as a rollback, not by naming the version'`,
  ],
};
