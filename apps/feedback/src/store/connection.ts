import { from as copyFrom } from 'pg-copy-streams';
import type { PoolClient } from 'pg';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import { isNoAnswer } from '@sluice/persistence/timed-client';
import type { DataSource } from 'typeorm';

/** Runs `fn` in a transaction on a connection of its own, which COPY needs. What it throws is the driver's own error. */
export async function onConnection<T>(dataSource: DataSource, fn: (client: PoolClient) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  const client = (await runner.connect()) as PoolClient;
  try {
    // Whatever the database's default is: what is acknowledged must outlive a crash.
    await client.query('BEGIN; SET LOCAL synchronous_commit = on');
    const result = await fn(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A copy that got no answer leaves a connection whose next answer would be that of the copy.
    if (isNoAnswer(error)) client.connection.stream.destroy();
    else await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}

/** Sends one COPY and returns the number of its rows. */
export function copy(client: PoolClient, sql: string, bytes: Uint8Array): Promise<number> {
  const stream = client.query(copyFrom(sql));
  return new Promise((resolve, reject) => {
    // One write: the stream must have nothing left to send when the server refuses what came, for it lets go of the connection then.
    stream.on('error', reject);
    stream.on('finish', () => resolve(stream.rowCount));
    stream.end(bytes);
  });
}

/** Runs `fn` on a connection of its own, outside of a transaction. */
export async function withClient<T>(dataSource: DataSource, fn: (client: PoolClient) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    return await fn((await runner.connect()) as PoolClient);
  } catch (error) {
    throw fromDatabase(error);
  } finally {
    await runner.release();
  }
}

/** Of each connection but those that say otherwise: a plan that is for every id holds a lock on each day of each class. */
export const parameters = { plan_cache_mode: 'force_custom_plan' } as const;

/** A statement that each connection parses once. What is left is planning, in which Postgres leaves out the days that have none of an id. */
export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** Single statements on the pool. */
export async function statement<R>(dataSource: DataSource, sql: string, parameters: unknown[] = []): Promise<R[]> {
  const runner = dataSource.createQueryRunner();
  try {
    return (await runner.query(sql, parameters, true)).records as R[];
  } catch (error) {
    throw fromDatabase(error);
  } finally {
    await runner.release();
  }
}
