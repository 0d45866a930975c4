import pg from 'pg';
import { DataSource, type EntitySchema } from 'typeorm';
import { invalidArgument, SluiceError } from '@sluice/domain/errors';
import { fromDatabase } from './sqlstate.ts';
import { TimedClient } from './timed-client.ts';

export interface DataSourceSettings {
  /** Address of the database, as in `postgres://role:password@host:port/database`. */
  readonly url: string;
  /** The one schema that the service owns; it is the whole search path. */
  readonly schema: string;
  /** Shown in `pg_stat_activity`: service and instance. */
  readonly applicationName: string;
  /** Most connections of the pool. Default 10. */
  readonly poolSize?: number;
  /** A statement that runs longer is cancelled, in milliseconds; 0 means never. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /**
   * A server that has not answered a statement for this long counts as gone, and the connection is given up, in
   * milliseconds; 0 means never. Must be longer than `statementTimeoutMs`. Default: a second longer, or never.
   */
  readonly queryTimeoutMs?: number;
  /** A connection attempt or a wait for a free connection that lasts longer fails, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /**
   * A transaction that is idle for longer is ended by the server, in milliseconds: a replica that was stopped or cut
   * off must not keep the audit lock. Default 15,000.
   */
  readonly idleInTransactionTimeoutMs?: number;
  /** Settings of each connection, such as `plan_cache_mode`. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly entities?: readonly EntitySchema[];
  /** Told when an idle connection breaks; the pool replaces it by itself. */
  readonly onPoolError?: (error: Error) => void;
}

/**
 * Connects a pool and returns it as a TypeORM DataSource. 64-bit integers come back as numbers (an unsafe one throws),
 * timestamps as Date. Errors: `invalid-argument` for an address that is none, `unavailable` when nobody answers.
 */
export async function createDataSource(settings: DataSourceSettings): Promise<DataSource> {
  const statementTimeoutMs = settings.statementTimeoutMs ?? 30_000;
  const dataSource = new DataSource({
    type: 'postgres',
    driver: pg,
    url: checkedUrl(settings.url),
    schema: settings.schema,
    entities: [...(settings.entities ?? [])],
    applicationName: settings.applicationName,
    poolSize: settings.poolSize ?? 10,
    connectTimeoutMS: settings.connectTimeoutMs ?? 5000,
    // Extensions are the owner's business, and so is the schema.
    installExtensions: false,
    synchronize: false,
    migrationsRun: false,
    logging: false,
    poolErrorHandler: settings.onPoolError ?? (() => undefined),
    extra: {
      options: Object.entries({ search_path: settings.schema, ...settings.parameters })
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(' '),
      statement_timeout: statementTimeoutMs,
      query_timeout: settings.queryTimeoutMs ?? (statementTimeoutMs === 0 ? 0 : statementTimeoutMs + 1_000),
      Client: TimedClient,
      idle_in_transaction_session_timeout: settings.idleInTransactionTimeoutMs ?? 15_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types: { getTypeParser },
    },
  });
  try {
    return await dataSource.initialize();
  } catch (error) {
    throw fromDatabase(error);
  }
}

/** Host and database of an address, without role and password: for logs. */
export function describeUrl(url: string): string {
  const { hostname, port, pathname } = new URL(checkedUrl(url));
  return `${hostname}:${port === '' ? '5432' : port}${pathname}`;
}

function checkedUrl(url: string): string {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw invalidArgument(
      'the database address must look like postgres://role:password@host:port/database (it is not shown here: it may hold a password)',
    );
  return url;
}

type TypeId = Parameters<typeof pg.types.getTypeParser>[0];

function getTypeParser(oid: TypeId, format?: 'text' | 'binary'): unknown {
  if (oid === pg.types.builtins.INT8 && format !== 'binary') return parseInt8;
  return pg.types.getTypeParser(oid, format ?? 'text');
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new SluiceError('internal', `a 64-bit integer column holds ${text}, which is beyond 2^53`);
  return value;
}
