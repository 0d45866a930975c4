import { migrateMain } from '@sluice/persistence/migrate-main';
import { feedbackSchema } from './store/migrate-feedback.ts';

await migrateMain(feedbackSchema, process);
