import { fork } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '@sluice/testkit/eventually';
import { startPostgres, type TestPostgres } from '@sluice/testkit/postgres';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDataSource } from '../src/data-source.ts';
import { migrate, verifyVersion, type Migration } from '../src/migrator.ts';
import { ensureRole } from '../src/role.ts';
import { writer } from '../src/transaction.ts';

let postgres: TestPostgres;
let url: string;
let open: DataSource[];

beforeAll(async () => {
  postgres = await startPostgres();
});
beforeEach(async () => {
  url = postgres.ownerUrl(await postgres.createDatabase());
  open = [];
});
afterEach(async () => {
  for (const dataSource of open) await dataSource.destroy();
});
afterAll(() => postgres.stop());

async function connect(address = url): Promise<DataSource> {
  const dataSource = await createDataSource({ url: address, schema: 'app', applicationName: 'migrate', poolSize: 2 });
  open.push(dataSource);
  return dataSource;
}

const lockId = 4711;
const options = {
  schema: 'app',
  lockId,
  prepare: async (tx: { execute(sql: string): Promise<number> }) => {
    await tx.execute('CREATE SCHEMA IF NOT EXISTS app');
  },
};
const first: Migration = { id: '1700000000001-first', statements: ['CREATE TABLE app.a (x int)'] };
const second: Migration = {
  id: '1700000000002-second',
  statements: ['CREATE TABLE app.b (x int)', 'INSERT INTO app.b VALUES (1)'],
};
const list = [first, second];

describe('migrate', () => {
  it('says what it took from rows, once and only if there was any, and has these overwritten', async () => {
    const dataSource = await connect();
    const third: Migration = {
      id: '1700000000003-third',
      statements: ['UPDATE app.a SET x = 0 WHERE x > 1', 'UPDATE app.b SET x = 0'],
      erases: { tables: ['app.a'], text: 'numbers were taken' },
    };
    const said: unknown[][] = [];
    const told = { ...options, onErased: (...about: unknown[]) => void said.push(about) };
    await migrate(dataSource, list, told);
    await dataSource.query('INSERT INTO app.a VALUES (1), (2), (3)');
    await migrate(dataSource, [...list, third], told);
    await migrate(dataSource, [...list, third], told);
    await migrate(dataSource, [...list, third, { ...third, id: '1700000000004-fourth' }], told);
    expect(said).toEqual([['numbers were taken', third.id, 2]]);
    const vacuumed = `SELECT relname FROM pg_stat_user_tables WHERE vacuum_count > 0 AND schemaname = 'app'`;
    expect(await dataSource.query(vacuumed)).toEqual([{ relname: 'a' }]);
  });

  it('applies what is missing, in order, once', async () => {
    const dataSource = await connect();
    expect(await migrate(dataSource, [first], options)).toEqual([first.id]);
    expect(await migrate(dataSource, list, options)).toEqual([second.id]);
    expect(await migrate(dataSource, list, options)).toEqual([]);
    expect(await dataSource.query('SELECT position, id FROM app.migration ORDER BY position')).toEqual([
      { position: 0, id: first.id },
      { position: 1, id: second.id },
    ]);
  });

  it('is safe when several run at once: each migration runs once, by one of them', async () => {
    const sources = await Promise.all(Array.from({ length: 5 }, () => connect()));
    const applied = await Promise.all(sources.map((dataSource) => migrate(dataSource, list, options)));
    expect(applied.flat().toSorted()).toEqual([first.id, second.id]);
    expect(await sources[0]!.query('SELECT count(*)::int AS n FROM app.b')).toEqual([{ n: 1 }]);
  });

  it('is safe when one is killed in the middle: the next waits for its backend and does the work', async () => {
    const slow: Migration = {
      id: '1700000000003-slow',
      statements: ['CREATE TABLE app.c (x int)', 'SELECT pg_sleep(5)', 'INSERT INTO app.c VALUES (1)'],
    };
    const child = fork(new URL('migrate-child.ts', import.meta.url), [url, JSON.stringify([...list, slow])], {
      execArgv: ['--conditions=@sluice/source'],
    });
    const dataSource = await connect();
    const sleeping = `SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(5)' AND state = 'active'`;
    await eventually(async () => expect(await dataSource.query(sleeping)).toHaveLength(1));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await dataSource.query(sleeping)).toHaveLength(1);
    const quick = { ...slow, statements: slow.statements };
    expect(await migrate(dataSource, [...list, quick], options)).toEqual([slow.id]);
    expect(await dataSource.query('SELECT count(*)::int AS n FROM app.c')).toEqual([{ n: 1 }]);
  });

  it('keeps what went before a migration that fails, and nothing of that one', async () => {
    const dataSource = await connect();
    const broken: Migration = {
      id: '1700000000003-broken',
      statements: ['CREATE TABLE app.c (x int)', 'INSERT INTO app.nowhere VALUES (1)'],
    };
    await expect(migrate(dataSource, [...list, broken], options)).rejects.toThrow(
      /1700000000003-broken failed and was rolled back: .*nowhere/,
    );
    expect(await dataSource.query(`SELECT to_regclass('app.b') AS b, to_regclass('app.c') AS c`)).toEqual([
      { b: 'b', c: null },
    ]);
    const mended = { ...broken, statements: ['CREATE TABLE app.c (x int)'] };
    expect(await migrate(dataSource, [...list, mended], options)).toEqual([broken.id]);
  });

  it('refuses an edited migration and a list that is not a continuation', async () => {
    const dataSource = await connect();
    await migrate(dataSource, list, options);
    const edited = { ...first, statements: ['CREATE TABLE app.a (x bigint)'] };
    await expect(migrate(dataSource, [edited, second], options)).rejects.toThrow(/was edited after it ran/);
    const other = { ...first, id: '1700000000000-other' };
    await expect(migrate(dataSource, [other, second], options)).rejects.toThrow(/belongs to another build/);
  });

  it('refuses a list that is out of order or misnamed', async () => {
    const dataSource = await connect();
    await expect(migrate(dataSource, [second, first], options)).rejects.toThrow(/out of order/);
    await expect(migrate(dataSource, [{ id: 'x', statements: [] }], options)).rejects.toThrow(/not named/);
  });

  it('gives up waiting for a lock in bounded time', async () => {
    const [holder, waiter] = [await connect(), await connect()];
    const runner = holder.createQueryRunner();
    await runner.query('SELECT pg_advisory_lock($1)', [lockId]);
    await expect(migrate(waiter, list, { ...options, lockTimeoutMs: 50 })).rejects.toMatchObject({
      kind: 'unavailable',
    });
    await runner.query('SELECT pg_advisory_unlock($1)', [lockId]);
    await runner.release();
    expect(await migrate(waiter, list, options)).toHaveLength(2);
  });
});

