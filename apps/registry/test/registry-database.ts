import type { TestPostgres } from '@sluice/testkit/postgres';
import { migrateRegistry, serviceRole } from '../src/store/migrate-registry.ts';

/** A database with the registry's schema. */
export interface RegistryDatabase {
  readonly name: string;
  /** As the superuser, who may do what no service may. */
  readonly ownerUrl: string;
  /** As the service's role. */
  readonly serviceUrl: string;
}

const password = 'only for tests';

/** Makes a migrated database of its own in the cluster. */
export async function createRegistryDatabase(postgres: TestPostgres): Promise<RegistryDatabase> {
  const database = addressesOf(postgres, await postgres.createDatabase());
  await migrateRegistry(database);
  return database;
}

/** The addresses of a database that is there already. */
export function addressesOf(postgres: TestPostgres, name: string): RegistryDatabase {
  return { name, ownerUrl: postgres.ownerUrl(name), serviceUrl: postgres.urlFor(serviceRole, password, name) };
}
