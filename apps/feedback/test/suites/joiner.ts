import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { openDatabase } from '@sluice/persistence/open-database';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { Joiner } from '../../src/labels/joiner.ts';
import type { Item } from '../../src/labels/item.ts';
import { waitingKey } from '../../src/labels/digest.ts';
import { Turns } from '../../src/labels/record-items.ts';
import type { RecordPorts } from '../../src/labels/record-items.ts';
import type { VersionName } from '../../src/labels/task.ts';
import { taskOf as taskOfVersion } from '../../src/labels/registry-tasks.ts';
import { decodeTask } from '../../src/rpc/decode-version.ts';
import { plainPayloads } from '../../src/payloads/payload-cipher.ts';
import { copiedColumns } from '../../src/store/copy-rows.ts';
import { PostgresJoiner } from '../../src/store/joiner-store.ts';
import { PostgresLabels } from '../../src/store/label-store.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { idAt } from '../evidence.ts';
import type { Given } from '../evidence.ts';
import { captured, Labelling, name, number, words } from '../labelling.ts';
import { scores, tasks } from '../task-registry.ts';

/** What was said before its prediction was there. @param cluster the Postgres, on which it gets databases of its own */
export function joinerSuite(cluster: () => TestPostgres): void {
  describe('what waits', () => {
    let world: Labelling;

    beforeAll(async () => {
      world = await Labelling.open(cluster(), { SLUICE_JOIN_MS: '20' });
    });
    afterAll(() => world.close());

    const answer = captured(scores([0, 0, 1], [0, 1, 0]));
    const left = (ids: readonly string[]) => world.rows('label_waiting', ids, 0);

    it('is joined by itself when its prediction comes: by id, by request id, with all its values, when it came', async () => {
      const [byId, byRequest, perRow] = [idAt(Date.now()), idAt(Date.now()), idAt(Date.now())];
      const labelledAt = { seconds: 1_700_000_000, nanos: 1_000 };
      const values = [{ name: 'c' }, { name: 'a' }];
      const request = { model: 'digits', requestId: 'later\0', ...name('b') };
      expect(
        await world.record(
          { predictionId: byId, row: 1, ...name('b'), labelledAt },
          { ...request, source: 'one' },
          { ...request, source: 'two' },
          { predictionId: perRow, values },
        ),
      ).toEqual(['waiting', 'waiting', 'waiting', 'waiting']);
      const [came] = await world.site.query('SELECT max(recorded_at) AS at FROM feedback.label_waiting');
      const joined = await world.replica.metric('sluice_feedback_waiting_settled_total', 'how="joined"');
      await world.stored(
        { predictionId: byId, rows: 2, ...answer },
        { predictionId: byRequest, requestId: 'later\0', ...answer },
        { predictionId: perRow, rows: 2, ...answer },
      );
      await world.rows('outcome', [byId, byRequest, perRow], 5);
      expect(await world.outcomes(byId)).toMatchObject([{ row: 1, truth: 'b', predicted: 'b', state: 'scored' }]);
      expect(await world.outcomes(perRow)).toMatchObject([
        { row: 0, truth: 'c', predicted: 'c' },
        { row: 1, truth: 'a', predicted: 'b' },
      ]);
      await eventually(async () => expect(await world.site.query('SELECT FROM feedback.label_waiting')).toEqual([]));
      const labels = await world.site.query(
        `SELECT source, request_id AS request, date_trunc('milliseconds', recorded_at) <= $2 AS early, extract(epoch FROM labelled_at)::text AS at
         FROM feedback.label WHERE prediction_id = ANY ($1) AND row = 0 OR prediction_id = $3 ORDER BY source, row`,
        [[byRequest], came!['at'], byId],
      );
      expect(labels).toEqual([
        { source: 'one', request: 'later\uFFFD', early: true, at: null },
        { source: 'people', request: '', early: true, at: '1700000000.000001' },
        { source: 'two', request: 'later\uFFFD', early: true, at: null },
      ]);
      expect(await world.replica.metric('sluice_feedback_waiting_settled_total', 'how="joined"')).toBe(joined + 4);
      // What waited is known.
      expect(await world.record({ predictionId: byId, row: 1, ...name('b'), labelledAt })).toEqual(['duplicate']);
    });

    it('a label has an outcome for an arm or attempt that is stored after it', async () => {
      const predictionId = idAt(Date.now());
      await world.stored({ predictionId, rows: 2, ...answer });
      const shadow = (of: Given): Given => ({ predictionId, rows: 2, answered: false, ...of });
      expect(await world.record({ predictionId, ...name('c') }, { predictionId, row: 1, ...name('a') })).toEqual([
        'joined',
        'joined',
      ]);
      await world.stored(
        shadow({ context: { arm: 'mlp', role: 'shadow' }, ...captured(scores([1, 0, 0], [1, 0, 0])) }),
        shadow({ context: { arm: 'price', model: 'price', role: 'shadow', retentionClass: 'short' }, ...answer }),
        shadow({ context: { arm: 'failed', role: 'shadow' }, status: 14 }),
      );
      await world.rows('outcome', [predictionId], 6);
      expect(
        (await world.outcomes(predictionId)).map(({ arm, row, state, predicted }) => [arm, row, state, predicted]),
      ).toEqual([
        ...[
          ['cnn', 0, 'scored', 'c'],
          ['cnn', 1, 'scored', 'b'],
        ],
        ...[
          ['mlp', 0, 'scored', 'a'],
          ['mlp', 1, 'scored', 'a'],
        ],
        ...[
          ['price', 0, 'not-decodable', null],
          ['price', 1, 'not-decodable', null],
        ],
      ]);
      // The label lies in one class, and is known there.
      expect(await world.record({ predictionId, ...name('c') })).toEqual(['duplicate']);
    });

    it('is refused when it does not go with the prediction that came, and listed', async () => {
      const [wrong, outside] = [idAt(Date.now()), idAt(Date.now())];
      const ambiguous = { model: 'digits', requestId: 'two-of-them', ...name('a'), labelledAt: { seconds: 9 } };
      await world.record(
        { predictionId: wrong, ...number(3) },
        { predictionId: outside, row: 7, ...name('a') },
        ambiguous,
      );
      const twice = [idAt(Date.now()), idAt(Date.now())].toSorted();
      await world.stored(
        { predictionId: wrong },
        { predictionId: outside },
        ...twice.map((predictionId) => ({ predictionId, requestId: 'two-of-them' })),
      );
      const listed = await eventually(async () => {
        const { items } = await world.replica.labels.listUnmatchedLabels({});
        expect(items).toHaveLength(3);
        // Those of one batch come in any order.
        return items.toSorted(
          (one, other) => Number(one.requestId !== '') - Number(other.requestId !== '') || one.row! - other.row!,
        );
      });
      expect(listed).toMatchObject([
        {
          ...{
            kind: 'label',
            predictionId: wrong,
            row: 0,
            values: [{ number: 3 }],
            status: 'INVALID_ARGUMENT',
            source: 'people',
          },
          reason:
            'value: the number 3 given; expected the name of a class, since digits version 3 is a classification; its classes are "a", "b", "c"',
        },
        { predictionId: outside, row: 7, reason: `row: 7 given; prediction ${outside} has 1 row, expected 0 to 0` },
        {
          ...{
            predictionId: '',
            model: 'digits',
            requestId: 'two-of-them',
            status: 'FAILED_PRECONDITION',
            labelledAt: { seconds: '9' },
          },
          reason: `request_id: it is of 2 predictions: ${twice.join(', ')}; expected the prediction_id of one`,
        },
      ]);
      expect(await world.replica.metric('sluice_feedback_waiting_settled_total', 'how="refused"')).toBe(3);
      const first = await world.replica.labels.listUnmatchedLabels({ pageSize: 2 });
      const second = await world.replica.labels.listUnmatchedLabels({ pageSize: 2, pageToken: first.nextPageToken });
      expect([first.items.length, second.items.length, second.nextPageToken]).toEqual([2, 1, '']);
      const reasons = [...first.items, ...second.items].map(({ reason }) => reason);
      expect(reasons.toSorted()).toEqual(listed.map(({ reason }) => reason).toSorted());
      await world.site.query(`DELETE FROM feedback.label_waiting WHERE state <> 'waiting'`);
    });

    it('ends as unmatched when its time is over, is listed for a month, and may wait anew', async () => {
      const label = { predictionId: idAt(Date.now()), ...name('c') };
      await world.record(label);
      await world.site.query(`UPDATE feedback.label_waiting SET expires_at = now() - interval '1 second'`);
      await eventually(async () => expect((await world.replica.labels.listUnmatchedLabels({})).items).toHaveLength(1));
      const { items } = await world.replica.labels.listUnmatchedLabels({});
      expect(items).toMatchObject([
        { status: 'NOT_FOUND', reason: 'prediction_id: no prediction with it came in time' },
      ]);
      expect(await world.replica.metric('sluice_feedback_waiting_settled_total', 'how="unmatched"')).toBe(1);
      expect(await world.record(label)).toEqual(['waiting']);
      expect((await world.replica.labels.listUnmatchedLabels({})).items).toEqual([]);
      await world.stored({ predictionId: label.predictionId });
      await left([label.predictionId]);
      expect(await world.site.count([label.predictionId], 'label')).toEqual({ rows: 1, predictions: 1 });
      const late = { predictionId: idAt(Date.now()), ...name('c') };
      await world.record(late);
      await world.site.query(
        `UPDATE feedback.label_waiting SET state = 'unmatched', ended_at = now() - interval '31 days'`,
      );
      await left([late.predictionId]);
    });

    it('is joined after a restore too, in which transactions have other numbers', async () => {
      await world.site.query(`UPDATE feedback.join_position SET evidence_xid = '9000000000', system_identifier = 1`);
      const label = { predictionId: idAt(Date.now()), ...name('c') };
      await world.record(label);
      await world.stored({ predictionId: label.predictionId });
      await left([label.predictionId]);
    });

    it('is looked up by indexes, however much of it there is', async () => {
      await world.site.query(
        `INSERT INTO feedback.label_waiting (key, kind, prediction_id, model, request_id, source, actor, row, per_row, names, numbers, expires_at)
         SELECT decode(md5(n::text), 'hex'), 'label', CASE WHEN n % 2 = 0 THEN uuidv7() END, 'digits', CASE WHEN n % 2 = 0 THEN '' ELSE 'r' || n END,
           's', 'a', 0, false, ARRAY['a'], ARRAY[NULL::float8], now() + interval '7 days' FROM generate_series(1, 20000) AS n`,
      );
      const label = { predictionId: idAt(Date.now()), ...name('c') };
      await world.record(label, { model: 'digits', requestId: 'r5', ...name('a') });
      const plans = await world.site.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN SELECT key FROM feedback.label_waiting WHERE state = 'waiting' AND prediction_id IS NOT NULL
           AND prediction_id = ANY ('{${Array.from({ length: 1_000 }, () => idAt(Date.now())).join()}}'::uuid[])`,
      );
      expect(plans.map((row) => row['QUERY PLAN']).join('\n')).not.toContain('Seq Scan');
      await world.stored({ predictionId: label.predictionId, requestId: 'r5' });
      await world.rows('label', [label.predictionId], 3);
      expect(await world.site.query('SELECT count(*)::int AS left FROM feedback.label_waiting')).toEqual([
        { left: 19_999 },
      ]);
      await world.site.query('TRUNCATE feedback.label_waiting');
    });
  });

  describe('interleaved transactions', () => {
    let world: Labelling;
    let ports: RecordPorts;
    let joiner: Joiner;
    let away = false;
    const errors: unknown[] = [];
    const closing: (() => unknown)[] = [];

    beforeAll(async () => {
      // The replica's own joiner has had its round: here rounds are made by hand.
      world = await Labelling.open(cluster(), { SLUICE_JOIN_MS: '3600000' });
      const logger = { debug: () => undefined, warn: () => undefined };
      const names = { url: world.site.serviceUrl, schema: 'feedback', migrations, applicationName: 'test' };
      const dataSource = await openDatabase({
        ...names,
        poolSize: 5,
        statementTimeoutMs: 10_000,
        clock: systemClock,
        logger,
      });
      closing.push(() => dataSource.destroy());
      const taskOf = async ({ model }: { model: string }) => {
        if (away) throw unavailable('away');
        const signature = { inputs: [], outputs: [], batched: true };
        return taskOfVersion({ task: decodeTask(JSON.stringify({ task: tasks[model] })), signature });
      };
      // Nothing is remembered: each test says whether the registry is there.
      const versions = {
        peek: () => undefined,
        get: (version: VersionName) => taskOf(version).catch(() => 'away' as const),
      };
      const store = new PostgresLabels({ dataSource, requestDays: 30, available: () => undefined });
      ports = {
        ...{ store, tasks: versions, cipher: plainPayloads, clock: systemClock, waitMs: 60_000, turns: new Turns(2) },
        onAnswered: () => undefined,
      };
      const own = { store: new PostgresJoiner(dataSource), ports, clock: systemClock, everyMs: 1, isUp: () => true };
      joiner = new Joiner({ ...own, onSettled: () => undefined, onError: (error) => errors.push(error) });
    });
    afterAll(async () => {
      for (const close of closing) await close();
      await world.close();
    });

    /** Copies a record to another prediction in a transaction that is left open. */
    async function openRecord(template: string, predictionId: string, arm = 'cnn') {
      const client = new pg.Client({ connectionString: world.site.ownerUrl });
      await client.connect();
      const rest = copiedColumns.filter((column) => column !== 'prediction_id' && column !== 'arm').join();
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO feedback.evidence (prediction_id, arm, ${rest}) SELECT $2, $3, ${rest} FROM feedback.evidence WHERE prediction_id = $1`,
        [template, predictionId, arm],
      );
      return {
        commit: async () => {
          await client.query('COMMIT');
          await client.end();
        },
      };
    }

    const item = (predictionId: string, own: Partial<Item> = {}): Item => ({
      ...{ kind: 'label', predictionId, model: '', requestId: '', source: 's', actor: 'a', atMicros: undefined },
      ...{ row: 0, perRow: false, values: [{ name: 'c' }], payload: undefined, ...own },
    });
    const rounds = async (count: number) => {
      for (let round = 0; round < count; round++) await joiner.round();
      expect(errors).toEqual([]);
    };
    const answer = captured(scores([0, 0, 1]));

    it('an item that read before its record was committed, and is committed after it, is joined', async () => {
      const [template] = await world.stored(answer);
      await rounds(3);
      const predictionId = idAt(Date.now());
      // The record has the lower number, so it alone would be no reason to wait for the item.
      const record = await openRecord(template!, predictionId);
      await ports.store.transaction(async (tx) => {
        expect(await tx.answersOf([predictionId])).toEqual([]);
        await record.commit();
        await rounds(3);
        await tx.addWaiting([
          { key: waitingKey(item(predictionId)), item: item(predictionId), expiresMs: Date.now() + 60_000 },
        ]);
      });
      await rounds(2);
      expect(await world.site.count([predictionId], 'outcome')).toEqual({ rows: 1, predictions: 1 });
      expect(await world.site.count([predictionId], 'label_waiting')).toEqual({ rows: 0, predictions: 0 });
    });

    it('a label that did not see the answer of another arm, and is committed after it, is held against it', async () => {
      const [template] = await world.stored(answer);
      await rounds(3);
      const shadow = await openRecord(template!, template!, 'shadow');
      await ports.store.transaction(async (tx) => {
        const [seen, ...others] = await tx.answersOf([template!]);
        expect(others).toEqual([]);
        await shadow.commit();
        await rounds(3);
        const labelId = idAt(Date.now());
        const own = { item: item(template!), model: 'digits', row: 0, name: 'c', number: null, recordedAt: tx.now };
        await tx.addLabels([
          { labelId, class: seen!.class, predictionId: template!, ...own, digest: Buffer.alloc(16) },
        ]);
        await tx.addOutcomes([
          {
            label: { labelId, ...own, source: 's', labelledAt: null },
            answer: seen!,
            ...{ state: 'scored', score: { predictedName: 'c', predictedNumber: null, truthProbability: 1 } },
          },
        ]);
      });
      await rounds(2);
      expect((await world.outcomes(template!)).map(({ arm, state }) => [arm, state])).toEqual([
        ['cnn', 'scored'],
        ['shadow', 'scored'],
      ]);
    });

    it('a record that is committed last finds what waits, also while others are under way', async () => {
      const [template] = await world.stored(answer);
      const predictionId = idAt(Date.now());
      const record = await openRecord(template!, predictionId);
      expect(
        words(
          (await world.replica.labels.recordLabels({ labels: [{ source: 's', predictionId, ...name('c') }] })).answers,
        ),
      ).toEqual(['waiting']);
      await rounds(3);
      const other = await openRecord(template!, idAt(Date.now()));
      await record.commit();
      await rounds(3);
      // A transaction that began after it, and is not over, hides it: that is the lag.
      expect(joiner.lagSeconds).toBeGreaterThan(0);
      await other.commit();
      await rounds(2);
      expect(await world.site.count([predictionId], 'outcome')).toEqual({ rows: 1, predictions: 1 });
    });

    it('waits with all that follows while the registry is away, and goes on when it is back', async () => {
      const [shadowed] = await world.stored(answer);
      const [predictionId, later] = [idAt(Date.now()), idAt(Date.now())];
      await world.record({ predictionId, ...name('c') }, { predictionId: shadowed, ...name('c') });
      await rounds(2);
      const [before] = await world.site.query('SELECT evidence_xid FROM feedback.join_position');
      away = true;
      await world.stored(
        { predictionId, ...answer },
        { ...answer, predictionId: shadowed!, context: { arm: 'shadow' } },
      );
      await rounds(3);
      await world.stored({ predictionId: later });
      await rounds(3);
      expect(await world.site.query('SELECT evidence_xid FROM feedback.join_position')).toEqual([before]);
      expect(await world.site.count([predictionId], 'label_waiting')).toEqual({ rows: 1, predictions: 1 });
      away = false;
      await rounds(2);
      expect(await world.site.count([predictionId, shadowed!], 'outcome')).toEqual({ rows: 3, predictions: 2 });
    });

    it('one replica at a time is at it', async () => {
      const lock = await world.site.hold('SELECT pg_advisory_lock(1545396487)');
      const [predictionId] = [idAt(Date.now())];
      await world.record({ predictionId, ...name('c') });
      await world.stored({ predictionId });
      await rounds(3);
      expect(await world.site.count([predictionId], 'label')).toEqual({ rows: 0, predictions: 0 });
      await lock.release();
      await rounds(2);
      expect(await world.site.count([predictionId], 'label')).toEqual({ rows: 1, predictions: 1 });
    });
  });
}
