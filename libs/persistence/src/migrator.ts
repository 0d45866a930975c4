import { createHash } from 'node:crypto';
import type { DataSource, QueryRunner } from 'typeorm';
import { failedPrecondition, SluiceError, unavailable } from '@sluice/domain/errors';
import { fromDatabase, sqlstateOf } from './sqlstate.ts';
import { writer, type WriteTransaction } from './transaction.ts';

/** One step of a schema, forward only: never edited once it has run anywhere. */
export interface Migration {
  /** `<milliseconds since 1970>-<name>`; a list is in the order of these numbers. */
  readonly id: string;
  /** Run one after the other in one transaction. */
  readonly statements: readonly string[];
  /** For one that takes from rows what nobody is to read any more. */
  readonly erases?: Erases;
}

/** What a migration takes from rows that are there; its statements `UPDATE <table> ...` do. */
export interface Erases {
  /** With their schema. They are vacuumed afterwards if there was anything, so that other rows overwrite it. */
  readonly tables: readonly string[];
  /** Said if there was anything. */
  readonly text: string;
}

export interface MigrateOptions {
  readonly schema: string;
  /** Number of the advisory lock that migrators of this schema take. */
  readonly lockId: number;
  /** How long to wait for another migrator, in milliseconds. Default 300,000. */
  readonly lockTimeoutMs?: number;
  /** Runs under the lock before the migrations, in a transaction of its own: makes the schema and roles. */
  readonly prepare?: (tx: WriteTransaction) => Promise<void>;
  /** Runs in that transaction once `<schema>.migration` is there: grants the service role to read it. */
  readonly afterTable?: (tx: WriteTransaction) => Promise<void>;
  /** Runs under the lock when all migrations are there, each time, in a transaction of its own. */
  readonly afterwards?: (tx: WriteTransaction) => Promise<void>;
  /** Told after each migration that this call has committed. */
  readonly onApplied?: (id: string) => void;
  /** Told what migrations took from rows, and of how many. */
  readonly onErased?: (text: string, id: string, rows: number) => void;
}

interface Applied {
  readonly id: string;
  readonly checksum: string;
}

/**
 * Brings a schema up to the last of `migrations` and returns the ids that this call applied. Lock and migrations share
 * one connection: if this process is killed, the server keeps the lock until it has dropped that connection, running
 * statement included, so no second migrator starts beside it. Each migration is one transaction.
 *
 * Errors: `failed-precondition` when the database holds migrations that differ from the list, `unavailable` when
 * another migrator did not finish in time.
 */
export async function migrate(
  dataSource: DataSource,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<string[]> {
  assertOrdered(migrations);
  const runner = dataSource.createQueryRunner();
  try {
    await runner.connect();
    await lock(runner, options);
    try {
      return await applyPending(runner, migrations, options);
    } finally {
      // A connection that is broken has lost the lock with it.
      await runner.query('SELECT pg_advisory_unlock($1)', [options.lockId]).catch(() => undefined);
      await runner.query('RESET ALL').catch(() => undefined);
    }
  } catch (error) {
    throw fromDatabase(error);
  } finally {
    await runner.release();
  }
}

/**
 * For a service at its start: checks that the database has at least the migrations that this build knows. A database
 * that is ahead is fine, since migrations only add what older builds can live with; the number of such extra
 * migrations is returned. Errors: `failed-precondition` when some are missing or differ.
 */
export async function verifyVersion(
  dataSource: DataSource,
  migrations: readonly Migration[],
  schema: string,
): Promise<number> {
  assertOrdered(migrations);
  const runner = dataSource.createQueryRunner();
  try {
    const applied = await readApplied(runner, schema);
    assertPrefix(applied, migrations);
    const missing = migrations[applied.length];
    if (missing)
      throw failedPrecondition(`schema ${schema} of the database lacks migration ${missing.id}: run migrate first`);
    return applied.length - migrations.length;
  } catch (error) {
    throw missingTable(error)
      ? failedPrecondition(`the database has no schema ${schema} with migrations: run migrate first`)
      : fromDatabase(error);
  } finally {
    await runner.release();
  }
}

/** SHA-256 over the statements of a migration, by which an edited one is found. */
export function checksumOf(migration: Migration): string {
  const hash = createHash('sha256');
  for (const statement of migration.statements) hash.update(`${Buffer.byteLength(statement)}:`).update(statement);
  return hash.digest('hex');
}

async function lock(runner: QueryRunner, options: MigrateOptions): Promise<void> {
  await runner.query(`SET statement_timeout = 0`);
  await runner.query(`SET lock_timeout = ${Math.trunc(options.lockTimeoutMs ?? 300_000)}`);
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [options.lockId]);
  } catch (error) {
    if (sqlstateOf(error) !== '55P03') throw error;
    throw unavailable('another migrator holds the lock and did not finish in time: look at what it waits for');
  }
  await runner.query('SET lock_timeout = 0');
}

