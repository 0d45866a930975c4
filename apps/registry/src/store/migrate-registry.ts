import { migrateSchema } from '@sluice/persistence/migrate-schema';
import type { MigrateOptions, ServiceSchema } from '@sluice/persistence/migrate-schema';
import { locks } from './locks.ts';
import { migrations } from './migrations/index.ts';

/** The role that registries connect as. Migrations grant to it by this name; it owns nothing. */
export const serviceRole = 'sluice_registry';

/** What the schema `registry` is made of. */
export const registrySchema: ServiceSchema = {
  ...{ schema: 'registry', role: serviceRole, migrations, lockId: locks.migrate },
};

/** Brings the schema up to this build; see `migrateSchema`. */
export const migrateRegistry = (options: MigrateOptions): Promise<string[]> => migrateSchema(registrySchema, options);
