import type { Migration } from '@sluice/persistence/migrator';

/** What is looked after for orders to erase. */
export const erasureUpkeep: Migration = {
  id: '1780000012000-erasure-upkeep',
  statements: [
    // Texts that waited lie under the key of the service in rows that are deleted when they are joined: it may run VACUUM on these.
    'GRANT MAINTAIN ON feedback.label_waiting TO sluice_feedback',
    `COMMENT ON COLUMN feedback.label_waiting.payload IS
       'text or JSON under a key of the service: whose it is is known when the prediction comes; gone when it ends'`,
    // Also of orders that are done: the artifact store may lose their documents.
    'CREATE INDEX erasure_without_document ON feedback.erasure (number) WHERE document_at IS NULL',
  ],
};
