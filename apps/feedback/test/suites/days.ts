import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '@sluice/persistence/data-source';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { dayOf, daysAhead } from '../../src/evidence/days.ts';
import { DayStore } from '../../src/store/day-store.ts';
import { migrateFeedback } from '../../src/store/migrate-feedback.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { blockOfIds, idAt, someIds } from '../evidence.ts';
import { deliver, deliverSurely, Site } from '../harness.ts';
import { captured, Labelling, name, words } from '../labelling.ts';
import { scores } from '../task-registry.ts';

/** Partitions, roles and migrations. @param cluster the Postgres, on which it gets a database of its own */
export function daysSuite(cluster: () => TestPostgres): void {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open(cluster());
  });
  afterAll(() => site.close());

  const dayMs = 86_400_000;
  const partition = (name: string, ms: number): string => `evidence_${name}_${dayOf(ms).replaceAll('-', '')}`;

  async function partitions(): Promise<string[]> {
    const rows = await site.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhrelid::regclass::text ~ 'evidence_.*_\\d{8}$'
     ORDER BY 1`,
    );
    return rows.map(({ name }) => name.replace('feedback.', '')).filter((name) => !name.includes('_pkey'));
  }

  describe('days of evidence', () => {
    it('are made ahead by a start, also by two at once', async () => {
      const replicas = await Promise.all([site.start(), site.start()]);
      const expected = ['long', 'short', 'standard'].flatMap((name) =>
        daysAhead(Date.now()).map((day) => `evidence_${name}_${day.replaceAll('-', '')}`),
      );
      expect(await partitions()).toEqual(expected.toSorted());
      await eventually(async () => expect((await replicas[0].adminState())['days']).toHaveLength(9));
      for (const replica of replicas) await replica.stop();
    });

    it('are made when a record of an earlier day comes, by two replicas at once, and hold what is of that day alone', async () => {
      const replicas = await Promise.all([site.start(), site.start()]);
      const midnight = Math.floor(Date.now() / dayMs) * dayMs;
      const ids = [-20 * dayMs, -20 * dayMs - 1, -30 * dayMs, -40 * dayMs, -50 * dayMs].map((ms) =>
        idAt(midnight + ms),
      );
      const blocks = ids.map((id) => blockOfIds([id]));
      const addresses = replicas.map(({ address }) => address);
      await Promise.all([
        deliverSurely([addresses[0]!], blocks, 'spool-1'),
        deliverSurely([addresses[1]!], blocks.toReversed(), 'spool-2'),
      ]);
      const rows = await site.query<{ name: string; id: string }>(
        `SELECT tableoid::regclass::text AS name, prediction_id AS id FROM feedback.evidence WHERE prediction_id = ANY ($1)`,
        [ids],
      );
      expect(rows.map(({ name }) => name.replace('feedback.', '')).toSorted()).toEqual(
        [-20, -21, -30, -40, -50].map((days) => partition('standard', midnight + days * dayMs)).toSorted(),
      );
      for (const replica of replicas) await replica.stop();
    });

    it('do not hold up writers while they are made', async () => {
      const dataSource = await createDataSource({ url: site.serviceUrl, schema: 'feedback', applicationName: 'test' });
      const writer = await site.hold('LOCK TABLE feedback.evidence IN ROW EXCLUSIVE MODE');
      const made = await new DayStore(dataSource).ensure([
        { retentionClass: 'long', day: dayOf(Date.now() - 99 * dayMs) },
      ]);
      expect(made).toHaveLength(1);
      await writer.release();
      await dataSource.destroy();
    });

    it('are one per class in the plan of a look-up by id, and one where the class is known', async () => {
      const plan = async (where: string) => {
        const rows = await site.query<{ 'QUERY PLAN': string }>(
          `EXPLAIN SELECT * FROM feedback.evidence WHERE ${where}`,
        );
        return rows.flatMap((row) => /on (evidence_\w+_\d{8})/.exec(row['QUERY PLAN'])?.[1] ?? []);
      };
      expect((await partitions()).length).toBeGreaterThan(10);
      const now = Date.now();
      const byId = `prediction_id = '${idAt(now)}'`;
      const days = ['long', 'short', 'standard'].map((name) => partition(name, now));
      expect((await plan(byId)).toSorted()).toEqual(days);
      expect(await plan(`${byId} AND class = 'short'`)).toEqual([days[1]]);
      // A request id is looked for within days: its caller bounds prediction_id too.
      const since = `prediction_id >= feedback.day_bound('${dayOf(now)}') AND prediction_id < feedback.day_bound('${dayOf(now + dayMs)}')`;
      const byRequest = `class = 'short' AND model = 'digits' AND request_id = 'r' AND request_id <> '' AND ${since}`;
      expect(await plan(byRequest)).toEqual([days[1]]);
    });

    it('have a BRIN index on the time of arrival, which a range of times is found by, and no partition takes what is of no day', async () => {
      // With so few rows a look at all of them is cheaper.
      const client = new pg.Client({ connectionString: site.ownerUrl, options: '-c enable_seqscan=off' });
      await client.connect();
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT count(*) FROM feedback.evidence WHERE received_at BETWEEN now() - interval '5 min' AND now()`,
      );
      await client.end();
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      const used = [...plan.matchAll(/Bitmap Index Scan on (\w+)/g)].map(([, name]) => name!);
      expect(used.length).toBeGreaterThan(0);
      const indexes = await site.query<{ method: string }>(
        `SELECT DISTINCT am.amname AS method FROM pg_class AS c JOIN pg_am AS am ON am.oid = c.relam WHERE c.relname = ANY ($1)`,
        [used],
      );
      expect(indexes).toEqual([{ method: 'brin' }]);
      const without = await site.query(
        `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhrelid::regclass::text ~ 'evidence_.*_\\d{8}$'
           AND NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS am ON am.oid = c.relam
             WHERE i.indrelid = inhrelid AND am.amname = 'brin')`,
      );
      expect(without).toEqual([]);
      const tables = await site.query<{ parts: number; defaults: number }>(
        `SELECT count(*)::int AS parts, count(*) FILTER (WHERE partdefid <> 0)::int AS defaults FROM pg_partitioned_table`,
      );
      expect(tables[0]!.parts).toBeGreaterThan(11);
      expect(tables[0]!.defaults).toBe(0);
    });

    it('are dropped whole when they have expired, per class, by whichever replica, while others write', async () => {
      const now = Date.now();
      const kept = idAt(now - 2 * dayMs);
      const long = { context: { retentionClass: 'long' } };
      const short = { context: { retentionClass: 'short' } };
      const first = await site.start();
      const old = idAt(now - 6 * dayMs);
      // Of the day in which the retention of the others ends: not all of it has expired.
      const last = idAt(now - 3 * dayMs);
      await deliver(first.address, [blockOfIds([kept, old, last], short), blockOfIds([old], { ...long, attempt: 2 })]);
      expect(await partitions()).toContain(partition('short', now - 6 * dayMs));
      // A replica with another setting: from now on six days are too old.
      const settings = { SLUICE_RETENTION_DAYS_SHORT: '3', SLUICE_UPKEEP_MS: '100' };
      const others = await Promise.all([site.start(settings), site.start(settings)]);
      const ids = someIds(300);
      const writing = deliverSurely(
        [others[0].address, first.address],
        ids.map((id) => blockOfIds([id], short)),
      );
      await eventually(async () => expect(await partitions()).not.toContain(partition('short', now - 6 * dayMs)));
      await writing;
      expect(await partitions()).toContain(partition('short', now - 2 * dayMs));
      expect(await partitions()).toContain(partition('short', now - 3 * dayMs));
      expect(await partitions()).toContain(partition('long', now - 6 * dayMs));
      expect(await site.count([kept, ...ids])).toEqual({ rows: 301, predictions: 301 });
      expect(await site.query('SELECT attempt FROM feedback.evidence WHERE prediction_id = $1', [old])).toEqual([
        { attempt: 2 },
      ]);
      // The first still takes a record of that day for one in time, and finds its partition gone: it is made anew.
      for (const other of others) await other.stop();
      await deliver(first.address, [blockOfIds([old], short)], 'spool-2');
      expect(await site.count([old])).toEqual({ rows: 2, predictions: 1 });
      await first.stop();
    });

    it('take what was said of them along: labels, outcomes and feedback with its texts', async () => {
      const world = await Labelling.open(cluster());
      const now = Date.now();
      const [gone, left] = [idAt(now - 6 * dayMs), idAt(now - 6 * dayMs)];
      const answer = captured(scores([1, 0, 0]));
      await world.stored(
        { predictionId: gone, context: { retentionClass: 'short' }, ...answer },
        { predictionId: left, context: { retentionClass: 'long' }, ...answer },
      );
      const ids = [gone, left];
      const labels = ids.map((predictionId) => ({ predictionId, ...name('a') }));
      expect(await world.record(...labels)).toEqual(['joined', 'joined']);
      const items = ids.map((predictionId) => ({ predictionId, source: 'app', text: 'private' }));
      expect(words((await world.replica.labels.recordFeedback({ items })).answers)).toEqual(['joined', 'joined']);
      const tables = ['evidence', 'label', 'outcome', 'feedback_item'];
      const rows = async (id: string) => {
        const found = [];
        for (const table of tables) found.push((await world.site.count([id], table)).rows);
        return found;
      };
      expect([await rows(gone), await rows(left)]).toEqual([
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ]);
      const day = dayOf(now - 6 * dayMs).replaceAll('-', '');
      const ofDay = async () =>
        (
          await world.site.query<{ name: string }>(
            `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND right(relname, 8) = $1 ORDER BY relname`,
            [day],
          )
        ).map((row) => row.name);
      const days = (retentionClass: string) => tables.map((table) => `${table}_${retentionClass}_${day}`);
      expect(await ofDay()).toEqual([...days('long'), ...days('short')].toSorted());
      const settings = { SLUICE_RETENTION_DAYS_SHORT: '3', SLUICE_UPKEEP_MS: '100' };
      await world.site.start({ SLUICE_REGISTRY: world.registry.address, ...settings });
      await eventually(async () => expect(await ofDay()).toEqual(days('long').toSorted()));
      expect([await rows(gone), await rows(left)]).toEqual([
        [0, 0, 0, 0],
        [1, 1, 1, 1],
      ]);
      await world.close();
    });

    it('take what is skewed with them after the same time', async () => {
      const replica = await site.start({ SLUICE_UPKEEP_MS: '100' });
      const ids = [idAt(Date.now() - 3_000 * dayMs), idAt(Date.now() - 3_000 * dayMs)];
      await deliver(replica.address, [blockOfIds(ids, { context: { retentionClass: 'short' } })]);
      await site.query(
        `UPDATE feedback.evidence_skewed SET ingested_at = now() - interval '8 days' WHERE prediction_id = $1`,
        [ids[0]],
      );
      await eventually(async () =>
        expect(await site.count(ids, 'evidence_skewed')).toEqual({ rows: 1, predictions: 1 }),
      );
      await replica.stop();
    });
  });

  describe('the service’s role', () => {
    it('owns nothing, and can make and drop days and nothing else', async () => {
      const client = new pg.Client({ connectionString: site.serviceUrl });
      await client.connect();
      const refusal = async (sql: string): Promise<string> =>
        client.query(sql).then(
          () => 'it was allowed',
          (error: unknown) => (error as Error).message,
        );
      for (const sql of [
        'DROP TABLE feedback.evidence',
        `DROP TABLE feedback.${partition('short', Date.now())}`,
        'DELETE FROM feedback.evidence',
        'TRUNCATE feedback.evidence_skewed',
        `UPDATE feedback.evidence SET status = 0`,
        'CREATE TABLE feedback.other (x int)',
      ])
        expect(await refusal(sql)).toMatch(/must be owner of|permission denied/);
      const tomorrow = dayOf(Date.now() + dayMs);
      expect(await refusal(`SELECT feedback.drop_day_before('short', '${tomorrow}')`)).toMatch(
        /dropped when they are over/,
      );
      expect(await refusal(`SELECT feedback.drop_day_before('x', '2020-01-01')`)).toMatch(/has no class x/);
      expect(await refusal(`SELECT feedback.make_day('x', '2020-01-01')`)).toMatch(/has no class x/);
      await client.end();
    });
  });

  describe('a start', () => {
    it('with credentials that the database refuses ends at once, and says which setting it is', async () => {
      const wrong = site.serviceUrl.replace(':secret@', ':other@');
      expect(wrong).not.toBe(site.serviceUrl);
      const nobody = site.serviceUrl.replace('sluice_feedback:', 'nobody_here:');
      for (const SLUICE_DATABASE_URL of [wrong, nobody]) {
        const refused = await site.start({ SLUICE_DATABASE_URL }).then(
          () => undefined,
          (error: unknown) => error as Error,
        );
        expect(refused).toMatchObject({ kind: 'failed-precondition' });
        expect(refused!.message).toMatch(/refuses the role or the password of SLUICE_DATABASE_URL/);
        expect(refused!.message).not.toMatch(/other|nobody_here|try again/);
      }
    });
  });

  describe('migrate', () => {
    it('works when two run at once; a replica refuses a database that is behind, and takes one that is ahead', async () => {
      const other = new Site(site.postgres, await site.postgres.createDatabase());
      await expect(other.start()).rejects.toThrow(
        /the database has no schema feedback with migrations: run migrate first/,
      );
      const [one, two] = await Promise.all([migrateFeedback(other), migrateFeedback(other)]);
      expect([...one, ...two].toSorted()).toEqual(migrations.map(({ id }) => id));
      expect(await migrateFeedback(other)).toEqual([]);
      await other.query(
        `INSERT INTO feedback.migration (position, id, checksum) VALUES (99, '1990000000000-later', 'x')`,
      );
      const replica = await other.start();
      await replica.stop();
      await other.query(`DELETE FROM feedback.migration WHERE position > 1`);
      await expect(other.start()).rejects.toThrow(/lacks migration 1780000003000-dead-letters: run migrate first/);
      await expect(migrateFeedback({ ownerUrl: other.ownerUrl, serviceUrl: other.ownerUrl })).rejects.toThrow(
        /must name role sluice_feedback/,
      );
      await other.close();
    });
  });
}
