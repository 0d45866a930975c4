import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
import { createDataSource } from '@sluice/persistence/data-source';
import { createTransactions } from '@sluice/persistence/transaction';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { eventually } from '@sluice/testkit/eventually';
import { cursorText, readCursor } from '../../src/follow/cursor.ts';
import { migrateFeedback } from '../../src/store/migrate-feedback.ts';
import { rewriteAfterRestore } from '../../src/store/rewrite-after-restore.ts';
import { blockOfIds, idAt, someIds } from '../evidence.ts';
import { copiesOf, evidenceInOrder, inDays, labelOfNewest } from '../followed.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';
import { Subscriber } from '../subscriber.ts';

/** What cursors are told when rows have expired, or the database was restored. @param cluster the Postgres, on which it gets databases */
export function followRestoreSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start({ SLUICE_FOLLOW_POLL_MS: '20' });
  });
  afterAll(() => site.close());

  /** Reads up to the end; what it got, and where it stands, or the error. */
  async function read(wanted: ConstructorParameters<typeof Subscriber>[1]) {
    const subscriber = new Subscriber(replica.address, wanted);
    try {
      await subscriber.settle();
      return { names: subscriber.names, cursor: subscriber.cursor, error: undefined };
    } catch (thrown) {
      return { names: subscriber.names, cursor: subscriber.cursor, error: SluiceError.from(thrown) };
    } finally {
      subscriber.close();
    }
  }
  const readFrom = (cursor: string) => read({ cursor });
  const oldest = { begin: 'SUBSCRIBE_BEGIN_OLDEST' } as const;

  describe('cursors', () => {
    it('of before a loss are refused with one that goes on behind it, whichever class it was of', async () => {
      const short = { context: { retentionClass: 'short' } };
      const [late, kept, now] = [idAt(inDays(-6)), idAt(inDays(-5)), idAt(Date.now())];
      const start = await read(oldest);
      // It lies in the middle of the order.
      await deliver(replica.address, [blockOfIds([kept])]);
      const { cursor: afterKept } = await readFrom(start.cursor);
      await deliver(replica.address, [blockOfIds([late], short)], 'spool-2');
      const { cursor: afterLate } = await readFrom(afterKept);
      await deliver(replica.address, [blockOfIds([now])], 'spool-3');
      // One that has not read the row, one that has, and one that stands between the two.
      const day = new Date(inDays(-5)).toISOString().slice(0, 10);
      await site.query(`SELECT feedback.drop_day_before('short', $1)`, [day]);
      for (const cursor of [start.cursor, afterKept]) {
        const { error } = await readFrom(cursor);
        expect(error).toMatchObject({ kind: 'out-of-range', message: expect.stringMatching(/expired/) as string });
        const valid = /, is (\S+)$/.exec(error!.message)![1]!;
        const { names, error: none } = await readFrom(valid);
        expect(none).toBeUndefined();
        expect(names).toEqual([...(cursor === start.cursor ? [`${kept} cnn 1`] : []), `${now} cnn 1`]);
      }
      expect(await readFrom(afterLate)).toMatchObject({ names: [`${now} cnn 1`], error: undefined });
      // Who begins with the oldest row knows that there were older ones, at every step.
      const again = new Subscriber(replica.address, oldest);
      const first = await again.next();
      again.close();
      expect(await readFrom(first.cursor)).toMatchObject({ names: [`${kept} cnn 1`, `${now} cnn 1`] });
    });

    it('of before skewed rows were deleted are refused too', async () => {
      const { cursor } = await read(oldest);
      const skewed = idAt(inDays(-3_000));
      await deliver(replica.address, [blockOfIds([skewed], { context: { retentionClass: 'short' } })], 'spool-4');
      const { cursor: behind } = await readFrom(cursor);
      await site.query(`UPDATE feedback.evidence_skewed SET ingested_at = now() - interval '8 days'`);
      const keeper = await site.start({ SLUICE_UPKEEP_MS: '100' });
      await eventually(async () => expect((await site.count([skewed], 'evidence_skewed')).rows).toBe(0));
      await keeper.stop();
      expect((await readFrom(cursor)).error).toMatchObject({ kind: 'out-of-range' });
      expect(await readFrom(behind)).toMatchObject({ names: [], error: undefined });
    });

    it('that are ahead of the database, or of another timeline, or of another database, are refused with what to do', async () => {
      const { cursor } = await read(oldest);
      await deliver(replica.address, [blockOfIds(someIds(1))], 'spool-5');
      const { cursor: last } = await readFrom(cursor);
      const { history, losses, position } = readCursor(last);
      const ahead = { ...position, transaction: position.transaction + 1n };
      for (const [text, message] of [
        [cursorText({ history, losses, position: ahead }), /ahead of all that the database has/],
        [cursorText({ history, losses: losses + 1, position }), /ahead of all that the database has/],
        [cursorText({ history: { ...history, timeline: 9 }, losses, position }), /of timeline 9 .* which is at 1/],
        [cursorText({ history: { ...history, system: '1' }, losses, position }), /of another database, or of this one/],
        [cursorText({ history: { ...history, id: 'x' }, losses, position }), /of another database, or of this one/],
      ] as const)
        expect((await readFrom(text)).error).toMatchObject({
          ...{ kind: 'failed-precondition', message: expect.stringMatching(message) as string },
        });
    });
  });

  describe('a database that was restored into another cluster', () => {
    it('is refused until migrate has rewritten its transaction ids, in their order, below those to come', async () => {
      await site.query(await copiesOf(site, 5));
      for (let each = 0; each < 4; each++) await site.query(await copiesOf(site, 2));
      await site.query(labelOfNewest('people', '00000000-0000-4000-8000-000000000001'));
      const { names: before, cursor } = await read(oldest);
      expect(before.length).toBeGreaterThan(13);
      const running = await new Subscriber(replica.address, { cursor }).settle();
      // As a copy of another cluster comes: with its identifier, and ids that this one has not given out.
      await site.query(`UPDATE feedback.cluster SET system_identifier = '42'`);
      for (const table of ['evidence', 'evidence_skewed', 'label', 'outcome'])
        await site.query(
          `UPDATE feedback.${table} SET recorded_xid = (7000000000000 + recorded_xid::text::bigint)::text::xid8`,
        );
      const restored = /restored into another cluster .*stop all replicas of feedback and run its migrate/;
      await expect(site.start()).rejects.toThrow(restored);
      await expect(
        (async () => {
          for (;;) await running.next();
        })(),
      ).rejects.toMatchObject({ kind: 'failed-precondition', message: expect.stringMatching(restored) as string });
      running.close();
      await replica.stop();
      // What waited there for a record that had come and was not looked at yet, and how far that look had got.
      const [waiting] = before.map((each) => each.split(' ')[0]!);
      await site.query(
        `INSERT INTO feedback.label_waiting (key, kind, prediction_id, model, request_id, source, actor, row, per_row, names, numbers, expires_at, recorded_xid)
           VALUES (substr(sha256('a'), 1, 16), 'rating', $1, '', '', 's', 'a', -1, false, '{NULL}', '{5}', now() + interval '1 day', '7000000000009')`,
        [waiting],
      );
      await site.query(
        `INSERT INTO feedback.feedback_item (class, prediction_id, feedback_id, number, row, kind, model, source, actor, request_id, payload_state, digest, recorded_xid)
           SELECT class, prediction_id, uuidv7(), 4, -1, 'rating', model, 's', 'a', '', 'none', '\\xabababababababababababababababab', '7000000000009'
           FROM feedback.evidence WHERE prediction_id = $1`,
        [waiting],
      );
      await site.query(`UPDATE feedback.join_position SET evidence_xid = '7000000000008', system_identifier = 42`);

      const said: string[] = [];
      const say = (message: string, about: object): number => said.push(`${message} ${JSON.stringify(about)}`);
      await migrateFeedback({ ownerUrl: site.ownerUrl, serviceUrl: site.serviceUrl, say });
      expect(said[0]).toMatch(/^the database was restored into another cluster.*"known":"42"/);
      expect(
        said.filter((line) => /^rewritten .*"table":"feedback\.(evidence|label)_/.test(line)).length,
      ).toBeGreaterThan(1);
      expect(await migrateFeedback({ ownerUrl: site.ownerUrl, serviceUrl: site.serviceUrl })).toEqual([]);
      for (const [column, table] of [
        ...['evidence', 'evidence_skewed', 'label', 'outcome', 'label_waiting', 'feedback_item'].map(
          (each) => ['recorded_xid', each] as const,
        ),
        ['evidence_xid', 'join_position'] as const,
      ])
        expect(
          await site.query(`SELECT FROM feedback.${table} WHERE ${column} >= pg_snapshot_xmin(pg_current_snapshot())`),
          table,
        ).toEqual([]);
      expect(await site.query('SELECT evidence_xid FROM feedback.join_position')).toEqual([{ evidence_xid: '0' }]);

      replica = await site.start({ SLUICE_FOLLOW_POLL_MS: '20' });
      expect((await readFrom(cursor)).error).toMatchObject({
        ...{ kind: 'failed-precondition', message: expect.stringMatching(/restored.*begin again/) as string },
      });
      const after = await read(oldest);
      expect(after.names).toEqual(before);
      await eventually(async () => {
        const items = await site.query('SELECT number FROM feedback.feedback_item WHERE prediction_id = $1', [waiting]);
        expect(items.map(({ number }) => number).toSorted()).toEqual([4, 5]);
        expect(await site.query('SELECT FROM feedback.label_waiting')).toEqual([]);
      });
      const ids = someIds(2);
      await deliver(replica.address, [blockOfIds(ids)], 'spool-6');
      expect((await readFrom(after.cursor)).names).toEqual((await evidenceInOrder(site)).slice(-2));
    });

    it('keeps the order where the new cluster has given out fewer ids than the old one had', async () => {
      const other = await Site.open(site.postgres);
      const ingest = await other.start();
      await deliver(ingest.address, [blockOfIds(someIds(1))]);
      await ingest.stop();
      await other.query(await copiesOf(other, 199));
      await other.query(
        `UPDATE feedback.evidence AS e SET recorded_xid = (7000000000000 + n)::text::xid8
         FROM (SELECT prediction_id AS id, row_number() OVER (ORDER BY prediction_id) AS n FROM feedback.evidence) AS placed
         WHERE placed.id = e.prediction_id`,
      );
      const before = await evidenceInOrder(other);
      const dataSource = await createDataSource({ url: other.ownerUrl, schema: 'feedback', applicationName: 'test' });
      const transactions = createTransactions(dataSource, { clock: systemClock, random: systemRandom });
      await transactions.readWrite((tx) => rewriteAfterRestore(tx, () => undefined, 53));
      await dataSource.destroy();
      expect(before).toHaveLength(200);
      expect(await evidenceInOrder(other)).toEqual(before);
      const [range] = await other.query(
        `SELECT count(DISTINCT recorded_xid)::int AS ids, min(recorded_xid)::text, max(recorded_xid)::text FROM feedback.evidence`,
      );
      expect(range).toEqual({ ids: 50, min: '3', max: '52' });
      await other.close();
    });
  });
}
