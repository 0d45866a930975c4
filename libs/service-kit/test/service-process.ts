import { writeSync } from 'node:fs';
import { systemClock } from '../src/clock.ts';
import { createLogger } from '../src/logger.ts';
import { runService } from '../src/service.ts';

// A service for process.test.ts. Its first argument says what is in flight when it is told to stop: "idle", "slow" (ends
// by itself when it is told to) or "stuck" (never ends).
const kind = process.argv[2];
const logger = createLogger({ service: 'probe', instance: 'probe-1' });
const code = await runService({
  name: 'probe',
  logger,
  clock: systemClock,
  drainMs: kind === 'stuck' ? 60_000 : 200,
  start: async () => ({
    ports: { port: 1 },
    stopAccepting: async () => undefined,
    finish: async (signal) => {
      if (kind === 'idle') return;
      await new Promise<void>((resolve) => {
        if (kind === 'slow') signal.addEventListener('abort', () => resolve());
      });
    },
    close: async () => void writeSync(1, '"closed"\n'),
    busy: () => (kind === 'idle' ? [] : ['one request']),
  }),
});
process.exit(code);
