import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { startPostgres, type TestPostgres } from '@sluice/testkit/postgres';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDataSource, describeUrl } from '../src/data-source.ts';
import { createTransactions, type Transactions } from '../src/transaction.ts';

let postgres: TestPostgres;
let url: string;
let pool: DataSource;
let transactions: Transactions;

beforeAll(async () => {
  postgres = await startPostgres();
  url = postgres.ownerUrl(await postgres.createDatabase());
  pool = await createDataSource({ url, schema: 'public', applicationName: 'tx-test', statementTimeoutMs: 5000 });
  transactions = createTransactions(pool, { clock: systemClock, random: systemRandom });
  await pool.query('CREATE TABLE item (id int PRIMARY KEY, value bigint NOT NULL)');
});
beforeEach(async () => {
  await pool.query('TRUNCATE item');
  await pool.query('INSERT INTO item VALUES (1, 10), (2, 20)');
});
afterAll(async () => {
  await pool.destroy();
  await postgres.stop();
});

const values = () =>
  transactions.readOnly((tx) => tx.query<{ id: number; value: number }>('SELECT * FROM item ORDER BY id'));

/** Calls that wait for each other, so that transactions meet. */
function meeting(count: number): () => Promise<void> {
  let here = 0;
  let open: () => void;
  const all = new Promise<void>((resolve) => (open = resolve));
  return async () => {
    if (++here >= count) open();
    await all;
  };
}

describe('readOnly', () => {
  it('sees one snapshot', async () => {
    const seen = await transactions.readOnly(async (tx) => {
      const before = await tx.query('SELECT value FROM item WHERE id = 1');
      await transactions.readWrite((other) => other.execute('UPDATE item SET value = 11 WHERE id = 1'));
      return [before, await tx.query('SELECT value FROM item WHERE id = 1')];
    });
    expect(seen).toEqual([[{ value: 10 }], [{ value: 10 }]]);
    expect(await values()).toEqual([
      { id: 1, value: 11 },
      { id: 2, value: 20 },
    ]);
  });

  it('cannot write', async () => {
    await expect(transactions.readOnly((tx) => tx.query('DELETE FROM item'))).rejects.toThrow();
    expect(await values()).toHaveLength(2);
  });
});

describe('readWrite', () => {
  it('commits what it did, counts rows, and rolls back when it throws', async () => {
    expect(await transactions.readWrite((tx) => tx.execute('UPDATE item SET value = value + 1'))).toBe(2);
    const failed = transactions.readWrite(async (tx) => {
      await tx.execute('DELETE FROM item');
      throw new Error('no');
    });
    await expect(failed).rejects.toMatchObject({ kind: 'internal' });
    expect((await values()).map(({ value }) => value)).toEqual([11, 21]);
  });

  it('rolls back and answers when it is discarded', async () => {
    const answer = await transactions.readWrite(async (tx) => {
      tx.discard();
      return tx.execute('DELETE FROM item');
    });
    expect(answer).toBe(2);
    expect(await values()).toHaveLength(2);
  });

  it('runs again after a deadlock, and both succeed', async () => {
    const met = meeting(2);
    let runs = 0;
    const both = [
      [1, 2],
      [2, 1],
    ].map(([first, second]) =>
      transactions.readWrite(async (tx) => {
        runs++;
        await tx.execute('UPDATE item SET value = value + 1 WHERE id = $1', [first!]);
        await met();
        await tx.execute('UPDATE item SET value = value + 1 WHERE id = $1', [second!]);
      }),
    );
    await Promise.all(both);
    // Whoever runs again may meet the other once more.
    expect(runs).toBeGreaterThanOrEqual(3);
    expect((await values()).map(({ value }) => value)).toEqual([12, 22]);
  });

  it('gives up after its attempts, and at once on what a repeat cannot cure', async () => {
    const raise = async (code: string): Promise<number> => {
      let runs = 0;
      const doomed = transactions.readWrite((tx) => {
        runs++;
        return tx.execute(`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '${code}'; END $$`);
      });
      await expect(doomed).rejects.toThrow();
      return runs;
    };
    expect(await raise('40001')).toBe(5);
    expect(await raise('23514')).toBe(1);
  });

  it.each([
    ['53100', 'resource-exhausted'],
    ['40001', 'conflict'],
    ['23505', 'already-exists'],
  ])('maps SQLSTATE %s of the server to %s', async (code, kind) => {
    const raised = transactions.readWrite((tx) =>
      tx.execute(`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '${code}'; END $$`),
    );
    await expect(raised).rejects.toMatchObject({ kind });
  });

  it('ends a statement that takes too long', async () => {
    await expect(transactions.readWrite((tx) => tx.query('SELECT pg_sleep(10)'))).rejects.toMatchObject({
      kind: 'deadline-exceeded',
    });
  });

  it('says unavailable when its connection breaks, also at the commit, and goes on with another', async () => {
    const kill = 'SELECT pg_terminate_backend($1)';
    const during = transactions.readWrite(async (tx) => {
      const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await pool.query(kill, [own!.pid]);
      return tx.query('SELECT 1');
    });
    await expect(during).rejects.toMatchObject({ kind: 'unavailable' });
    const later = transactions.readWrite(async (tx) => {
      const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await pool.query(kill, [own!.pid]);
      const gone = `SELECT FROM pg_stat_activity WHERE pid = $1`;
      await eventually(async () => expect(await pool.query(gone, [own!.pid])).toEqual([]));
      return tx.query('SELECT 1');
    });
    await expect(later).rejects.toMatchObject({ kind: 'unavailable' });
    const atCommit = transactions.readWrite(async (tx) => {
      const [own] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await tx.execute('DELETE FROM item');
      await pool.query(kill, [own!.pid]);
    });
    await expect(atCommit).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await values()).toHaveLength(2);
  });

  it('works again after the server was killed and came back', async () => {
    await transactions.readWrite((tx) => tx.execute('UPDATE item SET value = 99 WHERE id = 1'));
    await postgres.kill();
    await expect(values()).rejects.toMatchObject({ kind: 'unavailable' });
    await postgres.restart();
    await eventually(async () => expect((await values())[0]).toEqual({ id: 1, value: 99 }));
  });
});

describe('a data source', () => {
  it('refuses 64-bit integers that a number cannot hold', async () => {
    await expect(transactions.readOnly((tx) => tx.query('SELECT 9007199254740993::bigint AS n'))).rejects.toThrow(
      /beyond 2\^53/,
    );
  });

  it('says unavailable when nobody listens, and hides its password', async () => {
    const nobody = { url: 'postgres://a:hunter2@127.0.0.1:1/x', schema: 'public', applicationName: 't' };
    await expect(createDataSource(nobody)).rejects.toMatchObject({ kind: 'unavailable' });
    const wrong = createDataSource({ ...nobody, url: 'mysql://a:hunter2@x' });
    await expect(wrong).rejects.toMatchObject({
      kind: 'invalid-argument',
      message: expect.not.stringContaining('hunter2') as string,
    });
    expect(describeUrl(nobody.url)).toBe('127.0.0.1:1/x');
  });

  it('sets what a session needs', async () => {
    const settings = await transactions.readOnly((tx) =>
      tx.query(`SELECT current_setting('application_name') AS name, current_setting('search_path') AS path,
                current_setting('statement_timeout') AS statement,
                current_setting('idle_in_transaction_session_timeout') AS idle`),
    );
    expect(settings).toEqual([{ name: 'tx-test', path: 'public', statement: '5s', idle: '15s' }]);
  });
});
