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

const migrated = new WeakMap<TestPostgres, Promise<string>>();

/** Makes a migrated database of its own in the cluster: a copy of one that was migrated once. */
export async function createRegistryDatabase(postgres: TestPostgres): Promise<RegistryDatabase> {
  const template = migrated.get(postgres) ?? migrateOne(postgres);
  migrated.set(postgres, template);
  return addressesOf(postgres, await postgres.createDatabase(await template));
}

async function migrateOne(postgres: TestPostgres): Promise<string> {
  const name = await postgres.createDatabase();
  await migrateRegistry(addressesOf(postgres, name));
  return name;
}

/** The addresses of a database that is there already. */
export function addressesOf(postgres: TestPostgres, name: string): RegistryDatabase {
  return { name, ownerUrl: postgres.ownerUrl(name), serviceUrl: postgres.urlFor(serviceRole, password, name) };
}
