import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';
import type { DataSource } from 'typeorm';
import { createDataSource, describeUrl } from './data-source.ts';
import type { Migration } from './migrator.ts';
import { verifyVersion } from './migrator.ts';
import { isRefusedLogin } from './sqlstate.ts';

export interface OpenDatabaseOptions {
  readonly url: string;
  /** The one schema that the service owns. */
  readonly schema: string;
  /** Those that this build needs. */
  readonly migrations: readonly Migration[];
  readonly poolSize: number;
  /** A statement that runs longer is cancelled, in milliseconds; a second later the server counts as gone. */
  readonly statementTimeoutMs: number;
  /** Settings of each connection. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'debug' | 'warn'>;
}

const againMs = 1_000;

/** Calls `fn` until the database is not away any more: services start in any order. Other failures are thrown. */
export async function whenAvailable<T>(
  { clock, logger }: Pick<OpenDatabaseOptions, 'clock' | 'logger'>,
  fn: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await fn();
    } catch (err) {
      if (SluiceError.from(err).kind !== 'unavailable') throw err;
      if (attempt % 10 === 0) logOutage(logger, err, 'waiting for the database');
    }
    await new Promise<void>((resolve) => clock.schedule(againMs, resolve));
  }
}

/**
 * Connects the pool of a service, as soon as the database is there, and checks that its migrations have run.
 *
 * @throws SluiceError failed-precondition when they have not, or when the database refuses the credentials
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<DataSource> {
  const { url, schema, migrations, poolSize, statementTimeoutMs, applicationName, parameters, logger } = options;
  logger.debug({ database: describeUrl(url) }, 'connecting');
  return whenAvailable(options, async () => {
    const dataSource = await createDataSource({
      ...{ url, schema, applicationName, poolSize, statementTimeoutMs, connectTimeoutMs: 2_000 },
      ...(parameters !== undefined && { parameters }),
      onPoolError: (err) => logger.debug({ err }, 'an idle database connection broke'),
    }).catch((error: unknown) => {
      const { cause, message } = SluiceError.from(error);
      if (!isRefusedLogin(cause)) throw error;
      throw new SluiceError('failed-precondition', `${describeUrl(url)}: ${message}`, { cause });
    });
    try {
      await verifyVersion(dataSource, migrations, schema);
      return dataSource;
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
  });
}
