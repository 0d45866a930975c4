import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labelService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { idAt } from '../evidence.ts';
import { captured, Labelling, name, words } from '../labelling.ts';
import { streamedLabels } from '../property-runs.ts';
import { scores } from '../task-registry.ts';

/** What people say of predictions, and what is acknowledged when a replica dies. @param cluster the Postgres, on which it gets a database of its own */
export function feedbackItemsSuite(cluster: () => TestPostgres): void {
  let world: Labelling;

  beforeAll(async () => {
    world = await Labelling.open(cluster(), { SLUICE_JOIN_MS: '20' });
  });
  afterAll(() => world.close());

  async function say(...items: readonly object[]): Promise<string[]> {
    const request = { items: items.map((item) => ({ source: 'app', ...item })) };
    return words((await world.replica.labels.recordFeedback(request)).answers);
  }

  /** Rows of feedback, with their texts in plain. */
  async function kept(ids: readonly string[]): Promise<Record<string, unknown>[]> {
    const [rows, sealed] = await Promise.all([
      world.site.query(
        `SELECT kind, row, number::float, name, payload_state AS state, model, source
         FROM feedback.feedback_item WHERE prediction_id = ANY ($1) ORDER BY kind, row, number`,
        [ids],
      ),
      world.site.query<{ id: string; keyId: string | null; payload: Buffer | null }>(
        `SELECT feedback_id AS id, payload_key_id AS "keyId", payload
         FROM feedback.feedback_item WHERE prediction_id = ANY ($1) ORDER BY kind, row, number`,
        [ids],
      ),
    ]);
    const { payloads } = await world.site.keys();
    const opened = await payloads.openAll(
      sealed.map(({ id, keyId, payload }) => ({
        ...{ keyId: keyId ?? undefined, bytes: payload ?? Buffer.alloc(0), context: `feedback/${id}` },
      })),
    );
    return rows.map((row, at) => ({ ...row, payload: sealed[at]!.payload && Buffer.from(opened[at]!).toString() }));
  }

  describe('feedback', () => {
    it('of each kind is stored with its prediction, of a row or of all of it', async () => {
      const [predictionId] = await world.stored({ rows: 2, ...captured(scores([1, 0, 0], [0, 1, 0])) });
      const json = '{"late": true}';
      expect(
        await say(
          { predictionId, rating: -100, givenAt: { seconds: 1_700_000_000 } },
          { predictionId, row: 1, correction: { name: 'c' } },
          { predictionId, row: 0, reward: 0.25 },
          { predictionId, text: 'nice\ttry \\N' },
          { predictionId, json },
          { predictionId, rating: 0 },
          { predictionId, rating: 0 },
        ),
      ).toEqual(['joined', 'joined', 'joined', 'joined', 'joined', 'joined', 'duplicate']);
      const base = { model: 'digits', source: 'app', number: null, name: null, payload: null, state: 'none' };
      expect(await kept([predictionId!])).toEqual([
        { ...base, kind: 'correction', row: 1, name: 'c' },
        { ...base, kind: 'json', row: -1, payload: json, state: 'kept' },
        { ...base, kind: 'rating', row: -1, number: -100 },
        { ...base, kind: 'rating', row: -1, number: 0 },
        { ...base, kind: 'reward', row: 0, number: 0.25 },
        { ...base, kind: 'text', row: -1, payload: 'nice\ttry \\N', state: 'kept' },
      ]);
      expect(await world.site.count([predictionId!], 'outcome')).toEqual({ rows: 0, predictions: 0 });
    });

    it('of somebody whose name cannot be seen is refused', async () => {
      const client = createRpcClient(labelService, world.replica.address, { clock: systemClock, actor: 'a\u0000' });
      const [items, labels] = [[{ source: 'app', rating: 1 }], [{ source: 'app', ...name('a') }]];
      await expect(client.recordFeedback({ items })).rejects.toThrow(/^.*sluice-actor: expected a name/);
      await expect(client.recordLabels({ labels })).rejects.toThrow(/sluice-actor: expected a name/);
      client.close();
    });

    it('that is wrong is refused by name, and nothing beside it', async () => {
      const [predictionId] = await world.stored(captured(scores([1, 0, 0])));
      const cases: [object, string][] = [
        [{}, 'content: missing; expected a rating, a correction, a reward, a text or JSON'],
        [{ rating: 101 }, 'rating: 101 given; expected a number from -100 to 100'],
        [{ rating: NaN }, 'rating: NaN given; expected a finite number'],
        [{ reward: Infinity }, 'reward: Infinity given; expected a finite number'],
        [{ correction: {} }, 'correction: missing; expected a name or a number'],
        [
          { correction: { number: 4 } },
          'correction: the number 4 given; expected the name of a class, since digits version 3 is a classification; its classes are "a", "b", "c"',
        ],
        [{ text: '' }, 'text: empty; expected 1 to 16384 bytes'],
        [{ text: 'é'.repeat(8_193) }, 'text: 16386 bytes given; expected at most 16384'],
        [{ text: 'a\0' }, 'text: the text has a NUL character (U+0000); expected Unicode without NUL'],
        [{ json: '[1]' }, 'json: "[1]" is no object; expected JSON such as {"reason": "late"}'],
        [{ json: '{"a":' }, 'json: "{"a":" is no object; expected JSON such as {"reason": "late"}'],
        [{ row: 1, rating: 1 }, `row: 1 given; prediction ${predictionId} has 1 row, expected 0 to 0`],
        [{ rating: 1, source: '' }, 'source: missing; expected 1 to 200 bytes of text'],
        [{ rating: 1, requestId: 'r' }, 'request_id: given beside prediction_id; expected one of the two'],
        [
          { rating: 1, givenAt: { seconds: 9_999_999_999 } },
          'given_at: 2286-11-20T17:46:39.000Z is in the future; expected a time until now, or 5 minutes from now where clocks differ',
        ],
      ];
      const sent = cases.flatMap(([item], index) => [
        { predictionId, ...item },
        { predictionId, reward: index },
      ]);
      const answers = await say(...sent);
      expect(answers.filter((_, index) => index % 2 === 0)).toEqual(
        cases.map(([, reason]) => `INVALID_ARGUMENT ${reason}`),
      );
      expect(answers.filter((_, index) => index % 2 === 1)).toEqual(cases.map(() => 'joined'));
      const text = 'x'.repeat(16_384);
      const items = Array.from({ length: 65 }, () => ({ source: 's', predictionId: predictionId!, text }));
      await expect(world.replica.labels.recordFeedback({ items })).rejects.toMatchObject({
        message: 'items: 1064960 bytes of texts and JSON given; expected at most 1048576 in one batch',
      });
    });

    it('waits as labels do, and its text is gone when it is given up', async () => {
      const [comes, never] = [idAt(Date.now()), idAt(Date.now())];
      expect(
        await say(
          { predictionId: comes, text: 'early' },
          { predictionId: never, text: 'private' },
          { predictionId: comes, rating: 3 },
        ),
      ).toEqual(['waiting', 'waiting', 'waiting']);
      await world.stored({ predictionId: comes });
      await world.rows('feedback_item', [comes], 2);
      expect((await kept([comes])).map(({ kind, payload, row }) => [kind, payload, row])).toEqual([
        ['rating', null, -1],
        ['text', 'early', -1],
      ]);
      await world.site.query(`UPDATE feedback.label_waiting SET expires_at = now() - interval '1 second'`);
      await world.rows('label_waiting', [comes], 0);
      const gone = () =>
        world.site.query(`SELECT state, payload FROM feedback.label_waiting WHERE prediction_id = $1`, [never]);
      await world.until(async () => expect(await gone()).toEqual([{ state: 'unmatched', payload: null }]));
      const { items } = await world.replica.labels.listUnmatchedLabels({});
      expect(items).toMatchObject([{ kind: 'text', predictionId: never, values: [], source: 'app' }]);
    });

    it('goes by the request id of its caller too: joined, refused where it is of two, or joined when its record comes', async () => {
      const of = (requestId: string, said: object) => ({ source: 'app', model: 'digits', requestId, ...said });
      const [one] = await world.stored(
        { requestId: 'said-once' },
        { requestId: 'said-once', context: { model: 'price' } },
      );
      const two = (await world.stored({ requestId: 'said-twice' }, { requestId: 'said-twice' })).toSorted();
      const early = of('said-early', { text: 'early' });
      const items = [of('said-once', { text: 'at once' }), of('said-twice', { rating: 1 }), early];
      const { answers } = await world.replica.labels.recordFeedback({ items });
      expect(answers).toMatchObject([
        { result: 'ITEM_RESULT_JOINED', predictionIds: [one] },
        {
          ...{ result: 'ITEM_RESULT_REFUSED', status: 'FAILED_PRECONDITION', predictionIds: two },
          reason: `request_id: it is of 2 predictions: ${two.join(', ')}; expected the prediction_id of one`,
        },
        { result: 'ITEM_RESULT_WAITING', predictionIds: [] },
      ]);
      const [comes] = await world.stored({ requestId: 'said-early' });
      await world.rows('feedback_item', [comes!], 1);
      const base = { model: 'digits', source: 'app', kind: 'text', row: -1, number: null, name: null, state: 'kept' };
      expect(await kept([one!])).toEqual([{ ...base, payload: 'at once' }]);
      expect(await kept([comes!])).toEqual([{ ...base, payload: 'early' }]);
      expect(await kept(two)).toEqual([]);
      const named = await world.site.query(
        `SELECT request_id AS "requestId" FROM feedback.feedback_item WHERE prediction_id = ANY ($1) ORDER BY 1`,
        [[one, comes]],
      );
      expect(named).toEqual([{ requestId: 'said-early' }, { requestId: 'said-once' }]);
      // By its prediction's id it is the same.
      expect(await say(early, { predictionId: comes, text: 'early' })).toEqual(['duplicate', 'duplicate']);
    });

    it('comes over streams too', async () => {
      const ids = await world.stored(...Array.from({ length: 5 }, () => ({})));
      async function* batches() {
        for (const predictionId of ids) yield { items: [{ source: 's', predictionId, rating: 5 }] };
      }
      const joined: string[] = [];
      for await (const { answers } of world.replica.labels.streamFeedback(batches()))
        joined.push(...answers.flatMap(({ predictionIds }) => predictionIds));
      expect(joined).toEqual(ids);
    });
  });

  describe('what is said of predictions of a subject', () => {
    const large = scores(...Array.from({ length: 2_000 }, () => [0, 0, 1]));
    const states = async (id: string) =>
      (await world.outcomes(id)).map(({ arm, row, state, predicted }) => [arm, row, state, predicted]);

    it('is held against encrypted answers, small and large, for as long as their key is there', async () => {
      const subject = 'sue';
      const [small, big] = (await world.stored(
        { rows: 2, subject, ...captured(scores([0, 1, 0], [0, 0, 1])) },
        { rows: 2_000, subject, ...captured(large) },
      )) as [string, string];
      const plain = await world.site.query(
        `SELECT FROM feedback.evidence WHERE prediction_id = ANY ($1) AND payload_key_id IS NULL`,
        [[small, big]],
      );
      expect(plain).toEqual([]);
      const label = (predictionId: string, row: number, ...of: [string]) => ({ predictionId, row, ...name(...of) });
      expect(await world.record(label(small, 0, 'b'), label(big, 1_999, 'c'))).toEqual(['joined', 'joined']);
      expect([await states(small), await states(big)]).toEqual([
        [['cnn', 0, 'scored', 'b']],
        [['cnn', 1_999, 'scored', 'c']],
      ]);
      await world.replica.privacy.eraseSubject({ subject, reason: 'a letter' });
      expect(await world.record(label(small, 1, 'c'), label(big, 0, 'c'))).toEqual(['joined', 'joined']);
      // A shadow's answer that comes after the order, and is held against the labels by the joiner.
      const shadow = { context: { arm: 'mlp', role: 'shadow' as const }, answered: false };
      await world.stored({
        ...{ predictionId: small, rows: 2, subject, ...shadow },
        ...captured(scores([1, 0, 0], [1, 0, 0])),
      });
      await world.rows('outcome', [small], 4);
      expect(await states(small)).toEqual([
        ['cnn', 0, 'scored', 'b'],
        ['cnn', 1, 'erased', null],
        ['mlp', 0, 'erased', null],
        ['mlp', 1, 'erased', null],
      ]);
      expect(await states(big)).toEqual([
        ['cnn', 0, 'erased', null],
        ['cnn', 1_999, 'scored', 'c'],
      ]);
    });

    it('has no text once the subject is erased, and all the rest', async () => {
      const [predictionId] = (await world.stored({ subject: 'una' })) as [string];
      expect(await say({ predictionId, text: 'una was here' })).toEqual(['joined']);
      await world.replica.privacy.eraseSubject({ subject: 'una', reason: 'a letter' });
      const json = '{"una": 1}';
      const said = [{ text: 'una again' }, { json }, { rating: 2 }, { correction: { name: 'a' } }];
      expect(await say(...said.map((each) => ({ predictionId, ...each })))).toEqual(said.map(() => 'joined'));
      const rows = await world.site.query<{ kind: string; state: string; has: boolean }>(
        `SELECT kind, payload_state AS state, payload IS NOT NULL AS has FROM feedback.feedback_item
         WHERE prediction_id = $1 ORDER BY kind, state DESC`,
        [predictionId],
      );
      expect(rows.map(({ kind, state, has }) => [kind, state, has])).toEqual([
        ['correction', 'none', false],
        ['json', 'erased', false],
        ['rating', 'none', false],
        // Its key is gone.
        ['text', 'kept', true],
        ['text', 'erased', false],
      ]);
      // Nothing that tells the text is kept of what came after the order.
      expect(await say({ predictionId, text: 'una again' })).toEqual(['duplicate']);
    });

    it('is gone with an order that came while it waited, also where the subject has a new key when it is joined', async () => {
      const subject = 'tim';
      const [before, after] = [idAt(Date.now()), idAt(Date.now())];
      expect(await say(...[before, after].map((predictionId) => ({ predictionId, text: predictionId })))).toEqual([
        'waiting',
        'waiting',
      ]);
      await world.replica.privacy.eraseSubject({ subject, reason: 'a letter' });
      // The order was given a while ago, and one of the two texts before it.
      await world.site.query(`UPDATE feedback.erasure SET ordered_at = ordered_at - interval '90 s'`);
      await world.site.query(
        `UPDATE feedback.label_waiting SET recorded_at = recorded_at - interval '120 s' WHERE prediction_id = $1`,
        [before],
      );
      await world.stored({ subject, ...captured(scores([1, 0, 0])) });
      await world.stored({ predictionId: before, subject }, { predictionId: after, subject });
      await world.rows('feedback_item', [before, after], 2);
      const state = async (id: string) => {
        const [row] = await world.site.query<{ state: string; has: boolean }>(
          `SELECT payload_state AS state, payload IS NOT NULL AS has FROM feedback.feedback_item WHERE prediction_id = $1`,
          [id],
        );
        return row;
      };
      expect([await state(before), await state(after)]).toEqual([
        { state: 'erased', has: false },
        { state: 'kept', has: true },
      ]);
    });

    it('is joined where a payload is not what was stored, which says nothing', async () => {
      const [broken, sound] = (await world.stored(
        { subject: 'vic', ...captured(scores([0, 0, 1])) },
        { subject: 'vic', ...captured(scores([0, 0, 1])) },
      )) as [string, string];
      await world.site.query(
        `UPDATE feedback.evidence SET response = set_byte(response, 20, get_byte(response, 20) # 1) WHERE prediction_id = $1`,
        [broken],
      );
      expect(await world.record(...[broken, sound].map((predictionId) => ({ predictionId, ...name('c') })))).toEqual([
        'joined',
        'joined',
      ]);
      expect([await states(broken), await states(sound)]).toEqual([
        [['cnn', 0, 'not-decodable', null]],
        [['cnn', 0, 'scored', 'c']],
      ]);
    });
  });

  describe('a long stream of labels', () => {
    it('for predictions that are not there waits, the same again is known, and both end', async () => {
      const [comes] = [idAt(Date.now())];
      const send = async (): Promise<Map<string, number>> => {
        const results = new Map<string, number>();
        async function* batches() {
          for (let from = 0; from < streamedLabels; from += 1_000)
            yield {
              labels: Array.from({ length: Math.min(1_000, streamedLabels - from) }, (_, at) => ({
                ...{ source: 's', model: 'digits', requestId: `long-${from + at}`, ...name('c') },
              })),
            };
        }
        for await (const { answers } of world.replica.labels.streamLabels(batches()))
          for (const { result } of answers) results.set(result, (results.get(result) ?? 0) + 1);
        return results;
      };
      expect(await send()).toEqual(new Map([['ITEM_RESULT_WAITING', streamedLabels]]));
      expect(await send()).toEqual(new Map([['ITEM_RESULT_DUPLICATE', streamedLabels]]));
      await world.stored({ predictionId: comes, requestId: 'long-1' });
      await world.rows('label', [comes], 1);
      await world.site.query('TRUNCATE feedback.label_waiting');
    });
  });

  describe('a replica that is killed', () => {
    it('has joined every label that it acknowledged, and what is sent again is known', async () => {
      const some = Array.from({ length: 200 }, () => captured(scores([0, 0, 1])));
      const ids = [...(await world.stored(...some)), ...(await world.stored(...some))];
      const { child, address } = await world.site.spawn({ SLUICE_REGISTRY: world.registry.address });
      const client = createRpcClient(labelService, address, { clock: systemClock });
      const acknowledged: string[] = [];
      const exit = once(child, 'exit');
      async function* batches() {
        for (let from = 0; from < ids.length; from += 10) {
          // However fast it answers, something is left when it is killed.
          if (from === ids.length - 10) await exit;
          yield {
            labels: ids.slice(from, from + 10).map((predictionId) => ({ source: 's', predictionId, ...name('c') })),
          };
        }
      }
      await expect(async () => {
        for await (const { answers } of client.streamLabels(batches())) {
          acknowledged.push(...answers.flatMap(({ predictionIds }) => predictionIds));
          if (acknowledged.length === 100) child.kill('SIGKILL');
        }
      }).rejects.toMatchObject({ kind: 'unavailable' });
      await exit;
      client.close();
      expect(acknowledged.length).toBeGreaterThanOrEqual(100);
      for (const table of ['label', 'outcome'])
        expect((await world.site.count(acknowledged, table)).rows).toBe(acknowledged.length);
      const again = await world.record(...ids.map((predictionId) => ({ source: 's', predictionId, ...name('c') })));
      expect(again.slice(0, acknowledged.length)).toEqual(acknowledged.map(() => 'duplicate'));
      for (const table of ['label', 'outcome']) expect((await world.site.count(ids, table)).rows).toBe(ids.length);
    });
  });
}
