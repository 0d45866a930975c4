import type { Migration } from '@sluice/persistence/migrator';

/** Texts that waited lie in plain in rows that are deleted or overwritten when they are joined: the service may run VACUUM on these. */
export const waitingTexts: Migration = {
  id: '1780000012000-waiting-texts',
  statements: ['GRANT MAINTAIN ON feedback.label_waiting TO sluice_feedback'],
};
