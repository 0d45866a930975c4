import { isAbsolute } from 'node:path';
import { addresses } from '@sluice/service-kit/addresses';
import { commonFields } from '@sluice/service-kit/common-config';
import { field, integerField, type Config } from '@sluice/service-kit/config';
import { compressions, transports } from '@sluice/rpc/transport/transport';
import { z } from 'zod';
import { isDeviceSetting } from './runtime/devices.ts';

const mostDevices = 64;
const devices = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine(
    (names) => names.every(isDeviceSetting) && (names.length === 1 || !names.includes('auto')),
    'expected auto, or of cpu, cuda, cuda:<number> and webgpu one or several joined by commas',
  )
  .refine((names) => names.length <= mostDevices, `expected at most ${mostDevices}`);

/** Every setting of the model server; the README's table is made of it. */
export const configSpec = {
  ...commonFields('model-server', { port: 8011, metricsPort: 8012, adminPort: 8013 }),
  registry: field(addresses, {
    doc: 'Addresses of the registry, host:port joined by commas; they are tried in turn',
    default: '127.0.0.1:8101',
  }),
  answerCompression: field(z.enum(compressions), {
    doc: `How answers of a kilobyte and more are compressed for callers that take it: ${compressions.join(', ')}; on wire only`,
    default: 'none',
  }),
  transport: field(z.enum(transports), {
    doc: `gRPC stack of the public port: ${transports.join(' or ')}; both serve the same`,
    default: 'wire',
  }),
  pool: field(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected up to 63 of a-z, 0-9, ".", "_", "-"'), {
    doc: 'Pool of runtimes that this one belongs to; placement is per pool',
    default: 'default',
  }),
  stateDir: field(z.string().refine(isAbsolute, 'expected an absolute path'), {
    doc: 'Folder of the artifact cache and of the last placement; one per runtime',
  }),
  threads: integerField(
    { min: 0, max: 1024 },
    { doc: 'Cores that the sessions of one version may use; 0 means all that the process may', default: 0 },
  ),
  devices: field(devices, {
    doc: 'Devices that this runtime offers, such as cpu,cuda:0,cuda:1; auto means all that are there',
    default: 'cpu',
  }),
  advertise: field(z.string().regex(/^$|^(?:\[[0-9a-fA-F:]+\]|[^\s:,]+)(?::\d{1,5})?$/, 'expected host or host:port'), {
    doc: 'How routers reach the public port: host or host:port; empty means the address that it binds',
    default: '',
  }),
  leaseTtlMs: integerField(
    { min: 300, max: 600_000 },
    { doc: 'Time to live of the lease at the registry, in milliseconds; renewed every third of it', default: 3_000 },
  ),
  maxQueuedBytes: integerField(
    { min: 1_048_576 },
    {
      doc: 'Bytes of requests held at once, waiting or running, 8 KiB for each beside its message; more are refused',
      default: 268_435_456,
    },
  ),
  maxStreamRequests: integerField(
    { min: 1, max: 65_536 },
    {
      doc: 'Inferences of one stream that are worked on, or answered and not read, before it is not read further',
      default: 256,
    },
  ),
  runTimeoutMs: integerField(
    { min: 0, max: 86_400_000 },
    {
      doc: 'Milliseconds after which a batch that has not ended is held to hang, which ends the process; 0 never',
      default: 60_000,
    },
  ),
  loadTimeoutMs: integerField(
    { min: 0, max: 86_400_000 },
    {
      doc: 'The same for making a session of a version, and for each batch of its warm-up; 0 never',
      default: 600_000,
    },
  ),
  hangDrainMs: integerField(
    { min: 0, max: 600_000 },
    {
      doc: 'Milliseconds that requests of other versions get to finish before a hang ends the process',
      default: 5_000,
    },
  ),
  lastEnd: field(z.string().max(200), {
    doc: 'How this runtime ended last, if its supervisor knows: "signal SIGKILL" is held against no version',
    default: '',
  }),
  memoryBudgetBytes: integerField(
    { min: 0 },
    {
      doc: 'Memory that versions may hold together, in bytes; pinned ones give way when it is short; 0 means 80 % of what the process may',
      default: 0,
    },
  ),
  evictionDrainMs: integerField(
    { min: 0, max: 600_000 },
    {
      doc: 'Milliseconds that the sequences of a version get to end when it has to make room for others',
      default: 30_000,
    },
  ),
  demandIdleMs: integerField(
    { min: 1_000, max: 86_400_000 },
    { doc: 'Milliseconds after which a version that is not placed goes when nobody asks for it', default: 600_000 },
  ),
};

export type ModelServerConfig = Config<typeof configSpec>;
