import { afterAll, beforeAll, describe } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { startPostgres } from '@sluice/testkit/postgres';
import { brokenTextsSuite } from './suites/broken-texts.ts';
import { daysSuite } from './suites/days.ts';
import { deadLettersSuite } from './suites/dead-letters.ts';
import { diskSuite } from './suites/disk.ts';
import { erasedTextsSuite } from './suites/erased-texts.ts';
import { exportSuite } from './suites/export.ts';
import { followRealRestoreSuite } from './suites/follow-real-restore.ts';
import { followRestoreSuite } from './suites/follow-restore.ts';
import { followSuite } from './suites/follow.ts';
import { feedbackItemsSuite } from './suites/feedback-items.ts';
import { ingestSuite } from './suites/ingest.ts';
import { interleavedSuite } from './suites/interleaved.ts';
import { joinerSuite } from './suites/joiner.ts';
import { labelsSuite } from './suites/labels.ts';
import { portsSuite } from './suites/ports.ts';
import { queryBoundsSuite } from './suites/query-bounds.ts';
import { predictionListsSuite } from './suites/prediction-lists.ts';
import { predictionsSuite } from './suites/predictions.ts';
import { statisticsSuite } from './suites/statistics.ts';
import { plainPayloadsSuite } from './suites/plain-payloads.ts';
import { payloadsSuite } from './suites/payloads.ts';
import { privacySuite } from './suites/privacy.ts';
import { putBackSuite } from './suites/put-back.ts';
import { streamsSuite } from './suites/streams.ts';

// One cluster for all: starting another takes longer than most of the tests.
let postgres: TestPostgres;
const cluster = (): TestPostgres => postgres;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const suites = [
  ...[ingestSuite, deadLettersSuite, streamsSuite, daysSuite, portsSuite],
  ...[labelsSuite, joinerSuite, interleavedSuite, feedbackItemsSuite, brokenTextsSuite],
  ...[predictionsSuite, predictionListsSuite, statisticsSuite, queryBoundsSuite],
  ...[followSuite, followRestoreSuite, followRealRestoreSuite, diskSuite],
  ...[plainPayloadsSuite, payloadsSuite, privacySuite, erasedTextsSuite, putBackSuite, exportSuite],
];
for (const suite of suites)
  // Each opens and closes what is its own around its own tests.
  describe(suite.name, () => suite(cluster));