describe('verifyVersion', () => {
  it('takes an equal or newer database, and refuses an older, foreign or empty one', async () => {
    const dataSource = await connect();
    await expect(verifyVersion(dataSource, list, 'app')).rejects.toThrow(/run migrate first/);
    await migrate(dataSource, [first], options);
    await expect(verifyVersion(dataSource, list, 'app')).rejects.toThrow(/lacks migration 1700000000002-second/);
    await migrate(dataSource, list, options);
    expect(await verifyVersion(dataSource, list, 'app')).toBe(0);
    expect(await verifyVersion(dataSource, [first], 'app')).toBe(1);
    const edited = { ...first, statements: [] };
    await expect(verifyVersion(dataSource, [edited], 'app')).rejects.toMatchObject({ kind: 'failed-precondition' });
  });
});

describe('ensureRole', () => {
  it('makes a role that can log in, then changes its password', async () => {
    const dataSource = await connect();
    const database = new URL(url).pathname.slice(1);
    const ensure = async (password: string): Promise<void> => {
      const runner = dataSource.createQueryRunner();
      await ensureRole(writer(runner), 'app_service', password);
      await runner.release();
    };
    for (const password of ['first pässword', "it's; second"]) {
      await ensure(password);
      const service = await connect(postgres.urlFor('app_service', password, database));
      expect(await service.query('SELECT current_user::text AS me')).toEqual([{ me: 'app_service' }]);
    }
    const old = connect(postgres.urlFor('app_service', 'first pässword', database));
    await expect(old).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('refuses a name that would need quoting', async () => {
    const runner = (await connect()).createQueryRunner();
    await expect(ensureRole(writer(runner), `x'; --`, 'p')).rejects.toThrow(TypeError);
    await runner.release();
  });
});
