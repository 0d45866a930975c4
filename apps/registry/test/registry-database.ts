import pg from 'pg';
import { inject } from 'vitest';
import { startPostgres, type TestPostgres } from '@sluice/testkit/postgres';
import { sharedPostgres } from '@sluice/testkit/shared-postgres';
import { addressesOf, migrateOne, type RegistryDatabase } from './migrated-database.ts';

export { addressesOf, type RegistryDatabase } from './migrated-database.ts';

const migrated = new WeakMap<TestPostgres, Promise<string>>();

/**
 * The Postgres of the whole run, or one of this file's own where the run has none. A file that ends its Postgres, or looks
 * at all that is in it, starts one.
 */
export async function openPostgres(): Promise<TestPostgres> {
  const shared = inject('registryPostgres');
  if (!shared) return startPostgres();
  const postgres = sharedPostgres(shared.ownerUrl);
  migrated.set(postgres, Promise.resolve(shared.template));
  return postgres;
}

/** Makes a migrated database of its own in the cluster: a copy of one that was migrated once. */
export async function createRegistryDatabase(postgres: TestPostgres): Promise<RegistryDatabase> {
  const template = migrated.get(postgres) ?? migrateOne(postgres);
  migrated.set(postgres, template);
  const database = addressesOf(postgres, await postgres.createDatabase(await template));
  await beat(database);
  return database;
}

/** A copy remembers when the one that it is of was made: without this, what begins now would find an outage since then. */
async function beat({ ownerUrl }: RegistryDatabase): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  await owner.query('update registry.write_heartbeat set at = clock_timestamp()');
  await owner.end();
}
