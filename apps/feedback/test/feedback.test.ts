import { afterAll, beforeAll, describe } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { startPostgres } from '@sluice/testkit/postgres';
import { daysSuite } from './suites/days.ts';
import { deadLettersSuite } from './suites/dead-letters.ts';
import { feedbackItemsSuite } from './suites/feedback-items.ts';
import { ingestSuite } from './suites/ingest.ts';
import { joinerSuite } from './suites/joiner.ts';
import { labelsSuite } from './suites/labels.ts';
import { portsSuite } from './suites/ports.ts';
import { predictionListsSuite } from './suites/prediction-lists.ts';
import { predictionsSuite } from './suites/predictions.ts';
import { statisticsSuite } from './suites/statistics.ts';
import { streamsSuite } from './suites/streams.ts';

// One cluster for all: starting another takes longer than most of the tests.
let postgres: TestPostgres;
const cluster = (): TestPostgres => postgres;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

for (const suite of [
  ingestSuite,
  deadLettersSuite,
  streamsSuite,
  daysSuite,
  labelsSuite,
  joinerSuite,
  feedbackItemsSuite,
  portsSuite,
  predictionsSuite,
  predictionListsSuite,
  statisticsSuite,
])
  // Each opens and closes what is its own around its own tests.
  describe(suite.name, () => suite(cluster));
