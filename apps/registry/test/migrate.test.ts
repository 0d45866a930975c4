import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createDataSource } from '@sluice/persistence/data-source';
import { migrate, verifyVersion } from '@sluice/persistence/migrator';
import { compileCacheSetting } from '@sluice/testkit/compile-cache';
import { startPostgres, type TestPostgres } from '@sluice/testkit/postgres';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateRegistry, serviceRole } from '../src/store/migrate-registry.ts';
import { migrations } from '../src/store/migrations/index.ts';

let postgres: TestPostgres;
const password = 'not for logs';
const program = fileURLToPath(new URL('../src/migrate.ts', import.meta.url));

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const addresses = (name: string) => ({
  ownerUrl: postgres.ownerUrl(name),
  serviceUrl: postgres.urlFor(serviceRole, password, name),
});

async function withOwner<T>(name: string, fn: (owner: DataSource) => Promise<T>): Promise<T> {
  const owner = await createDataSource({ url: postgres.ownerUrl(name), schema: 'public', applicationName: 'test' });
  try {
    return await fn(owner);
  } finally {
    await owner.destroy();
  }
}

/** Runs the program as a deployment does. */
async function runMigrate(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=@sluice/source', program], {
    env: { ...compileCacheSetting(), ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

describe('migrate', () => {
  it('makes role, schema and tables on an empty database, when two run at once too', async () => {
    const name = await postgres.createDatabase();
    const [one, two] = await Promise.all([migrateRegistry(addresses(name)), migrateRegistry(addresses(name))]);
    expect([...one, ...two].toSorted()).toEqual(migrations.map(({ id }) => id));
    expect(await migrateRegistry(addresses(name))).toEqual([]);
    const service = await createDataSource({
      url: addresses(name).serviceUrl,
      schema: 'registry',
      applicationName: 'test',
    });
    expect(await verifyVersion(service, migrations, 'registry')).toBe(0);
    await service.destroy();
  });

  it('works for an owner who is no superuser but may make roles', async () => {
    const name = await postgres.createDatabase();
    await withOwner(name, async (owner) => {
      await owner.query(`DROP ROLE IF EXISTS plain_owner`);
      await owner.query(`CREATE ROLE plain_owner LOGIN CREATEROLE PASSWORD 'pw'`);
      await owner.query(`GRANT CREATE ON DATABASE ${name} TO plain_owner`);
    });
    const ownerUrl = postgres.urlFor('plain_owner', 'pw', name);
    // The role is there already and belongs to somebody else: its password must be the configured one.
    const applied = await migrateRegistry({ ...addresses(name), ownerUrl }).catch((error: unknown) => error);
    expect(applied).toEqual(migrations.map(({ id }) => id));
  });

  it('gives the service’s role no table of its own and no right to change the past', async () => {
    const name = await postgres.createDatabase();
    await migrateRegistry(addresses(name));
    const rows = await withOwner(name, (owner) =>
      owner.query<{ table_name: string; rights: string }[]>(
        `SELECT table_name, string_agg(privilege_type, ',' ORDER BY privilege_type) AS rights
         FROM information_schema.role_table_grants WHERE grantee = '${serviceRole}' GROUP BY table_name`,
      ),
    );
    const rights = new Map(rows.map((row) => [row.table_name, row.rights]));
    for (const table of ['audit_entry', 'audit_node', 'audit_key', 'checkpoint'])
      expect(rights.get(table)).toBe('INSERT,SELECT');
    expect(rights.get('migration')).toBe('SELECT');
    for (const right of rights.values()) expect(right).not.toMatch(/TRUNCATE|TRIGGER|REFERENCES/);
    const owned = await withOwner(name, (owner) =>
      owner.query<unknown[]>(`SELECT * FROM pg_tables WHERE tableowner = '${serviceRole}'`),
    );
    expect(owned).toEqual([]);
  });

  it('fills in the history of revisions and of settings that earlier registries left out', async () => {
    const name = await postgres.createDatabase();
    await withOwner(name, async (owner) => {
      await owner.query(`create schema registry`);
      await owner.query(`do $$ begin create role ${serviceRole}; exception when duplicate_object then null; end $$`);
      const before = migrations.filter(({ id }) => id < '1780000008000');
      await migrate(owner, before, { schema: 'registry', lockId: 1 });
      // Rows without the changes that made them, in one session: no trigger asks for an entry.
      await owner.query(`
        begin;
        set local session_replication_role = 'replica';
        insert into registry.audit_entry
        select leaf, to_timestamp(leaf), 'ann', 'unauthenticated', 'version.' || action, 'model/' || model || '/version/1', '',
          decode(repeat('00', 32), 'hex')
        from (values (0, 'created', 'a'), (1, 'created', 'ab'), (2, 'approved', 'a'), (3, 'admitted', 'a'), (4, 'pinned', 'a'),
          (5, 'unpinned', 'a'), (6, 'deleted', 'a')) as entry (leaf, action, model);
        insert into registry.model (name, owner, description, approvals_required, created_at, created_by, revision,
          changed_revision)
        values ('a', 'vision', '', 1, now(), 'ann', 2, 2);
        insert into registry.version (model, number, state, digest, graph_path, signature, serving, manifest_json, created_at,
          created_by, revision)
        select model, 1, 'ready', '', '', '{}', '{}', '', now(), 'ann', 0 from (values ('a'), ('ab')) as made (model);
        insert into registry.version_history (model, number, state, rejection, from_at, to_at, revision) values
          ('a', 1, 'admitting', '', to_timestamp(0), to_timestamp(3), 0),
          ('a', 1, 'ready', '', to_timestamp(3), to_timestamp(6), 3),
          ('a', 1, 'deleted', '', to_timestamp(6), null, 6),
          ('ab', 1, 'admitting', '', to_timestamp(1), null, 1);
        commit`);
    });
    await migrateRegistry(addresses(name));
    const rows = await withOwner(name, (owner) =>
      owner.query<Record<string, unknown>[]>(
        `select model, revision::int, state, extract(epoch from from_at)::int as "from", extract(epoch from to_at)::int as "to"
         from registry.version_history order by model, revision`,
      ),
    );
    const settings = await withOwner(name, (owner) =>
      owner.query<unknown[]>(
        `select model, owner, labels, extract(epoch from from_at)::int as "from", to_at as "to"
         from registry.model_history`,
      ),
    );
    expect(settings).toEqual([{ model: 'a', owner: 'vision', labels: null, from: 2, to: null }]);
    expect(rows).toEqual([
      { model: 'a', revision: 0, state: 'admitting', from: 0, to: 2 },
      { model: 'a', revision: 2, state: 'admitting', from: 2, to: 3 },
      { model: 'a', revision: 3, state: 'ready', from: 3, to: 4 },
      { model: 'a', revision: 4, state: 'ready', from: 4, to: 5 },
      { model: 'a', revision: 5, state: 'ready', from: 5, to: 6 },
      { model: 'a', revision: 6, state: 'deleted', from: 6, to: null },
      { model: 'ab', revision: 1, state: 'admitting', from: 1, to: null },
    ]);
  });

  it('refuses a service address without the service’s role', async () => {
    const name = await postgres.createDatabase();
    const wrong = { ownerUrl: postgres.ownerUrl(name), serviceUrl: postgres.urlFor('somebody', 'x', name) };
    await expect(migrateRegistry(wrong)).rejects.toMatchObject({ kind: 'invalid-argument' });
  });
});

describe('the program migrate.ts', () => {
  it('reads the environment, logs what it applied and no password, and exits 0', async () => {
    const name = await postgres.createDatabase();
    const { ownerUrl, serviceUrl } = addresses(name);
    const env = { SLUICE_OWNER_DATABASE_URL: ownerUrl, SLUICE_DATABASE_URL: serviceUrl };
    const { code, output } = await runMigrate(env);
    expect(code).toBe(0);
    const lines = output.trim().split('\n');
    const said = lines.map((line) => JSON.parse(line) as { msg: string; migration?: string });
    expect(said.map((line) => line.migration).filter(Boolean)).toEqual(migrations.map(({ id }) => id));
    expect(said.at(-1)?.msg).toBe('schema is up to date');
    expect(output).not.toContain(encodeURIComponent(password));
    expect(output).not.toContain(password);
    expect((await runMigrate(env)).code).toBe(0);
  });

  it('says what is missing and exits non-zero', async () => {
    const { code, output } = await runMigrate({ SLUICE_DATABASE_URL: 'mysql://x' });
    expect(code).toBe(2);
    expect(output).toMatch(/SLUICE_OWNER_DATABASE_URL/);
    expect(output).toMatch(/expected postgres:\/\/role:password@host:port\/database/);
  });

  it('ends when its channel to the supervisor closes, whatever it waits for', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const url = (role: string): string => `postgres://${role}:secret@127.0.0.1:${port}/sluice`;
    const child = fork(program, {
      execArgv: ['--conditions=@sluice/source'],
      env: {
        ...compileCacheSetting(),
        SLUICE_OWNER_DATABASE_URL: url('sluice'),
        SLUICE_DATABASE_URL: url(serviceRole),
      },
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    let output = '';
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(silent, 'connection');
    child.disconnect();
    const [[code]] = (await Promise.all([once(child, 'exit'), once(child.stdout!, 'end')])) as [[number], unknown];
    expect(code).toBe(1);
    expect(output).toContain('the channel to the supervisor closed');
    silent.close();
  });
});
