import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { startPostgres, type TestPostgres } from '@sluice/testkit/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '../src/data-source.ts';
import { createTransactions } from '../src/transaction.ts';

/** A way to the server on which packets can be dropped: connections stay open and nothing gets through. */
class Way {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #drops = false;
  /** Connections that were made. */
  made = 0;

  constructor(to: URL) {
    this.#server = createServer((near) => {
      this.made += 1;
      const far = connect(Number(to.port), to.hostname);
      for (const [from, onto] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => this.#drops || onto.write(bytes));
        // Also the end of a connection is a packet.
        from.on('close', () => this.#drops || onto.destroy());
        from.on('error', () => undefined);
      }
    });
  }

  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  drop(): void {
    this.#drops = true;
  }

  /** Forwards what is new; what was dropped stays lost, and so do the connections of before. */
  mend(): void {
    this.#drops = false;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

let postgres: TestPostgres;
let direct: URL;

beforeAll(async () => {
  postgres = await startPostgres();
  direct = new URL(postgres.ownerUrl(await postgres.createDatabase()));
});
afterAll(() => postgres.stop());

async function poolOver(way: Way, poolSize: number) {
  const url = new URL(direct);
  url.host = `127.0.0.1:${await way.open()}`;
  return createDataSource({
    ...{ url: url.href, schema: 'public', applicationName: 'silence', poolSize },
    ...{ statementTimeoutMs: 500, connectTimeoutMs: 3_000 },
  });
}

describe('a server that vanishes without a word', () => {
  it('fails what waits soon, and no connection of before is used when it is back', { timeout: 60_000 }, async () => {
    const way = new Way(direct);
    const pool = await poolOver(way, 2);
    const transactions = createTransactions(pool, { clock: systemClock, random: systemRandom });
    const pids = async (): Promise<number[]> => {
      const one = () =>
        transactions.readOnly(
          async (tx) => (await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]!.pid,
        );
      return Promise.all([one(), one()]);
    };
    const before = await pids();
    way.drop();
    const from = performance.now();
    const waiting = await Promise.allSettled([
      transactions.readWrite((tx) => tx.query('SELECT 1')),
      transactions.readOnly((tx) => tx.query('SELECT 1')),
    ]);
    expect(performance.now() - from).toBeLessThan(15_000);
    for (const { status, reason } of waiting as PromiseRejectedResult[])
      expect([status, (reason as { kind: string }).kind]).toEqual(['rejected', 'unavailable']);
    way.mend();
    const after = await pids();
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
    await pool.destroy();
    way.close();
  });

  it('fails a transaction that is under way, and nothing of it is left', { timeout: 60_000 }, async () => {
    const way = new Way(direct);
    const pool = await poolOver(way, 1);
    const transactions = createTransactions(pool, { clock: systemClock, random: systemRandom });
    await pool.query('CREATE TABLE left_behind (a int)');
    const from = performance.now();
    const atCommit = transactions.readWrite(async (tx) => {
      await tx.execute('INSERT INTO left_behind VALUES (1)');
      way.drop();
    });
    await expect(atCommit).rejects.toThrow(/connection broke while the change was committed/);
    expect(performance.now() - from).toBeLessThan(15_000);
    way.mend();
    const rows = await transactions.readOnly((tx) => tx.query('SELECT * FROM left_behind'));
    expect(rows).toEqual([]);
    await pool.destroy();
    way.close();
  });

  it('does not take the late answer of one statement for that of the next', { timeout: 60_000 }, async () => {
    const url = direct.href;
    const pool = await createDataSource({
      ...{ url, schema: 'public', applicationName: 'late', poolSize: 1 },
      ...{ statementTimeoutMs: 10_000, queryTimeoutMs: 1_000 },
    });
    await expect(pool.query(`SELECT 'late' AS answer, pg_sleep(2)`)).rejects.toThrow('Query read timeout');
    expect(await pool.query(`SELECT 'next' AS answer`)).toEqual([{ answer: 'next' }]);
    await pool.destroy();
  });
});
