import { afterAll, beforeAll, describe } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { startPostgres } from '@sluice/testkit/postgres';
import { daysSuite } from './suites/days.ts';
import { deadLettersSuite } from './suites/dead-letters.ts';
import { diskSuite } from './suites/disk.ts';
import { followRestoreSuite } from './suites/follow-restore.ts';
import { followSuite } from './suites/follow.ts';
import { ingestSuite } from './suites/ingest.ts';
import { portsSuite } from './suites/ports.ts';
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
  ...[followSuite, followRestoreSuite, diskSuite],
];
for (const suite of suites)
  // Each opens and closes what is its own around its own tests.
  describe(suite.name, () => suite(cluster));
