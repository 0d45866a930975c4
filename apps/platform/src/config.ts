import { booleanField, field, integerField } from '@sluice/service-kit/config';
import type { Config } from '@sluice/service-kit/config';
import { tlsFields } from '@sluice/service-kit/tls/tls-fields';
import { logLevels } from '@sluice/service-kit/logger';
import { transports } from '@sluice/rpc/transport/transport';
import { z } from 'zod';

export const settings = {
  home: field(z.string().min(1, 'expected a folder'), {
    doc: 'Folder of data, logs and secrets, made when it is missing',
    default: '.sluice',
  }),
  portOffset: integerField(
    { min: 0, max: 57_000 },
    { doc: 'Added to every port, for a second platform on one machine', default: 0 },
  ),
  runtimes: integerField({ min: 1, max: 8 }, { doc: 'Model-servers to run', default: 2 }),
  threads: integerField(
    { min: 0, max: 256 },
    { doc: 'Threads that each model-server may use for inference; 0 shares the cores among them', default: 0 },
  ),
  transport: field(z.enum(transports), {
    doc: `gRPC stack of the ports that carry inference: ${transports.join(' or ')}`,
    default: 'wire',
  }),
  ...tlsFields(),
  examples: booleanField({ doc: 'Push the example models that are not there yet', default: true }),
  logLevel: field(z.enum(logLevels), {
    doc: `Least severe lines of the services: ${logLevels.join(', ')}`,
    default: 'info',
  }),
  logFileMegabytes: integerField({ min: 1, max: 10_000 }, { doc: 'A log file is rotated at this size', default: 20 }),
  logFiles: integerField(
    { min: 1, max: 1000 },
    { doc: 'Rotated log files kept per service; one is rotated every day at the latest', default: 7 },
  ),
  drainMs: integerField(
    { min: 0, max: 3_600_000 },
    { doc: 'Milliseconds that each service gets to finish requests at a stop', default: 5000 },
  ),
};

export type PlatformConfig = Config<typeof settings>;
