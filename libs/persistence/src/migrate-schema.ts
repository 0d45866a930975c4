import { invalidArgument } from '@sluice/domain/errors';
import { createDataSource } from './data-source.ts';
import { migrate } from './migrator.ts';
import type { Migration } from './migrator.ts';
import { ensureRole } from './role.ts';
import type { WriteTransaction } from './transaction.ts';

/** Takes a sentence for the log, and what it is about. */
export type Say = (message: string, about: Readonly<Record<string, string | number>>) => void;

/** What a service's schema is made of. */
export interface ServiceSchema {
  /** Its name, which is that of the service. */
  readonly schema: string;
  /** The role that the service connects as. Migrations grant to it by this name; it owns nothing. */
  readonly role: string;
  readonly migrations: readonly Migration[];
  /** Of the advisory lock under which one migrator works. */
  readonly lockId: number;
  /** What the role is granted beside the use of the schema. */
  readonly grants?: readonly string[];
  /** What has to be seen to whenever all migrations are there, in one transaction; says what it does. */
  readonly afterwards?: (tx: WriteTransaction, say: Say) => Promise<void>;
}

export interface MigrateOptions {
  /** Address with a role that owns the database or may make schemas and roles in it. */
  readonly ownerUrl: string;
  /** Address that the service uses: its role is made with its password. */
  readonly serviceUrl: string;
  /** Told after each migration that was applied. */
  readonly onApplied?: (id: string) => void;
  /** Told what is done when all migrations are there. */
  readonly say?: Say;
}

/**
 * Brings a service's schema up to this build: makes schema and role when they are missing, sets the role's password, runs the
 * migrations that the database lacks. Two at once are safe.
 *
 * @returns the ids that it applied
 * @throws SluiceError invalid-argument when the service's address names another role, or no password
 */
export async function migrateSchema(service: ServiceSchema, options: MigrateOptions): Promise<string[]> {
  const { schema, role, migrations, lockId, grants = [], afterwards } = service;
  const say = options.say ?? (() => undefined);
  const { username, password } = new URL(options.serviceUrl);
  if (decodeURIComponent(username) !== role || password === '')
    throw invalidArgument(
      `SLUICE_DATABASE_URL must name role ${role} and its password, as in postgres://${role}:…@host/database`,
    );
  const dataSource = await createDataSource({
    ...{ url: options.ownerUrl, schema, applicationName: `sluice-${schema}-migrate`, poolSize: 2 },
    ...{ statementTimeoutMs: 0, idleInTransactionTimeoutMs: 0 },
  });
  const prepare = async (tx: WriteTransaction): Promise<void> => {
    await ensureRole(tx, role, decodeURIComponent(password));
    await tx.execute(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await tx.execute(`GRANT USAGE ON SCHEMA ${schema} TO ${role}`);
    for (const grant of grants) await tx.execute(grant);
  };
  try {
    return await migrate(dataSource, migrations, {
      ...{ schema, lockId, prepare },
      ...(options.onApplied ? { onApplied: options.onApplied } : {}),
      onErased: (text, migration, rows) => say(text, { migration, rows }),
      ...(afterwards ? { afterwards: (tx: WriteTransaction) => afterwards(tx, say) } : {}),
      afterTable: async (tx) => {
        await tx.execute(`GRANT SELECT ON ${schema}.migration TO ${role}`);
      },
    });
  } finally {
    await dataSource.destroy();
  }
}
