import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Clock, Random } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { fromDatabase, sqlstateOf } from './sqlstate.ts';
import { isNoAnswer } from './timed-client.ts';

/** What a parameter of a statement may be. Arrays become Postgres arrays; pass JSON as text. */
export type Parameter =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly (string | number | boolean | Date | Uint8Array | null)[];

/** One statement's rows; a store turns them into domain values before they leave it. */
export type Row = Readonly<Record<string, unknown>>;

/** Sees one snapshot of the database and changes nothing. */
export interface ReadTransaction {
  /** Runs a statement with `$1`, `$2`, … filled from `parameters`; values never go into the text. */
  query<R = Row>(sql: string, parameters?: readonly Parameter[]): Promise<R[]>;
}

/** Reads and writes. Every statement sees what was committed before it started (READ COMMITTED). */
export interface WriteTransaction extends ReadTransaction {
  /** Runs a statement and says how many rows it touched. */
  execute(sql: string, parameters?: readonly Parameter[]): Promise<number>;
  /** Makes the transaction end with ROLLBACK instead of COMMIT; what the callback returns is returned all the same. */
  discard(): void;
  /** TypeORM's manager in this transaction, for entities. */
  readonly manager: EntityManager;
}

export interface Transactions {
  /** Runs `fn` on one snapshot (REPEATABLE READ, READ ONLY). `fn` may run again: it must not keep state. */
  readOnly<T>(fn: (tx: ReadTransaction) => Promise<T>): Promise<T>;
  /**
   * Runs `fn` in a transaction and commits. `fn` may run again after a serialization failure or a deadlock, so it must
   * do nothing but use `tx`. Errors are SluiceErrors; `unavailable` after COMMIT was sent means that nobody knows.
   */
  readWrite<T>(fn: (tx: WriteTransaction) => Promise<T>): Promise<T>;
}

export interface TransactionOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How often `fn` runs at most. Default 5. */
  readonly attempts?: number;
  /** The first wait before another attempt, in milliseconds; it doubles, and half to all of it is taken. Default 10. */
  readonly baseDelayMs?: number;
}

/** Serialization failure and deadlock: the server rolled back and the same transaction may succeed now. */
const retryable: ReadonlySet<string> = new Set(['40001', '40P01']);

/** Transactions on the pool of `dataSource`. */
export function createTransactions(dataSource: DataSource, options: TransactionOptions): Transactions {
  return {
    readOnly: (fn) =>
      retried(options, () =>
        inTransaction(dataSource, 'REPEATABLE READ, READ ONLY', ({ runner }) => fn(reader(runner))),
      ),
    readWrite: (fn) =>
      retried(options, () => inTransaction(dataSource, 'READ COMMITTED', (open) => fn(openWriter(open)))),
  };
}

/** The write view of a query runner; for the migrator, which holds its own. */
export function writer(runner: QueryRunner, onDiscard?: () => void): WriteTransaction {
  return {
    ...reader(runner),
    execute: async (sql, parameters = []) => (await runner.query(sql, [...parameters], true)).affected ?? 0,
    discard: () => onDiscard?.(),
    manager: runner.manager,
  };
}

function reader(runner: QueryRunner): ReadTransaction {
  return {
    async query<R>(sql: string, parameters: readonly Parameter[] = []) {
      return (await runner.query(sql, [...parameters], true)).records as R[];
    },
  };
}

interface Open {
  readonly runner: QueryRunner;
  discarded: boolean;
}

const openWriter = (open: Open): WriteTransaction => writer(open.runner, () => (open.discarded = true));

async function inTransaction<T>(dataSource: DataSource, mode: string, fn: (open: Open) => Promise<T>): Promise<T> {
  const runner = await begin(dataSource);
  const open: Open = { runner, discarded: false };
  try {
    await runner.query(`SET TRANSACTION ISOLATION LEVEL ${mode}`);
    let result: T;
    try {
      result = await fn(open);
    } catch (error) {
      // The first error counts; a connection that is gone has rolled back by itself.
      await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    }
    if (open.discarded) await runner.rollbackTransaction();
    else await commit(runner);
    return result;
  } finally {
    await runner.release();
  }
}

/**
 * A pooled connection may have broken without the pool knowing yet: nothing has happened on it, so another one is taken.
 * A connection that cannot be made fails at once, and so does one on which the server stays silent: the others would too.
 */
async function begin(dataSource: DataSource): Promise<QueryRunner> {
  for (let attempt = 1; ; attempt++) {
    const runner = dataSource.createQueryRunner();
    await runner.connect();
    try {
      await runner.startTransaction();
      return runner;
    } catch (error) {
      await runner.release();
      const failure = fromDatabase(error);
      if (attempt === 3 || failure.kind !== 'unavailable' || isNoAnswer(failure.cause)) throw error;
    }
  }
}

async function commit(runner: QueryRunner): Promise<void> {
  try {
    await runner.commitTransaction();
  } catch (cause) {
    if (sqlstateOf(cause) !== undefined) throw cause;
    throw new SluiceError(
      'unavailable',
      'the database connection broke while the change was committed: read the state to see whether it was made',
      { cause },
    );
  }
}

async function retried<T>(options: TransactionOptions, run: () => Promise<T>): Promise<T> {
  const attempts = options.attempts ?? 5;
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      const again = retryable.has(sqlstateOf(causeOf(error)) ?? '') && attempt < attempts;
      if (!again) throw fromDatabase(error);
      const ceiling = (options.baseDelayMs ?? 10) * 2 ** (attempt - 1);
      await wait(options.clock, ceiling * (0.5 + options.random.uniform() / 2));
    }
  }
}

/** A store may have turned the driver's error into a SluiceError already. */
function causeOf(error: unknown): unknown {
  return error instanceof SluiceError ? error.cause : error;
}

async function wait(clock: Clock, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    clock.schedule(ms, resolve);
  });
}
