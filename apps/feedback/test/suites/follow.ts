import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { createDataSource } from '@sluice/persistence/data-source';
import { readCursor } from '../../src/follow/cursor.ts';
import { reaches, readPage } from '../../src/follow/read-page.ts';
import { FollowStore } from '../../src/store/follow-store.ts';
import { blockOf, blockOfIds, idAt, someIds } from '../evidence.ts';
import { copiesOf, evidenceInOrder, inDays, labelOfNewest, outcomeOfNewest } from '../followed.ts';
import type { Replica } from '../harness.ts';
import { deliver, deliverSurely, Site } from '../harness.ts';
import { Subscriber } from '../subscriber.ts';

/** Subscribe. @param cluster the Postgres, on which it gets a database of its own */
export function followSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start({ SLUICE_FOLLOW_POLL_MS: '20', SLUICE_MAX_SUBSCRIBERS: '3' });
    // Others are made of it.
    await deliver(replica.address, [blockOfIds(someIds(1))], 'spool-0');
  });
  afterAll(() => site.close());

  /** Runs `fn` with a subscriber that is gone afterwards. */
  async function following<T>(
    fn: (subscriber: Subscriber) => Promise<T>,
    wanted: ConstructorParameters<typeof Subscriber>[1] = { begin: 'SUBSCRIBE_BEGIN_NOW' },
    address = replica.address,
  ): Promise<T> {
    const subscriber = new Subscriber(address, wanted);
    try {
      return await fn(subscriber);
    } finally {
      subscriber.close();
    }
  }

  const refusal = (wanted: ConstructorParameters<typeof Subscriber>[1]): Promise<unknown> =>
    following(
      (subscriber) =>
        subscriber.next().then(
          () => undefined,
          (error: unknown) => error,
        ),
      wanted,
    );

  describe('a subscriber', () => {
    it('gets all of a row but its payloads and its subject', async () => {
      const predictionId = idAt(Date.now());
      await following(async (subscriber) => {
        await subscriber.settle();
        await deliver(replica.address, [
          blockOf({
            ...{ predictionId, attempt: 2, reason: 'unit', status: 4, fallbackStatus: 14, answered: true, rows: 7 },
            ...{ receivedMs: 1_780_000_000_000.125, sentMicros: 11, endedMicros: 4_294_967_295, keepProbability: 0.25 },
            timings: { queueMicros: 1, runMicros: 2, totalMicros: 3, batchRows: 4, costMicros: 5.5 },
            ...{ unitHash: '\x01'.repeat(16), inputHash: '\x02'.repeat(32), requestId: 'ünïcode', subject: 'sub' },
            ...{ caller: 'who', traceId: 'ab'.repeat(16), rule: 'rule', runtime: 'runtime-1' },
            ...{ requestState: 'captured', request: Buffer.from([0, 1, 2]), responseState: 'too-large' },
          }),
        ]);
        await subscriber.until(1);
        const { ingestedAt, ...row } = subscriber.rows[0]!.evidence!;
        expect(Math.abs(Number(ingestedAt!.seconds) * 1_000 - Date.now())).toBeLessThan(60_000);
        expect(row).toEqual({
          ...{ predictionId, arm: 'cnn', attempt: 2, retentionClass: 'standard', skewed: false, model: 'digits' },
          ...{ version: '3', versionDigest: 'd'.repeat(64), releaseId: 'r1', seedId: 's1', policyVersion: '0' },
          ...{ servedArm: 'cnn', role: 'primary', propensity: 1, keepProbability: 0.25, reason: 'unit' },
          ...{ answered: true, status: 4, fallbackStatus: 14, sentMicros: '11', endedMicros: '4294967295' },
          ...{ queueMicros: '1', runMicros: '2', totalMicros: '3', batchRows: '4', costMicros: 5.5, rows: '7' },
          ...{ requestId: 'ünïcode', caller: 'who', traceId: 'ab'.repeat(16), rule: 'rule', runtime: 'runtime-1' },
          ...{ unitHash: Buffer.alloc(16, 1), inputHash: Buffer.alloc(32, 2), requestState: 'captured' },
          receivedAt: { seconds: '1780000000', nanos: 125_000 },
          ...{ responseState: 'too-large', _queueMicros: 'queueMicros', _runMicros: 'runMicros' },
          ...{ _totalMicros: 'totalMicros', _batchRows: 'batchRows', _costMicros: 'costMicros' },
        });
      });
    });

    it('gets evidence, labels and outcomes in one order, skewed ones too, and only those that it wants', async () => {
      const skewed = idAt(inDays(-3_000));
      const [label, other] = [randomUUID(), randomUUID()];
      const from = await following(async (subscriber) => (await subscriber.settle()).cursor);
      const [id] = someIds(1);
      await deliver(replica.address, [blockOfIds([id!])]);
      await site.query(labelOfNewest('people', label));
      await site.query(outcomeOfNewest(label));
      // In one transaction: table by table.
      await site.query(`BEGIN; ${outcomeOfNewest(other)}; ${labelOfNewest('machine', other)}; COMMIT`);
      await deliver(replica.address, [blockOfIds([skewed], { context: { model: 'other' } })], 'spool-2');
      const rows = [`${id} cnn 1`, `label ${label}`, `outcome ${label}`, `label ${other}`, `outcome ${other}`];
      await following(
        async (subscriber) => {
          await subscriber.until(6);
          expect(subscriber.names).toEqual([...rows, `${skewed} cnn 1`]);
          expect(subscriber.rows[5]!.evidence).toMatchObject({ skewed: true, model: 'other' });
          expect(subscriber.rows[1]!.label).toMatchObject({
            ...{ name: 'seven', source: 'people', actor: 'ann', row: 0, labelledAt: null, predictionId: id },
          });
          expect(subscriber.rows[2]!.outcome).toMatchObject({
            ...{ truthName: 'seven', predictedName: 'one', truthProbability: 0.25, state: 'scored', arm: 'cnn' },
          });
          expect(subscriber.rows[2]!.outcome).not.toHaveProperty('truthNumber');
        },
        { cursor: from },
      );
      const wanted = async (count: number, filter: object) =>
        following(async (subscriber) => (await (await subscriber.until(count)).settle()).names, {
          ...{ cursor: from },
          ...filter,
        });
      expect(await wanted(1, { model: 'other' })).toEqual([`${skewed} cnn 1`]);
      expect(await wanted(5, { model: 'digits' })).toEqual(rows);
      expect(await wanted(2, { kinds: ['FOLLOWED_KIND_OUTCOME'] })).toEqual([rows[2], rows[4]]);
      expect(await wanted(2, { kinds: ['FOLLOWED_KIND_EVIDENCE'] })).toEqual([rows[0], `${skewed} cnn 1`]);
      expect(await wanted(0, { model: 'other', kinds: ['FOLLOWED_KIND_LABEL'] })).toEqual([]);
    });

    it('gets what committed first behind what began first, and sees a transaction that is stuck as lag', async () => {
      await following(async (subscriber) => {
        await subscriber.settle();
        expect(Number(subscriber.last!.heldBack!.seconds) + subscriber.last!.heldBack!.nanos).toBe(0);
        const stuck = await site.hold(await copiesOf(site, 1, { arm: `'stuck'` }));
        const ids = someIds(3);
        await deliver(replica.address, [blockOfIds(ids)]);
        await site.query(await copiesOf(site, 1, { arm: `'later'` }));
        let held = 0;
        await eventually(async () => {
          const { heldBack } = await subscriber.next();
          held = Number(heldBack!.seconds) + heldBack!.nanos / 1e9;
          expect(held).toBeGreaterThan(0.2);
        });
        expect(subscriber.rows).toEqual([]);
        expect(await replica.metric('sluice_feedback_held_back_seconds')).toBeGreaterThan(0.1);
        await stuck.commit();
        await subscriber.until(5);
        expect(subscriber.rows.map(({ evidence }) => evidence!.arm)).toEqual(['stuck', 'cnn', 'cnn', 'cnn', 'later']);
        await subscriber.settle();
        expect(subscriber.last!.heldBack).toEqual({ seconds: '0', nanos: 0 });
      });
    });

    it('gets transactions of any size page by page, and goes on from every cursor without a gap or a row twice', async () => {
      const from = await following(async (subscriber) => (await subscriber.settle()).cursor);
      await site.query(await copiesOf(site, 1_200, { arm: `'large'` }));
      await site.query(await copiesOf(site, 1_000, { arm: `'exact'` }));
      for (let each = 0; each < 5; each++) await site.query(await copiesOf(site, 3, { model: `'rare'` }));
      const all = (await evidenceInOrder(site)).slice(-2_215);
      const cursors: string[] = [];
      const sizes: number[] = [];
      await following(
        async (subscriber) => {
          while (subscriber.rows.length < all.length) {
            sizes.push((await subscriber.next()).rows.length);
            cursors.push(subscriber.cursor);
          }
          expect(subscriber.names).toEqual(all);
        },
        { cursor: from },
      );
      expect(Math.max(...sizes)).toBe(1_000);
      let seen = 0;
      for (const [index, size] of sizes.entries()) {
        seen += size;
        // Each of the first three, and the last.
        if (index > 2 && index < sizes.length - 1) continue;
        const rest = await following(async (subscriber) => (await subscriber.until(all.length - seen)).names, {
          cursor: cursors[index]!,
        });
        expect(rest).toEqual(all.slice(seen));
      }
      // A model that whole statements find nothing of.
      const dataSource = await createDataSource({ url: site.serviceUrl, schema: 'feedback', applicationName: 'test' });
      const store = new FollowStore(dataSource, () => performance.now(), 300);
      const [look, found, pages] = [await store.look(), [] as string[], [] as number[]];
      for (let { position } = readCursor(from); reaches(look, [0], position);) {
        const { rows, end } = await readPage(store, look, position, { tables: [0], model: 'rare' });
        found.push(...rows.map(({ row }) => row.predictionId));
        pages.push(rows.length);
        position = end;
      }
      await dataSource.destroy();
      expect(found).toEqual(all.slice(-15).map((name) => name.split(' ')[0]));
      expect(pages).toEqual([0, 0, 0, 0, 0, 0, 0, 15]);
      const rare = await following(async (subscriber) => (await subscriber.until(15)).names, {
        ...{ cursor: from, model: 'rare' },
      });
      expect(rare).toEqual(all.slice(-15));
    });

    it('gets every row once and in order while two replicas ingest the same at once, and when its own is killed', async () => {
      const other = await site.spawn({ SLUICE_FOLLOW_POLL_MS: '20', SLUICE_BATCH_ROWS: '40' });
      const from = await following(async (subscriber) => (await subscriber.settle()).cursor);
      const ids = someIds(1_000);
      const before = (await evidenceInOrder(site)).length;
      const blocks = Array.from({ length: 100 }, (_, index) => blockOfIds(ids.slice(index * 10, index * 10 + 10)));
      // Each block comes twice, from both sides, in other company.
      const addresses = [replica.address, other.address];
      const first = deliverSurely(addresses, blocks, 'spool-a');
      const second = deliverSurely(addresses.toReversed(), blocks.toReversed(), 'spool-b');
      const subscriber = new Subscriber(other.address, { cursor: from });
      while (subscriber.rows.length < 100) await subscriber.next();
      other.child.kill('SIGKILL');
      await expect(
        (async () => {
          for (;;) await subscriber.next();
        })(),
      ).rejects.toMatchObject({ kind: 'unavailable' });
      subscriber.close();
      const names = await following(
        async (next) => [...subscriber.names, ...(await next.until(ids.length - subscriber.rows.length)).names],
        { cursor: subscriber.cursor },
      );
      await Promise.all([first, second]);
      expect(names).toHaveLength(ids.length);
      expect(names).toEqual((await evidenceInOrder(site)).slice(before));
      expect(await site.count(ids)).toEqual({ rows: ids.length, predictions: ids.length });
    });

    it('ends when the database goes away or its replica stops, and goes on from its cursor', async () => {
      const other = await site.start({ SLUICE_FOLLOW_POLL_MS: '20' });
      const subscriber = await new Subscriber(other.address, { begin: 'SUBSCRIBE_BEGIN_NOW' }).settle();
      const ended = async () => {
        for (;;) await subscriber.next();
      };
      // Numbers that leave no trace, since nothing but commits writes the log, are given out again after the crash.
      await site.query(`ALTER SYSTEM SET wal_writer_delay = '10s'`);
      await site.query('SELECT pg_reload_conf()');
      const unused = 'BEGIN; SELECT pg_current_xact_id(); ROLLBACK; '.repeat(50);
      await site.query(`BEGIN; ${await copiesOf(site, 2)}; COMMIT; ${unused}`);
      await subscriber.until(2);
      await site.postgres.kill();
      await expect(ended()).rejects.toMatchObject({ kind: 'unavailable' });
      subscriber.close();
      await site.postgres.restart();
      for (const each of [other, replica])
        await eventually(async () => expect(await each.adminState()).toMatchObject({ databaseUp: true }));
      await site.query('ALTER SYSTEM RESET wal_writer_delay');
      await deliverSurely([other.address], [blockOfIds(someIds(2))]);
      const next = await new Subscriber(other.address, { cursor: subscriber.cursor }).until(2);
      expect([...subscriber.names, ...next.names]).toEqual((await evidenceInOrder(site)).slice(-4));
      const stopped = expect(
        (async () => {
          for (;;) await next.next();
        })(),
      ).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringMatching(/is stopping/) as string });
      await other.stop();
      await stopped;
      next.close();
    });

    it('is one of a bounded number', async () => {
      const open = [1, 2, 3].map(() => new Subscriber(replica.address, { begin: 'SUBSCRIBE_BEGIN_NOW' }));
      for (const each of open) await each.next();
      expect(await replica.adminState()).toMatchObject({ subscribers: 3 });
      expect(await refusal({ begin: 'SUBSCRIBE_BEGIN_NOW' })).toMatchObject({ kind: 'resource-exhausted' });
      open[0]!.close();
      await eventually(async () => expect(await refusal({ begin: 'SUBSCRIBE_BEGIN_NOW' })).toBeUndefined());
      for (const each of open) each.close();
      await eventually(async () => expect(await replica.metric('sluice_feedback_subscribers')).toBe(0));
      expect(await replica.metric('sluice_feedback_followed_rows_total', 'kind="evidence"')).toBeGreaterThan(100);
    });

    it('is told what is wrong with its request', async () => {
      const cursor = await following(async (subscriber) => (await subscriber.settle()).cursor);
      const middle = cursor.length / 2;
      const altered = `${cursor.slice(0, middle)}${cursor[middle] === 'A' ? 'B' : 'A'}${cursor.slice(middle + 1)}`;
      for (const [wanted, message] of [
        [{}, /begin: missing/],
        [{ cursor, begin: 'SUBSCRIBE_BEGIN_NOW' }, /begin: given with a cursor/],
        [{ cursor: 'no' }, /cursor: "no" is not one that Subscribe gave/],
        [{ cursor: altered }, /cursor: ".*" is not one/],
        [{ cursor: cursor.slice(0, -4) }, /cursor: ".*" is not one/],
        [{ begin: 'SUBSCRIBE_BEGIN_NOW', kinds: ['FOLLOWED_KIND_UNSPECIFIED'] }, /kinds\[0\]: /],
        [{ begin: 'SUBSCRIBE_BEGIN_NOW', heartbeatMs: 60_001 }, /heartbeat_ms: 60001 given/],
        [{ begin: 'SUBSCRIBE_BEGIN_NOW', model: 'x'.repeat(1_025) }, /model: 1025 bytes given/],
        [{ begin: 'SUBSCRIBE_BEGIN_NOW', model: 'a\0b' }, /model/],
      ] as const)
        expect(await refusal(wanted as never)).toMatchObject({
          ...{ kind: 'invalid-argument', message: expect.stringMatching(message) as string },
        });
    });
  });
}
