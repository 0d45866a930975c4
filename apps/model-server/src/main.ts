import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { warnIfExposed } from '@sluice/service-kit/common-config';
import { createLogger } from '@sluice/service-kit/logger';
import { configOrExit } from '@sluice/service-kit/main-config';
import { runService } from '@sluice/service-kit/service';
import { compose, type ModelServer } from './compose.ts';
import { configSpec } from './config.ts';
import { endProcess } from './end-process.ts';

const name = 'model-server';
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
  let server: ModelServer | undefined;
  const outside = { clock: systemClock, random: systemRandom, logger, endProcess };
  const start = async () => (server = await compose(config, outside));
  process.exitCode = await runService({ name, logger, clock: systemClock, drainMs: config.drainMs, start });
  // An exit waits for threads, and a thread for the native run that it is in: that may be for ever.
  if (isStuck(server)) endProcess();
} catch (error) {
  logger.fatal({ err: error }, 'could not start');
  process.exitCode = 1;
}
process.exit();

function isStuck(server: ModelServer | undefined): boolean {
  return server?.stuck() ?? false;
}
