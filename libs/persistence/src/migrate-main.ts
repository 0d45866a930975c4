import { databaseAddress } from '@sluice/service-kit/addresses';
import { field } from '@sluice/service-kit/config';
import { createLogger } from '@sluice/service-kit/logger';
import { configOrExit } from '@sluice/service-kit/main-config';
import { describeUrl } from './data-source.ts';
import { migrateSchema } from './migrate-schema.ts';
import type { Say, ServiceSchema } from './migrate-schema.ts';

const specOf = (role: string) => ({
  ownerDatabaseUrl: field(databaseAddress, {
    doc: 'Database address with the role that owns the schema; only migrate uses it',
    secret: true,
    flag: false,
  }),
  databaseUrl: field(databaseAddress, {
    doc: `Database address of the service, role ${role}; the role is made with this password`,
    secret: true,
    flag: false,
  }),
});

/**
 * The `migrate` entry of a service: reads its settings, migrates, and ends with status 0 when the schema is up to date.
 *
 * @param program the process of that entry, with its environment and arguments
 */
export async function migrateMain(service: ServiceSchema, program: NodeJS.Process): Promise<void> {
  const config = configOrExit(
    'migrate',
    specOf(service.role),
    { env: program.env, argv: program.argv.slice(2) },
    {
      out: (text) => program.stdout.write(text),
      error: (text) => program.stderr.write(text),
      exit: (code) => program.exit(code),
    },
  );
  const logger = createLogger({ service: `${service.schema}-migrate`, instance: String(program.pid) });
  if (program.send !== undefined) {
    // Whoever started it is gone and stops the database: a migration under way is rolled back, and the next start runs it.
    const abandon = (): void => {
      logger.error('the channel to the supervisor closed');
      program.exit(1);
    };
    program.on('disconnect', abandon);
    if (!program.connected) abandon();
    // The channel is for its end alone; it must not keep us running.
    program.channel?.unref();
  }
  const { ownerDatabaseUrl: ownerUrl, databaseUrl: serviceUrl } = config;
  try {
    const onApplied = (id: string): void => logger.info({ migration: id }, 'migration applied');
    const say: Say = (message, about) => logger.info(about, message);
    const applied = await migrateSchema(service, { ownerUrl, serviceUrl, onApplied, say });
    logger.info({ applied: applied.length, database: describeUrl(ownerUrl) }, 'schema is up to date');
  } catch (err) {
    logger.fatal({ err }, 'migration failed');
    program.exitCode = 1;
  }
}
