import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { createDataSource, describeUrl } from '@sluice/persistence/data-source';
import { verifyVersion } from '@sluice/persistence/migrator';
import type { Logger } from '@sluice/service-kit/logger';
import type { DataSource } from 'typeorm';
import { migrations } from './migrations/index.ts';

export interface OpenDatabaseOptions {
  readonly url: string;
  readonly poolSize: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const againMs = 1_000;

/**
 * Connects the pool, waiting for a database that is away (services start in any order), and checks that the migrations
 * have run: `failed-precondition` when not.
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<DataSource> {
  const { url, poolSize, applicationName, clock, logger } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const dataSource = await createDataSource({
        url,
        schema: 'registry',
        applicationName,
        poolSize,
        connectTimeoutMs: 2_000,
        onPoolError: (err) => logger.debug({ err }, 'an idle database connection broke'),
      });
      await verifyVersion(dataSource, migrations, 'registry');
      return dataSource;
    } catch (err) {
      if (SluiceError.from(err).kind !== 'unavailable') throw err;
      if (attempt % 10 === 1) logger.warn({ err, database: describeUrl(url) }, 'waiting for the database');
    }
    await new Promise<void>((resolve) => clock.schedule(againMs, resolve));
  }
}
