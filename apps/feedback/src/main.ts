import { readFileSync } from 'node:fs';
import { createLogger } from '@sluice/service-kit/logger';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { configOrExit } from '@sluice/service-kit/main-config';
import { runService } from '@sluice/service-kit/service';
import { startFeedback } from './compose.ts';
import { configSpec } from './config.ts';

const config = configOrExit(
  'feedback',
  configSpec,
  { env: process.env, argv: process.argv.slice(2) },
  {
    out: (text) => process.stdout.write(text),
    error: (text) => process.stderr.write(text),
    exit: (code) => process.exit(code),
  },
);
const logger = createLogger({ service: 'feedback', instance: config.instanceId, level: config.logLevel });
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
try {
  process.exitCode = await runService({
    name: 'feedback',
    logger,
    clock: systemClock,
    drainMs: config.drainMs,
    start: () => startFeedback({ config, logger, clock: systemClock, random: systemRandom, version }),
  });
} catch (err) {
  logger.fatal({ err }, 'feedback could not start');
  process.exitCode = 1;
}
