import { once } from 'node:events';
import { startPostgres } from '@sluice/testkit/postgres';
import { migrateOne } from './migrated-database.ts';

// The Postgres of a whole run: says where it is, and goes when its standard input ends, as it does when the run is killed.
const postgres = await startPostgres();
const template = await migrateOne(postgres);
console.log(JSON.stringify({ ownerUrl: postgres.ownerUrl(), template }));
process.stdin.resume();
await once(process.stdin, 'end');
await postgres.stop();
process.exit();
