import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { warnIfExposed } from '@sluice/service-kit/common-config';
import { createLogger } from '@sluice/service-kit/logger';
import { configOrExit } from '@sluice/service-kit/main-config';
import { runService } from '@sluice/service-kit/service';
import { compose } from './compose.ts';
import { configSpec } from './config.ts';

const name = 'router';
const config = configOrExit(
  name,
  configSpec,
  { env: process.env, argv: process.argv.slice(2) },
  {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
    exit: (code) => process.exit(code),
  },
);
const logger = createLogger({ service: name, instance: config.instanceId, level: config.logLevel });
warnIfExposed(logger, config);
try {
  const start = () => compose(config, { clock: systemClock, random: systemRandom, logger });
  process.exitCode = await runService({ name, logger, clock: systemClock, drainMs: config.drainMs, start });
} catch (error) {
  logger.fatal({ err: error }, 'could not start');
  process.exitCode = 1;
}
process.exit();
