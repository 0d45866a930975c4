import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { idAt } from '../evidence.ts';
import type { Given } from '../evidence.ts';
import { captured, Labelling, name, number } from '../labelling.ts';
import { scores } from '../task-registry.ts';

const dayMs = 86_400_000;

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

    it('is joined a few at once where it has many values, and holds nobody up after that', async () => {
      const [predictionId, next] = [idAt(Date.now()), idAt(Date.now())];
      const values = Array.from({ length: 4_000 }, () => ({ name: 'c' }));
      for (const source of ['one', 'two', 'three'])
        expect(await world.record({ predictionId, source, values })).toEqual(['waiting']);
      await world.stored({ predictionId, rows: 4_000 });
      await world.rows('outcome', [predictionId], 12_000);
      await left([predictionId]);
      await world.record({ predictionId: next, ...name('c') });
      await world.stored({ predictionId: next });
      await left([next]);
    });

    it('is listed a few at once where it has many values', async () => {
      const predictionId = idAt(Date.now());
      const values = Array.from({ length: 4_000 }, () => ({ name: 'c' }));
      for (const source of ['one', 'two', 'three', 'four', 'five'])
        expect(await world.record({ predictionId, source, values })).toEqual(['waiting']);
      await world.site.query(
        `UPDATE feedback.label_waiting SET state = 'unmatched', ended_at = now(), cause = 'not-found'`,
      );
      const pages: string[][] = [];
      for (let pageToken = ''; ;) {
        const page = await world.replica.labels.listUnmatchedLabels({ pageToken });
        pages.push(page.items.map(({ source }) => source));
        pageToken = page.nextPageToken;
        if (pageToken === '') break;
      }
      expect(pages.map((page) => page.length)).toEqual([3, 2]);
      expect(new Set(pages.flat()).size).toBe(5);
      await world.site.query('TRUNCATE feedback.label_waiting');
    });

    it('ends with the reason where its prediction came, and is kept apart', async () => {
      const predictionId = idAt(Date.now() - 20 * dayMs);
      expect(await world.record({ predictionId, ...name('c') })).toEqual(['waiting']);
      await world.stored({ predictionId, context: { retentionClass: 'short' } });
      await world.site.query(`UPDATE feedback.label_waiting SET expires_at = now() - interval '1 second'`);
      await eventually(async () => {
        const { items } = await world.replica.labels.listUnmatchedLabels({});
        expect(items.filter((each) => each.predictionId === predictionId)).toMatchObject([
          { status: 'FAILED_PRECONDITION', reason: expect.stringMatching(/its records are kept apart/) as string },
        ]);
      });
      await world.site.query('TRUNCATE feedback.label_waiting');
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

  describe('the settings of what waits', () => {
    it('say for how long it does, and how far back a request id is looked for', async () => {
      const settings = { SLUICE_LABEL_WAIT_DAYS: '2', SLUICE_LABEL_REQUEST_DAYS: '2' };
      const world = await Labelling.open(cluster(), settings);
      const ofDaysAgo = (days: number, requestId: string): Given => {
        const receivedMs = Date.now() - days * dayMs;
        return { predictionId: idAt(receivedMs), receivedMs, requestId, ...captured(scores([1, 0, 0])) };
      };
      const [recent, old] = await world.stored(ofDaysAgo(1, 'recent'), ofDaysAgo(3, 'old'));
      const labels = ['recent', 'old'].map((requestId) => ({
        ...{ source: 'people', model: 'digits', requestId, ...name('a') },
      }));
      const { answers } = await world.replica.labels.recordLabels({ labels });
      expect(answers).toMatchObject([
        { result: 'ITEM_RESULT_JOINED', predictionIds: [recent], waitsUntil: null },
        { result: 'ITEM_RESULT_WAITING', predictionIds: [] },
      ]);
      const aboutTwo = (days: number) => expect(Math.abs(days - 2)).toBeLessThan(0.1);
      aboutTwo((Number(answers[1]!.waitsUntil!.seconds) * 1_000 - Date.now()) / dayMs);
      const waiting = await world.site.query<{ days: number }>(
        `SELECT extract(epoch FROM expires_at - now())::float / 86400 AS days FROM feedback.label_waiting`,
      );
      expect(waiting).toHaveLength(1);
      aboutTwo(waiting[0]!.days);
      // One without these settings looks further back.
      const other = await world.site.start({ SLUICE_REGISTRY: world.registry.address });
      const again = await other.labels.recordLabels({ labels: [{ ...labels[1]!, source: 'others' }] });
      expect(again.answers).toMatchObject([{ result: 'ITEM_RESULT_JOINED', predictionIds: [old] }]);
      await world.close();
    });
  });
}
