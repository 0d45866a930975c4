import { fromDatabase } from '@sluice/persistence/sqlstate';
import type { PoolClient } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';

/**
 * One connection of a pool that is not given back between uses: it has plans, and what was seen on it holds, since no crash of the
 * database came between. When it breaks, the next use has another one.
 */
export class KeptConnection {
  readonly #dataSource: DataSource;
  #runner: QueryRunner | undefined;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Runs `fn` on it, in no transaction. What the database says is thrown as an error of its kind. */
  async use<T>(fn: (client: PoolClient) => Promise<T>): Promise<T> {
    try {
      return await fn(await this.#connect());
    } catch (error) {
      throw fromDatabase(error);
    }
  }

  /** Ends it, as where nobody knows in what state it is. */
  async end(client: PoolClient): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    // Before the pool has it back, so that it hands it to nobody.
    void client.end().catch(() => undefined);
    await runner?.release();
  }

  /** Gives it back to the pool, where nobody else must have its settings. */
  async close(): Promise<void> {
    const runner = this.#runner;
    this.#runner = undefined;
    if (runner === undefined || runner.isReleased) return;
    const client = (await runner.connect()) as PoolClient;
    try {
      await client.query('RESET plan_cache_mode; RESET jit');
    } catch {
      void client.end().catch(() => undefined);
    }
    await runner.release();
  }

  async #connect(): Promise<PoolClient> {
    if (this.#runner !== undefined && !this.#runner.isReleased) return (await this.#runner.connect()) as PoolClient;
    const runner = this.#dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PoolClient;
      // To plan a statement over the days of years takes far longer than to run it: it is done once.
      await client.query('SET plan_cache_mode = force_generic_plan; SET jit = off');
      this.#runner = runner;
      return client;
    } catch (error) {
      await runner.release();
      throw error;
    }
  }
}
