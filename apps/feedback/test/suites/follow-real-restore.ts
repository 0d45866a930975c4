import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { startPostgres } from '@sluice/testkit/postgres';
import { migrateFeedback } from '../../src/store/migrate-feedback.ts';
import { blockOf, blockOfIds, idAt, ofSubject, someIds } from '../evidence.ts';
import { copiesOf, inDays, labelOfNewest, outcomeOfNewest } from '../followed.ts';
import { deliver, Site } from '../harness.ts';
import { Subscriber } from '../subscriber.ts';

const oldest = { begin: 'SUBSCRIBE_BEGIN_OLDEST' } as const;

/** Subscribe behind a restore into a second cluster. @param cluster the Postgres, on which it gets a database of its own */
export function followRealRestoreSuite(cluster: () => TestPostgres): void {
  let second: TestPostgres;
  let source: Site;
  let target: Site;

  beforeAll(async () => {
    source = await Site.open(cluster());
    second = await startPostgres({ unrelated: true });
    target = await Site.open(second);
  });
  afterAll(async () => {
    await target.close();
    await second.stop();
    await source.close();
  });

  /** Reads up to the end; what it got, and where it stands. */
  async function read(address: string, wanted: ConstructorParameters<typeof Subscriber>[1]) {
    const subscriber = new Subscriber(address, wanted);
    try {
      await subscriber.settle();
      return { names: subscriber.names, cursor: subscriber.cursor };
    } finally {
      subscriber.close();
    }
  }

  describe('a database whose rows were moved into another cluster', () => {
    it('is followed from its oldest row in the order of before once migrate has run, and not with cursors of before', async () => {
      // Rows are to have ids of transactions that the other cluster has not given out.
      const [given] = await target.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
      await source.query(
        `DO $$ BEGIN WHILE pg_current_xact_id()::text::bigint < ${given!.id} + 1000 LOOP COMMIT; END LOOP; END $$`,
      );
      const before = await source.start({ SLUICE_FOLLOW_POLL_MS: '20' });
      const classes = ['long', 'short', 'standard'] as const;
      for (const [index, retentionClass] of classes.entries())
        await deliver(before.address, [blockOfIds(someIds(2, inDays(-index)), { context: { retentionClass } })]);
      // Where ids were taken as days, the last to come would be the first of them.
      await deliver(before.address, [blockOfIds([idAt(inDays(-5)), idAt(inDays(-3_000))])], 'late');
      await deliver(before.address, [blockOf(ofSubject('ann'))], 'ann');
      const [first, other] = [randomUUID(), randomUUID()];
      await source.query(labelOfNewest('people', first));
      await source.query(outcomeOfNewest(first));
      const middle = await read(before.address, oldest);
      // One transaction each, as batches are.
      for (let each = 0; each < 5; each++) await source.query(await copiesOf(source, 2));
      await source.query(`BEGIN; ${outcomeOfNewest(other)}; ${labelOfNewest('machine', other)}; COMMIT`);
      const all = await read(before.address, oldest);
      expect([middle.names.length, all.names.length, new Set(all.names).size]).toEqual([11, 23, 23]);
      await before.stop();

      await move(source, target);
      const [there] = await target.query(
        `SELECT count(*)::int AS rows, count(*) FILTER (WHERE recorded_xid > pg_current_xact_id())::int AS ahead
         FROM (SELECT recorded_xid FROM feedback.evidence UNION ALL SELECT recorded_xid FROM feedback.evidence_skewed
           UNION ALL SELECT recorded_xid FROM feedback.label UNION ALL SELECT recorded_xid FROM feedback.outcome) AS every`,
      );
      expect(there).toEqual({ rows: 23, ahead: 23 });
      await expect(target.start()).rejects.toMatchObject({
        kind: 'failed-precondition',
        message: expect.stringMatching(/restored into another cluster .* run its migrate/) as string,
      });

      await migrateFeedback({ ownerUrl: target.ownerUrl, serviceUrl: target.serviceUrl });
      const after = await target.start({ SLUICE_FOLLOW_POLL_MS: '20' });
      for (const { cursor } of [middle, all])
        await expect(read(after.address, { cursor })).rejects.toMatchObject({
          kind: 'failed-precondition',
          message: expect.stringMatching(/restored.*begin again/) as string,
        });
      const subscriber = new Subscriber(after.address, oldest);
      await subscriber.until(23);
      expect(subscriber.names).toEqual(all.names);
      // What comes now has lower ids than those rows had, and is behind them.
      const now: string[] = [];
      for (let each = 0; each < 3; each++) {
        const [id] = someIds(1) as [string];
        await deliver(after.address, [blockOfIds([id])], `new-${each}`);
        now.push(`${id} cnn 1`);
      }
      await (await subscriber.until(26)).settle();
      subscriber.close();
      expect(subscriber.names).toEqual([...all.names, ...now]);
      expect((await read(after.address, oldest)).names).toEqual([...all.names, ...now]);
    });
  });
}

/** Moves all rows as a dump and its restore do: with the ids of the transactions that wrote them, and where sequences stand. */
async function move(source: Site, target: Site): Promise<void> {
  const days = await source.query<{ class: string; day: string }>(
    `SELECT substring(relname FROM '^evidence_([a-z]+)_') AS class, right(relname, 8) AS day FROM pg_class
     WHERE relnamespace = 'feedback'::regnamespace AND relkind = 'r' AND relname ~ '^evidence_[a-z]+_[0-9]{8}$'`,
  );
  for (const day of days)
    await target.query(`SELECT feedback.make_day($1, to_date($2, 'YYYYMMDD'))`, [day.class, day.day]);
  const tables = await source.query<{ name: string; columns: string }>(
    `SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
     FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'feedback'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' GROUP BY 1`,
  );
  const [from, into] = [source, target].map(({ ownerUrl }) => new pg.Client({ connectionString: ownerUrl }));
  await Promise.all([from!.connect(), into!.connect()]);
  try {
    await into!.query(`BEGIN; TRUNCATE ${tables.map(({ name }) => `feedback.${name}`).join(', ')}`);
    for (const { name, columns } of tables)
      await pipeline(
        from!.query(copyTo(`COPY (SELECT ${columns} FROM feedback.${name}) TO STDOUT`)),
        into!.query(copyFrom(`COPY feedback.${name} (${columns}) FROM STDIN`)),
      );
    const sequences = await from!.query<{ name: string; last: string | null }>(
      `SELECT format('feedback.%I', sequencename) AS name, last_value AS last FROM pg_sequences WHERE schemaname = 'feedback'`,
    );
    for (const { name, last } of sequences.rows)
      if (last !== null) await into!.query('SELECT setval($1::regclass, $2)', [name, last]);
    await into!.query('COMMIT');
  } finally {
    await Promise.all([from!.end(), into!.end()]);
  }
}
