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

/** The role is the cluster's: all databases of one have the same. */
const password = 'only for tests';

/** The addresses of a database that is there already. */
export function addressesOf(postgres: TestPostgres, name: string): RegistryDatabase {
  return { name, ownerUrl: postgres.ownerUrl(name), serviceUrl: postgres.urlFor(serviceRole, password, name) };
}

/** Makes a migrated database that others are copies of: nobody connects to it. */
export async function migrateOne(postgres: TestPostgres): Promise<string> {
  const name = await postgres.createDatabase();
  await migrateRegistry(addressesOf(postgres, name));
  return name;
}
