import { z } from 'zod';
import { describeUrl } from '@sluice/persistence/data-source';
import { field } from '@sluice/service-kit/config';
import { createLogger } from '@sluice/service-kit/logger';
import { configOrExit } from '@sluice/service-kit/main-config';
import { migrateFeedback } from './store/migrate-feedback.ts';

const address = z.string().regex(/^postgres(ql)?:\/\//, 'expected postgres://role:password@host:port/database');

const spec = {
  ownerDatabaseUrl: field(address, {
    doc: 'Database address with the role that owns the schema; only migrate uses it',
    secret: true,
    flag: false,
  }),
  databaseUrl: field(address, {
    doc: 'Database address of the service, role sluice_feedback; the role is made with this password',
    secret: true,
    flag: false,
  }),
};

const config = configOrExit(
  'migrate',
  spec,
  { env: process.env, argv: process.argv.slice(2) },
  {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
    exit: (code) => process.exit(code),
  },
);
const logger = createLogger({ service: 'feedback-migrate', instance: String(process.pid) });
if (process.send !== undefined) {
  // Whoever started it is gone and stops the database: a migration under way is rolled back, and the next start runs it.
  const abandon = (): void => {
    logger.error('the channel to the supervisor closed');
    process.exit(1);
  };
  process.on('disconnect', abandon);
  if (!process.connected) abandon();
  // The channel is for its end alone; it must not keep us running.
  process.channel?.unref();
}
try {
  const applied = await migrateFeedback({
    ownerUrl: config.ownerDatabaseUrl,
    serviceUrl: config.databaseUrl,
    onApplied: (id) => logger.info({ migration: id }, 'migration applied'),
  });
  logger.info({ applied: applied.length, database: describeUrl(config.ownerDatabaseUrl) }, 'schema is up to date');
} catch (err) {
  logger.fatal({ err }, 'migration failed');
  process.exitCode = 1;
}
