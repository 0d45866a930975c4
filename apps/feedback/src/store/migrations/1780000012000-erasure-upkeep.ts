import type { Migration } from '@sluice/persistence/migrator';

/** What is looked after for orders to erase. */
export const erasureUpkeep: Migration = {
  id: '1780000012000-erasure-upkeep',
  statements: [
    // Texts that waited lie in plain in rows that are deleted when they are joined: the service may run VACUUM on these.
    'GRANT MAINTAIN ON feedback.label_waiting TO sluice_feedback',
    // Also of orders that are done: the artifact store may lose their documents.
    'CREATE INDEX erasure_without_document ON feedback.erasure (number) WHERE document_at IS NULL',
  ],
};
