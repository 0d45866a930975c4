import { createDataSource } from '@sluice/persistence/data-source';
import { migrate } from '@sluice/persistence/migrator';
import { ensureRole } from '@sluice/persistence/role';
import { invalidArgument } from '@sluice/domain/errors';
import { locks } from './locks.ts';
import { migrations } from './migrations/index.ts';

/** The role that feedback connects as. Migrations grant to it by this name; it owns nothing. */
export const serviceRole = 'sluice_feedback';

export interface MigrateFeedbackOptions {
  /** Address with a role that owns the database or may make schemas and roles in it. */
  readonly ownerUrl: string;
  /** Address that feedback uses: its role is made with its password. */
  readonly serviceUrl: string;
  /** Told after each migration that was applied. */
  readonly onApplied?: (id: string) => void;
}

/**
 * Brings schema `feedback` up to this build: makes schema and service role when they are missing, sets the role's
 * password, runs the migrations that the database lacks. Two at once are safe. Returns the ids that it applied.
 */
export async function migrateFeedback(options: MigrateFeedbackOptions): Promise<string[]> {
  const { username, password } = new URL(options.serviceUrl);
  if (decodeURIComponent(username) !== serviceRole || password === '')
    throw invalidArgument(
      `SLUICE_DATABASE_URL must name role ${serviceRole} and its password, as in postgres://${serviceRole}:…@host/database`,
    );
  const dataSource = await createDataSource({
    url: options.ownerUrl,
    schema: 'feedback',
    applicationName: 'sluice-feedback-migrate',
    poolSize: 2,
    statementTimeoutMs: 0,
    idleInTransactionTimeoutMs: 0,
  });
  try {
    return await migrate(dataSource, migrations, {
      schema: 'feedback',
      lockId: locks.migrate,
      ...(options.onApplied ? { onApplied: options.onApplied } : {}),
      prepare: async (tx) => {
        await ensureRole(tx, serviceRole, decodeURIComponent(password));
        await tx.execute('CREATE SCHEMA IF NOT EXISTS feedback');
        await tx.execute(`GRANT USAGE ON SCHEMA feedback TO ${serviceRole}`);
        // A batch that collides goes through a temporary table; PUBLIC may make these unless somebody took that away.
        await tx.execute(`DO $$ BEGIN
          EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO ${serviceRole}', current_database());
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END $$`);
      },
      afterTable: async (tx) => {
        await tx.execute(`GRANT SELECT ON feedback.migration TO ${serviceRole}`);
      },
    });
  } finally {
    await dataSource.destroy();
  }
}
