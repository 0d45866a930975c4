import { migrateSchema } from '@sluice/persistence/migrate-schema';
import type { MigrateOptions, ServiceSchema } from '@sluice/persistence/migrate-schema';
import { locks } from './locks.ts';
import { migrations } from './migrations/index.ts';
import { rewriteAfterRestore } from './rewrite-after-restore.ts';

/** The role that feedback connects as. Migrations grant to it by this name; it owns nothing. */
export const serviceRole = 'sluice_feedback';

/** What the schema `feedback` is made of. */
export const feedbackSchema: ServiceSchema = {
  ...{ schema: 'feedback', role: serviceRole, migrations, lockId: locks.migrate },
  grants: [
    // A batch that collides goes through a temporary table; PUBLIC may make these unless somebody took that away.
    `DO $$ BEGIN
       EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ${serviceRole}', current_database());
     EXCEPTION WHEN insufficient_privilege THEN NULL;
     END $$`,
  ],
  afterwards: rewriteAfterRestore,
};

/** Brings the schema up to this build; see `migrateSchema`. */
export const migrateFeedback = (options: MigrateOptions): Promise<string[]> => migrateSchema(feedbackSchema, options);