async function applyPending(
  runner: QueryRunner,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<string[]> {
  const { schema } = options;
  await inTransaction(runner, async (tx) => {
    await options.prepare?.(tx);
    await tx.execute(`CREATE TABLE IF NOT EXISTS ${schema}.migration (
      position integer PRIMARY KEY,
      id text NOT NULL UNIQUE,
      checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
    await options.afterTable?.(tx);
  });
  const applied = await readApplied(runner, schema);
  assertPrefix(applied, migrations);
  const done: string[] = [];
  for (const [position, migration] of migrations.entries()) {
    if (position < applied.length) continue;
    let erased = 0;
    await inTransaction(runner, async (tx) => {
      for (const statement of migration.statements) {
        const rows = await tx.execute(statement);
        if (isErasing(migration, statement)) erased += rows;
      }
      await tx.execute(`INSERT INTO ${schema}.migration (position, id, checksum) VALUES ($1, $2, $3)`, [
        position,
        migration.id,
        checksumOf(migration),
      ]);
    }).catch((cause: unknown) => {
      throw migrationError(migration, cause);
    });
    done.push(migration.id);
    options.onApplied?.(migration.id);
    if (erased > 0) await vacuum(runner, migration, erased, options);
  }
  const { afterwards } = options;
  if (afterwards) await inTransaction(runner, afterwards);
  return done;
}

const isErasing = ({ erases }: Migration, statement: string): boolean =>
  erases?.tables.some((table) => statement.startsWith(`UPDATE ${table} `)) === true;

/** VACUUM takes no transaction. */
async function vacuum(runner: QueryRunner, { id, erases }: Migration, rows: number, { onErased }: MigrateOptions) {
  onErased?.(erases!.text, id, rows);
  await runner.query(`VACUUM ${erases!.tables.join(', ')}`);
}

async function inTransaction(runner: QueryRunner, fn: (tx: WriteTransaction) => Promise<void>): Promise<void> {
  await runner.startTransaction();
  try {
    await fn(writer(runner));
    await runner.commitTransaction();
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

async function readApplied(runner: QueryRunner, schema: string): Promise<Applied[]> {
  const result = await runner.query(`SELECT id, checksum FROM ${schema}.migration ORDER BY position`, [], true);
  return result.records as Applied[];
}

/** The shorter of the two lists must be the beginning of the longer one, checksums included. */
function assertPrefix(applied: readonly Applied[], migrations: readonly Migration[]): void {
  for (const [position, have] of applied.entries()) {
    const known = migrations[position];
    if (!known) return;
    if (known.id !== have.id)
      throw failedPrecondition(
        `the database ran migration ${have.id} where this build has ${known.id}: it belongs to another build`,
      );
    if (checksumOf(known) !== have.checksum)
      throw failedPrecondition(`migration ${known.id} was edited after it ran: undo the edit and add a new migration`);
  }
}

function assertOrdered(migrations: readonly Migration[]): void {
  let last = 0;
  for (const { id } of migrations) {
    const time = Number(/^(\d{13})-[a-z0-9-]+$/.exec(id)?.[1]);
    if (!(time > last))
      throw new SluiceError(
        'internal',
        `migration ${id} is out of order or not named <13 digits>-<name>: fix the list of migrations`,
      );
    last = time;
  }
}

function migrationError(migration: Migration, cause: unknown): SluiceError {
  const { kind } = fromDatabase(cause);
  const why = cause instanceof Error ? cause.message : String(cause);
  // Migrations hold no user's values, so the server's own words may be shown.
  return new SluiceError(kind, `migration ${migration.id} failed and was rolled back: ${why}`, { cause });
}

function missingTable(error: unknown): boolean {
  return ['42P01', '3F000'].includes(sqlstateOf(error) ?? '');
}
