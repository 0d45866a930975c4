import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { blockOf, blockOfIds, idAt, someIds } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';

/** What becomes of records. @param cluster the Postgres, on which it gets a database of its own */
export function ingestSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;

  beforeAll(async () => {
    site = await Site.open(cluster());
    replica = await site.start();
  });
  afterAll(() => site.close());

  const day = 86_400_000;

  describe('ingest', () => {
    it('stores every field of a record', async () => {
      const predictionId = idAt(Date.now());
      const block = blockOf({
        ...{ predictionId, attempt: 2, reason: 'unit', status: 4, fallbackStatus: 14, answered: true },
        ...{
          receivedMs: 1_780_000_000_000.125,
          sentMicros: 11,
          endedMicros: 4_294_967_295,
          rows: 7,
          keepProbability: 0.25,
        },
        timings: { queueMicros: 1, runMicros: 2, totalMicros: 3, batchRows: 4, costMicros: 5.5 },
        ...{ unitHash: '\x01'.repeat(16), inputHash: '\x02'.repeat(32), requestId: 'ünïcode 🙂', subject: 'sub' },
        ...{ caller: 'who', traceId: 'ab'.repeat(16), rule: 'rule', runtime: 'runtime-1' },
        ...{ requestState: 'captured', request: Buffer.from([0, 1, 2]), responseState: 'captured', response: [] },
      });
      const bare = blockOf({ predictionId, attempt: 1, context: { role: undefined, arm: '', servedArm: '' } });
      await deliver(replica.address, [block, bare]);
      const rows = await site.query('SELECT * FROM feedback.evidence WHERE prediction_id = $1 ORDER BY attempt', [
        predictionId,
      ]);
      const { ingested_at, recorded_xid, payload_key_id, request, response, ...full } = rows[1]!;
      const sealed = { request: request as Buffer, response: response as Buffer, keyId: payload_key_id as string };
      expect(await site.opened(predictionId, 'cnn', 2, sealed)).toEqual([Buffer.from([0, 1, 2]), Buffer.alloc(0)]);
      expect(full).toEqual({
        ...{ class: 'standard', prediction_id: predictionId, arm: 'cnn', attempt: 2, model: 'digits', version: '3' },
        ...{
          version_digest: 'd'.repeat(64),
          version_known: null,
          release_id: 'r1',
          seed_id: 's1',
          policy_version: '0',
        },
        ...{ served_arm: 'cnn', role: 'primary', propensity: 1, answered: true, reason: 'unit', status: 4 },
        ...{
          fallback_status: 14,
          received_at: new Date(1_780_000_000_000),
          sent_micros: '11',
          ended_micros: '4294967295',
        },
        ...{ queue_micros: '1', run_micros: '2', total_micros: '3', batch_rows: '4', cost_micros: 5.5, rows: '7' },
        ...{ keep_probability: 0.25, unit_hash: Buffer.alloc(16, 1), input_hash: Buffer.alloc(32, 2) },
        ...{ request_id: 'ünïcode 🙂', subject: 'sub', caller: 'who', trace_id: 'ab'.repeat(16), rule: 'rule' },
        ...{ runtime: 'runtime-1', request_state: 'captured', response_state: 'captured' },
      });
      expect(Math.abs((ingested_at as Date).getTime() - Date.now())).toBeLessThan(60_000);
      expect(Number(recorded_xid)).toBeGreaterThan(0);
      expect(rows[0]).toMatchObject({ arm: '', role: null, queue_micros: null, cost_micros: null, unit_hash: null });
      expect(rows[0]).toMatchObject({ input_hash: null, request_state: 'off', request: null, response: null });
      const [micros] = await site.query(
        `SELECT extract(microseconds FROM received_at)::text AS text FROM feedback.evidence
       WHERE prediction_id = $1 AND attempt = 2`,
        [predictionId],
      );
      expect(micros).toEqual({ text: '40000125' });
    });

    it('stores once what is sent again, by the same stream, another, or beside what is new', async () => {
      const ids = someIds(50);
      const block = blockOfIds(ids.slice(0, 30));
      await deliver(replica.address, [block]);
      await deliver(replica.address, [block, blockOfIds(ids), block], 'spool-2');
      expect(await site.count(ids)).toEqual({ rows: 50, predictions: 50 });
      expect(await replica.metric('sluice_feedback_records_total', 'outcome="duplicate"')).toBe(90);
      expect(await replica.metric('sluice_feedback_batches_total', 'path="staged"')).toBeGreaterThan(0);
      expect(await replica.metric('sluice_feedback_batches_total', 'path="straight"')).toBeGreaterThan(0);
    });

    it('sends only a batch that collides through the staging table', async () => {
      const paths = async () => {
        const of = (path: string) => replica.metric('sluice_feedback_batches_total', `path="${path}"`);
        return [await of('straight'), await of('staged'), await of('split')] as const;
      };
      const [straight, staged, split] = await paths();
      const ids = someIds(20);
      // One after the other: each is a batch of its own.
      await deliver(replica.address, [blockOfIds(ids)], 'spool-fresh');
      await deliver(replica.address, [blockOfIds(someIds(20))], 'spool-fresh-too');
      expect(await paths()).toEqual([straight + 2, staged, split]);
      await deliver(replica.address, [blockOfIds([...someIds(20), ids[7]!])], 'spool-collides');
      expect(await paths()).toEqual([straight + 2, staged + 1, split]);
      await deliver(replica.address, [blockOfIds(someIds(20))], 'spool-fresh-again');
      expect(await paths()).toEqual([straight + 3, staged + 1, split]);
    });

    it('keeps each arm and attempt of a prediction, and one of them once', async () => {
      const [predictionId] = someIds(1);
      const given = [
        { predictionId, attempt: 1 },
        { predictionId, attempt: 2 },
        { predictionId, attempt: 1, context: { arm: 'mlp' } },
        { predictionId, attempt: 1, status: 13 },
      ] as never[];
      await deliver(replica.address, [blockOf(...given)]);
      const rows = await site.query<{ arm: string; attempt: number; status: number }>(
        'SELECT arm, attempt, status FROM feedback.evidence WHERE prediction_id = $1 ORDER BY arm, attempt',
        [predictionId],
      );
      expect(rows.map(({ arm, attempt }) => [arm, attempt])).toEqual([
        ['cnn', 1],
        ['cnn', 2],
        ['mlp', 1],
      ]);
    });

    it('keeps what is of no day that is kept in the table of skewed records, once, and there alone', async () => {
      const now = Date.now();
      const past = idAt(now - 7 * day - 60_000);
      const kept = idAt(now - 7 * day + 3_600_000);
      const [future, tomorrow] = [idAt(now + day + 3_600_000), idAt(now + day - 60_000)];
      const random = '0190a1b2-c3d4-4e5f-8a9b-0c1d2e3f4a5b';
      const ids = [past, kept, future, tomorrow, random];
      const block = blockOfIds(ids, { context: { retentionClass: 'short' } });
      await deliver(replica.address, [block]);
      await deliver(replica.address, [block], 'spool-2');
      expect(await site.count(ids)).toEqual({ rows: 2, predictions: 2 });
      expect(await site.count([kept, tomorrow])).toEqual({ rows: 2, predictions: 2 });
      expect(await site.count(ids, 'evidence_skewed')).toEqual({ rows: 3, predictions: 3 });
      expect(await replica.metric('sluice_feedback_records_total', 'outcome="skewed"')).toBe(3);
    });

    it('does not store again what was skewed and is not any more, nor the other way round', async () => {
      const [first, second, third] = someIds(3);
      await deliver(replica.address, [blockOfIds([first!, second!])]);
      // As if the first had come while its time had not.
      const columns = (
        await site.query<{ column_name: string }>(
          `SELECT column_name FROM information_schema.columns
       WHERE table_schema = 'feedback' AND table_name = 'evidence' ORDER BY ordinal_position`,
        )
      ).map(({ column_name }) => column_name);
      await site.query(
        `WITH gone AS (DELETE FROM feedback.evidence WHERE prediction_id = $1 RETURNING ${columns.join()})
       INSERT INTO feedback.evidence_skewed (${columns.join()}) SELECT ${columns.join()} FROM gone`,
        [first],
      );
      // Beside one that is new, so that nothing collides within the table of days.
      await deliver(replica.address, [blockOfIds([first!, third!])], 'spool-2');
      expect(await site.count([first!, second!, third!])).toEqual({ rows: 2, predictions: 2 });
      expect(await site.count([first!, second!], 'evidence_skewed')).toEqual({ rows: 1, predictions: 1 });
      // As if it had been stored in time and came again when its day is over.
      const late = idAt(Date.now() - 7 * day - 60_000);
      await site.query(`SELECT feedback.make_day('short', ($1::timestamptz AT TIME ZONE 'UTC')::date)`, [
        new Date(Date.now() - 7 * day - 60_000),
      ]);
      const short = { context: { retentionClass: 'short' } };
      await deliver(replica.address, [blockOfIds([late], short)], 'spool-3');
      await site.query(
        `WITH gone AS (DELETE FROM feedback.evidence_skewed WHERE prediction_id = $1 RETURNING ${columns.join()})
       INSERT INTO feedback.evidence (${columns.join()}) SELECT ${columns.join()} FROM gone`,
        [late],
      );
      await deliver(replica.address, [blockOfIds([late], short)], 'spool-3');
      expect(await site.count([late])).toEqual({ rows: 1, predictions: 1 });
      expect(await site.count([late], 'evidence_skewed')).toEqual({ rows: 0, predictions: 0 });
    });

    it('stores texts of callers as far as they are text, and no longer than records have them', async () => {
      const [predictionId] = someIds(1);
      const block = blockOf({ predictionId: predictionId!, requestId: 'a\0b', subject: 'x'.repeat(5_000) });
      const broken = Buffer.from(block);
      broken.write('\xff', broken.indexOf('a\0b') + 2, 'latin1');
      const [other] = someIds(1);
      await deliver(replica.address, [
        broken,
        blockOf({ predictionId: other!, requestId: '\0'.repeat(1_024), caller: '🙂'.repeat(300) }),
      ]);
      const rows = await site.query(
        `SELECT request_id, octet_length(subject) AS subject, octet_length(request_id) AS length, caller
       FROM feedback.evidence WHERE prediction_id = ANY ($1::uuid[]) ORDER BY length`,
        [[predictionId, other]],
      );
      expect(rows[0]).toMatchObject({ request_id: 'a\uFFFD\uFFFD', subject: 1_024 });
      expect(rows[1]).toMatchObject({ length: 1_023, caller: '🙂'.repeat(256) });
    });

    it('writes a batch again when it was the one to give way in a deadlock, without a word to its stream', async () => {
      // A replica that has the same rows in another order makes one; this stands for it.
      await site.query('CREATE SEQUENCE feedback.once');
      await site.query(
        `CREATE FUNCTION feedback.give_way() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
           IF nextval('feedback.once') = 2 THEN RAISE EXCEPTION 'no' USING ERRCODE = 'deadlock_detected'; END IF;
           RETURN new;
         END $$`,
      );
      await site.query(
        'CREATE TRIGGER give_way BEFORE INSERT ON feedback.evidence FOR EACH ROW EXECUTE FUNCTION feedback.give_way()',
      );
      const failed = await replica.metric('sluice_feedback_failed_batches_total');
      const ids = someIds(3);
      await deliver(replica.address, [blockOfIds(ids)]);
      await site.query('DROP FUNCTION feedback.give_way() CASCADE');
      expect(await site.query('SELECT last_value::int AS tried FROM feedback.once')).toEqual([{ tried: 5 }]);
      expect(await site.count(ids)).toEqual({ rows: 3, predictions: 3 });
      expect(await replica.metric('sluice_feedback_failed_batches_total')).toBe(failed);
    });

    it('commits with synchronous_commit on, whatever the default of the role is', async () => {
      await site.query('ALTER ROLE sluice_feedback SET synchronous_commit = off');
      await site.query(
        `CREATE FUNCTION feedback.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           new.rule := current_setting('synchronous_commit');
           RETURN new;
         END $$`,
      );
      await site.query(
        'CREATE TRIGGER look BEFORE INSERT ON feedback.evidence FOR EACH ROW EXECUTE FUNCTION feedback.look()',
      );
      const other = await site.start();
      const ids = someIds(2);
      // Straight, and over the staging table.
      await deliver(other.address, [blockOfIds(ids.slice(0, 1))]);
      await deliver(other.address, [blockOfIds(ids)]);
      await other.stop();
      await site.query('DROP FUNCTION feedback.look() CASCADE');
      await site.query('ALTER ROLE sluice_feedback RESET synchronous_commit');
      const rules = await site.query('SELECT DISTINCT rule FROM feedback.evidence WHERE prediction_id = ANY ($1)', [
        ids,
      ]);
      expect(rules).toEqual([{ rule: 'on' }]);
    });
  });
}
