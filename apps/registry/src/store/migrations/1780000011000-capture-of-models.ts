import type { Migration } from '@sluice/persistence/migrator';

/** What a model's releases keep as evidence where they say nothing of their own. */
export const captureOfModels: Migration = {
  id: '1780000011000-capture-of-models',
  statements: [
    `alter table registry.model add column capture jsonb`,
    `comment on column registry.model.capture is 'null while it is the default policy'`,
    `grant update (capture) on registry.model to sluice_registry`,
  ],
};
