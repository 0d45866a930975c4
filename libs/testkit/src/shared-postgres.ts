import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { TestPostgres } from './postgres.ts';

/**
 * A Postgres that somebody else started and will stop, for tests that share it: databases get names that nobody else
 * takes, and `kill` and `restart` throw.
 *
 * @param ownerUrl the superuser's address of any of its databases
 */
export function sharedPostgres(ownerUrl: string): TestPostgres {
  const owner = new URL(ownerUrl);
  const urlFor = (user: string, password: string, database: string): string =>
    `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${owner.host}/${database}`;
  const urlOf = (database = 'postgres'): string => {
    const url = new URL(owner);
    url.pathname = `/${database}`;
    return url.href;
  };
  const refuse = async (): Promise<never> => {
    throw new Error('this Postgres belongs to other tests too: a file that ends it starts one of its own');
  };
  return {
    host: owner.hostname,
    port: Number(owner.port),
    ownerUrl: urlOf,
    urlFor,
    createDatabase: async (template = 'template1') => {
      const name = `test_${randomBytes(6).toString('hex')}`;
      const client = new pg.Client({ connectionString: urlOf() });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
      } finally {
        await client.end();
      }
      return name;
    },
    kill: refuse,
    restart: refuse,
    stop: async () => undefined,
  };
}
