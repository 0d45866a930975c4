import { migrateMain } from '@sluice/persistence/migrate-main';
import { registrySchema } from './store/migrate-registry.ts';

await migrateMain(registrySchema, process);
