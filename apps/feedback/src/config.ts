import { addresses, databaseAddress } from '@sluice/service-kit/addresses';
import { commonFields } from '@sluice/service-kit/common-config';
import type { Config } from '@sluice/service-kit/config';
import { field, integerField } from '@sluice/service-kit/config';
import { absolutePath, anyText, pathsOrNone } from '@sluice/service-kit/paths';

const days = (name: string, fallback: number) =>
  integerField({ min: 1, max: 36_500 }, { doc: `Days that evidence of class ${name} is kept`, default: fallback });

const mib = 1024 ** 2;

/** Every setting of feedback; the README's table is made of it. */
export const configSpec = {
  ...commonFields('feedback', { port: 8111, metricsPort: 8112, adminPort: 8113 }),
  databaseUrl: field(databaseAddress, {
    doc: 'Database address with the service role, which owns no table',
    secret: true,
    flag: false,
  }),
  databasePoolSize: integerField(
    { min: 2, max: 200 },
    { doc: 'Most connections to the database for calls and upkeep', default: 10 },
  ),
  queryPoolSize: integerField(
    { min: 1, max: 200 },
    { doc: 'Most connections to the database for lists and statistics', default: 4 },
  ),
  queryTimeoutMs: integerField(
    { min: 100, max: 600_000 },
    { doc: 'Milliseconds that a list or statistics may take in the database', default: 10_000 },
  ),
  registry: field(addresses, {
    doc: 'Addresses of registries, host:port with commas between; asked for versions and models',
    default: '127.0.0.1:8101',
  }),
  feedbackKeyFile: field(anyText, {
    doc: 'File of the key that wraps the keys of subjects, 64 hex digits; empty when it comes from the environment',
    default: '',
  }),
  feedbackKey: field(anyText, {
    doc: 'The same key itself, 64 hex digits; empty when it comes from a file',
    default: '',
    secret: true,
    flag: false,
  }),
  feedbackFormerKeyFiles: field(pathsOrNone, {
    doc: 'Files of other keys that may have wrapped what is in the database, with commas between',
    default: '',
  }),
  artifactDir: field(absolutePath, {
    doc: 'Folder of the artifact store, where erasures are written too; all replicas must see the same one',
  }),
  retentionDaysShort: days('short', 7),
  retentionDaysStandard: days('standard', 90),
  retentionDaysLong: days('long', 730),
  unreadableDays: integerField(
    { min: 1, max: 36_500 },
    { doc: 'Days that dead letters are kept that cannot be read, and may have payloads of anybody', default: 30 },
  ),
  deadLetterDays: integerField(
    { min: 1, max: 36_500 },
    { doc: 'Days that a dead letter is kept after it failed last', default: 90 },
  ),
  upkeepMs: integerField(
    { min: 100, max: 3_600_000 },
    { doc: 'Milliseconds between rounds that make days ahead and drop expired ones', default: 60_000 },
  ),
  maxStreams: integerField({ min: 1, max: 100_000 }, { doc: 'Most streams of evidence at once', default: 256 }),
  windowBytes: integerField(
    { min: 1024, max: 1024 * mib },
    { doc: 'Bytes that one stream may have sent and not yet stored; one block may be larger', default: 8 * mib },
  ),
  heldBytes: integerField(
    { min: 1024, max: 16 * 1024 * mib },
    { doc: 'Bytes of blocks of all streams that are held at once', default: 64 * mib },
  ),
  maxSubscribers: integerField({ min: 0, max: 10_000 }, { doc: 'Most subscribers at once', default: 64 }),
  maxExports: integerField({ min: 0, max: 200 }, { doc: 'Most exports at once', default: 2 }),
  followPollMs: integerField(
    { min: 10, max: 60_000 },
    { doc: 'Milliseconds between looks for new rows while somebody subscribes', default: 200 },
  ),
  ingestWriters: integerField(
    { min: 1, max: 64 },
    { doc: 'Batches that are stored at once, each over a connection of its own', default: 2 },
  ),
  batchRows: integerField({ min: 1, max: 1_000_000 }, { doc: 'Records after which a batch is full', default: 3_000 }),
  batchBytes: integerField(
    { min: 1, max: 1024 * mib },
    { doc: 'Bytes of blocks after which a batch is full', default: 4 * mib },
  ),
  labelWaitDays: integerField(
    { min: 1, max: 36_500 },
    { doc: 'Days that a label or feedback waits for its prediction', default: 7 },
  ),
  labelRequestDays: integerField(
    { min: 1, max: 36_500 },
    { doc: "Days back that the prediction of a caller's request id is looked for", default: 30 },
  ),
  joinMs: integerField(
    { min: 10, max: 3_600_000 },
    { doc: 'Milliseconds between rounds that join what waits to new evidence', default: 500 },
  ),
  labelWriters: integerField(
    { min: 1, max: 64 },
    { doc: 'Batches of labels and feedback that are stored at once, each over a connection of its own', default: 4 },
  ),
};

export type FeedbackConfig = Config<typeof configSpec>;
