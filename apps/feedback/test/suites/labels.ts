import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { idAt } from '../evidence.ts';
import type { Given } from '../evidence.ts';
import { captured, Labelling, name, number } from '../labelling.ts';
import { prices, scores } from '../task-registry.ts';

const dayMs = 86_400_000;

/** What callers say of predictions, and what is made of it. @param cluster the Postgres, on which it gets a database of its own */
export function labelsSuite(cluster: () => TestPostgres): void {
  let world: Labelling;

  beforeAll(async () => {
    world = await Labelling.open(cluster());
  });
  afterAll(() => world.close());

  describe('a label of a prediction that is there', () => {
    it('is joined, and held against the answer of each arm', async () => {
      const predictionId = idAt(Date.now());
      const twice = { predictionId, rows: 2 };
      await world.stored(
        { ...twice, attempt: 1, status: 14, rows: 0 },
        { ...twice, attempt: 2, keepProbability: 0.5, ...captured(scores([0.1, 0.7, 0.2], [0.6, 0.3, 0.1])) },
        {
          ...twice,
          context: { arm: 'shadow', role: 'shadow' },
          answered: false,
          ...captured(scores([3, 1, 2], [9, 1, 8])),
        },
        { ...twice, context: { arm: 'silent', role: 'shadow' }, answered: false },
      );
      expect(
        await world.record({
          predictionId,
          row: 1,
          ...name('c'),
          labelledAt: { seconds: 1_700_000_000, nanos: 5_000 },
        }),
      ).toEqual(['joined']);
      const base = { row: 1, truth: 'c', truthNumber: null, predictedNumber: null };
      expect(await world.outcomes(predictionId)).toEqual([
        { ...base, arm: 'cnn', attempt: 2, state: 'scored', predicted: 'a', probability: 0.1 },
        { ...base, arm: 'shadow', attempt: 1, state: 'scored', predicted: 'a', probability: null },
        { ...base, arm: 'silent', attempt: 1, state: 'not-captured', predicted: null, probability: null },
      ]);
      expect(
        await world.site.query(
          `SELECT DISTINCT l.row, l.name, l.source, l.actor, l.model, o.source AS "ofOutcome", o.version::int,
             o.label_recorded_at = l.recorded_at AS "sameTime", extract(epoch FROM o.labelled_at)::text AS at, o.label_id = l.label_id AS same
           FROM feedback.label AS l JOIN feedback.outcome AS o USING (class, prediction_id) WHERE l.prediction_id = $1`,
          [predictionId],
        ),
      ).toEqual([
        {
          ...{
            row: 1,
            name: 'c',
            source: 'people',
            actor: 'anonymous',
            model: 'digits',
            ofOutcome: 'people',
            version: 3,
          },
          ...{ sameTime: true, same: true, at: '1700000000.000005' },
        },
      ]);
      const weights = await world.site.query(
        'SELECT keep_probability AS p FROM feedback.outcome WHERE prediction_id = $1 AND attempt = 2',
        [predictionId],
      );
      expect(weights).toEqual([{ p: 0.5 }]);
    });

    it('may carry one value for each row', async () => {
      const [id] = await world.stored({ rows: 3, ...captured(scores([1, 0, 0], [0, 1, 0], [0, 1, 0])) });
      const values = ['a', 'b', 'c'].map((each) => ({ name: each }));
      expect(await world.record({ predictionId: id, values }, { predictionId: id, values: values.slice(1) })).toEqual([
        'joined',
        `INVALID_ARGUMENT values: 2 given; prediction ${id} has 3 rows, expected one value for each`,
      ]);
      expect(
        (await world.outcomes(id!)).map(({ row, truth, predicted, probability }) => [
          row,
          truth,
          predicted,
          probability,
        ]),
      ).toEqual([
        [0, 'a', 'a', 1],
        [1, 'b', 'b', 1],
        [2, 'c', 'b', 0],
      ]);
      // A part of it that is known does not make it known.
      expect(await world.record({ predictionId: id, values: [...values.slice(0, 2), { name: 'a' }] })).toEqual([
        'joined',
      ]);
      expect(await world.record({ predictionId: id, row: 2, ...name('a') }, { predictionId: id, values })).toEqual([
        'duplicate',
        'duplicate',
      ]);
    });

    it('is a number where the version predicts one, and anything where it has no task or nobody knows it', async () => {
      const model = (of: string): Given => ({ context: { model: of } });
      const [price, plain, unknown] = await world.stored(
        { ...model('price'), ...captured(prices(12.5)) },
        { ...model('plain'), ...captured(scores([1, 0, 0])) },
        model('nobody'),
      );
      expect(
        await world.record(
          { predictionId: price, ...number(10) },
          { predictionId: plain, ...name('x') },
          { predictionId: unknown, ...number(-1) },
        ),
      ).toEqual([...['joined', 'joined', 'joined']]);
      expect(await world.outcomes(price!)).toMatchObject([
        { state: 'scored', truthNumber: 10, predictedNumber: 12.5, predicted: null },
      ]);
      expect(await world.outcomes(plain!)).toMatchObject([{ state: 'not-decodable', truth: 'x' }]);
      expect(await world.outcomes(unknown!)).toMatchObject([{ state: 'not-captured', truthNumber: -1 }]);
    });

    it('is a duplicate when it comes again: in a batch, in another, at once; another value or source is another', async () => {
      const [id] = await world.stored(captured(scores([0, 0, 1])));
      const label = { predictionId: id, ...name('c') };
      expect(await world.record(label, label, { ...label, ...name('a') })).toEqual(['joined', 'duplicate', 'joined']);
      const all = await Promise.all(
        Array.from({ length: 4 }, () => world.record(label, { ...label, source: 'other' })),
      );
      expect(all.flat().toSorted()).toEqual([...Array<string>(7).fill('duplicate'), 'joined']);
      expect(await world.record({ ...label, labelledAt: { seconds: 5 } })).toEqual(['joined']);
      expect(await world.site.count([id!], 'label')).toEqual({ rows: 4, predictions: 1 });
      expect(await world.site.count([id!], 'outcome')).toEqual({ rows: 4, predictions: 1 });
    });

    it('counts before those that stood above it in one batch, also where they waited', async () => {
      const ids = await world.stored(...Array<Given>(8).fill(captured(scores([0, 0, 1]))));
      const late = ids.map(() => idAt(Date.now()));
      const rounds = ['a', 'b', 'c', 'b', 'c', 'a', 'b'];
      const batch = rounds.flatMap((each, round) =>
        [...ids, ...late].map((predictionId) => ({ predictionId, ...name(each), source: `s${round}` })),
      );
      expect(new Set(await world.record(...batch))).toEqual(new Set(['joined', 'waiting']));
      await world.stored(...late.map((predictionId) => ({ predictionId })));
      await world.rows('outcome', late, late.length * rounds.length);
      const counting = await world.site.query<{ source: string }>(
        `SELECT DISTINCT ON (prediction_id) source FROM feedback.outcome WHERE prediction_id = ANY ($1)
         ORDER BY prediction_id, label_recorded_at DESC, labelled_at DESC NULLS LAST, label_id DESC`,
        [[...ids, ...late]],
      );
      expect(counting.map(({ source }) => source)).toEqual([...ids, ...late].map(() => 's6'));
    });

    it('has an outcome that says why there is no score', async () => {
      const [erased, garbled, large, narrow] = await world.stored(
        { responseState: 'erased' },
        captured(Buffer.from('no answer')),
        captured(scores(...Array.from({ length: 2_000 }, () => [0, 0, 1]))),
        captured(scores([1, 2])),
      );
      expect(
        await world.record(...[erased, garbled, large, narrow].map((predictionId) => ({ predictionId, ...name('c') }))),
      ).toEqual(Array(4).fill('joined'));
      const states = await Promise.all(
        [erased, garbled, large, narrow].map(async (id) => (await world.outcomes(id!))[0]?.['state']),
      );
      expect(states).toEqual(['erased', 'not-decodable', 'scored', 'not-decodable']);
    });
  });

  describe('an item that is wrong', () => {
    it('is refused by name, and those beside it are not', async () => {
      const [id, other] = await world.stored({ rows: 2, ...captured(scores([0, 0, 1], [0, 0, 1])) }, {});
      const [price] = await world.stored({ context: { model: 'price' } });
      const at = { predictionId: id, ...name('c') };
      const old = idAt(Date.now() - 731 * dayMs);
      const ahead = idAt(Date.now() + 2 * dayMs);
      const soon = new Date(Date.now() + 600_000);
      const cases: [object, string][] = [
        [{ ...at, row: 2 }, `row: 2 given; prediction ${id} has 2 rows, expected 0 to 1`],
        [
          { predictionId: id, ...number(3) },
          'value: the number 3 given; expected the name of a class, since digits version 3 is a classification; its classes are "a", "b", "c"',
        ],
        [{ predictionId: id, ...name('d') }, 'value: digits version 3 has no class "d"; its classes are "a", "b", "c"'],
        [
          { predictionId: price, ...name('d') },
          'value: the name "d" given; expected a number, since price version 3 is a regression',
        ],
        [{ predictionId: price, ...number(NaN) }, 'value.number: NaN given; expected a finite number'],
        [{ predictionId: price, ...number(-Infinity) }, 'value.number: -Infinity given; expected a finite number'],
        [
          { ...at, labelledAt: { seconds: Math.floor(soon.getTime() / 1000) } },
          `labelled_at: ${soon.toISOString().slice(0, 19)}.000Z is in the future; expected a time until now, or 5 minutes from now where clocks differ`,
        ],
        [{ ...at, labelledAt: { seconds: -1 } }, 'labelled_at: is no time from 1970 on'],
        [{ ...at, labelledAt: { seconds: 1, nanos: 2_000_000_000 } }, 'labelled_at: is no time from 1970 on'],
        [{ predictionId: id, ...name('x'.repeat(1_025)) }, 'value.name: 1025 bytes given; expected at most 1024'],
        [
          { predictionId: id, ...name('a\0') },
          'value.name: the text has a NUL character (U+0000); expected Unicode without NUL',
        ],
        [{ predictionId: id, ...name('') }, 'value.name: missing; expected 1 to 1024 bytes of text'],
        [{ predictionId: id }, 'value: missing; expected a name or a number'],
        [{ predictionId: id, value: {} }, 'value: missing; expected a name or a number'],
        [{ ...at, source: '' }, 'source: missing; expected 1 to 200 bytes of text'],
        [{ ...at, source: 'é'.repeat(101) }, 'source: 202 bytes given; expected at most 200'],
        [{ ...at, source: 'a\0b' }, 'source: the text has a NUL character (U+0000); expected Unicode without NUL'],
        [{ ...at, requestId: 'r' }, 'request_id: given beside prediction_id; expected one of the two'],
        [{ ...at, model: 'digits' }, 'model: given beside prediction_id; expected only with request_id'],
        [name('c'), 'prediction_id: missing; expected the id of a prediction, or model and request_id'],
        [{ requestId: 'r', ...name('c') }, 'model: missing; expected 1 to 200 bytes of text'],
        [
          { model: 'digits', requestId: 'x'.repeat(65_537), ...name('c') },
          'request_id: 65537 bytes given; expected at most 65536',
        ],
        [
          { ...at, predictionId: 'p1' },
          'prediction_id: "p1" is none; expected a UUID of version 7, as answers carry it',
        ],
        [{ ...at, predictionId: ahead }, `prediction_id: ${ahead} is of a time more than a day ahead`],
        [{ ...at, values: [{ name: 'a' }, { name: 'b' }] }, 'value: given beside values; expected one of the two'],
        [
          { predictionId: id, row: 1, values: [{ name: 'a' }] },
          'row: 1 given beside values, which are for all rows; expected only with value',
        ],
        [
          { predictionId: id, values: [{ name: 'a' }, { name: 'z' }] },
          'values[1]: digits version 3 has no class "z"; its classes are "a", "b", "c"',
        ],
      ];
      const sent = cases.flatMap(([label]) => [
        label,
        { predictionId: other, ...name('b'), source: JSON.stringify(label).slice(0, 50) + String(Math.random()) },
      ]);
      const answers = await world.record(...sent);
      expect(answers.filter((_, index) => index % 2 === 0)).toEqual(
        cases.map(([, reason]) => `INVALID_ARGUMENT ${reason}`),
      );
      expect(answers.filter((_, index) => index % 2 === 1)).toEqual(cases.map(() => 'joined'));
      expect(await world.record({ ...at, predictionId: old })).toEqual([
        `NOT_FOUND prediction_id: ${old} has expired: evidence is kept 730 days at most`,
      ]);
    });

    it('takes the batch along only where that is too large, or no message at all', async () => {
      const label = { source: 's', predictionId: idAt(Date.now()), ...name('a') };
      await expect(
        world.replica.labels.recordLabels({ labels: Array(1_001).fill(label) as object[] }),
      ).rejects.toMatchObject({
        ...{ kind: 'invalid-argument', message: 'labels: 1001 given; expected at most 1000 in one batch' },
      });
      const values = Array<object>(5_001).fill({ name: 'a' });
      await expect(
        world.replica.labels.recordLabels({
          labels: [
            { ...label, value: null, values },
            { ...label, value: null, values },
          ],
        }),
      ).rejects.toMatchObject({ message: 'labels: 10002 values given; expected at most 10000 in one batch' });
      expect(await world.replica.labels.recordLabels({ labels: [] })).toEqual({ answers: [] });
    });

    it('is refused where its records are of no day', async () => {
      const [skewed] = await world.stored({
        predictionId: idAt(Date.now() - 20 * dayMs),
        context: { retentionClass: 'short' },
      });
      expect(await world.record({ predictionId: skewed, ...name('a') })).toEqual([
        `FAILED_PRECONDITION prediction_id: the records of ${skewed} are kept apart, since its time is of no day that is kept: it takes no labels`,
      ]);
    });

    it('is refused with UNAVAILABLE while the registry cannot say what a version predicts', async () => {
      const alone = await world.site.start();
      const [id] = await world.stored(captured(scores([1, 0, 0])));
      const label = { source: 's', predictionId: id!, ...name('a') };
      const { answers } = await alone.labels.recordLabels({ labels: [label] });
      expect(answers).toMatchObject([
        {
          status: 'UNAVAILABLE',
          reason: 'value: the registry cannot be asked what digits version 3 predicts: send it again',
        },
      ]);
      await alone.stop();
      expect(await world.site.count([id!], 'label')).toEqual({ rows: 0, predictions: 0 });
    });
  });

  describe('a request id', () => {
    it('names a prediction of the last days, as its text is stored', async () => {
      const long = `${'x'.repeat(1_023)}é and more`;
      const [one, cut, nul] = await world.stored({ requestId: 'order-1' }, { requestId: long }, { requestId: 'a\0b' });
      const { answers } = await world.replica.labels.recordLabels({
        labels: ['order-1', long, 'a\0b'].map((requestId) => ({
          source: 's',
          model: 'digits',
          requestId,
          ...name('a'),
        })),
      });
      expect(answers.map(({ result, predictionIds }) => [result, predictionIds])).toEqual(
        [one, cut, nul].map((id) => ['ITEM_RESULT_JOINED', [id]]),
      );
      await world.stored({
        predictionId: idAt(Date.now() - 31 * dayMs),
        receivedMs: Date.now() - 31 * dayMs,
        requestId: 'order-old',
      });
      expect(await world.record({ model: 'digits', requestId: 'order-old', ...name('a') })).toEqual(['waiting']);
      // By when it was received, too: the day of its id may be a longer one.
      await world.stored({ receivedMs: Date.now() - 31 * dayMs, requestId: 'order-long-ago' });
      expect(await world.record({ model: 'digits', requestId: 'order-long-ago', ...name('a') })).toEqual(['waiting']);
      expect(await world.record({ model: 'price', requestId: 'order-1', ...number(1) })).toEqual(['waiting']);
    });

    it('of several predictions is refused with a list of them', async () => {
      const ids = (await world.stored({ requestId: 'twice' }, { requestId: 'twice' })).toSorted();
      const { answers } = await world.replica.labels.recordLabels({
        labels: [{ source: 's', model: 'digits', requestId: 'twice', ...name('a') }],
      });
      expect(answers).toMatchObject([
        {
          ...{ result: 'ITEM_RESULT_REFUSED', status: 'FAILED_PRECONDITION', predictionIds: ids },
          reason: `request_id: it is of 2 predictions: ${ids.join(', ')}; expected the prediction_id of one`,
        },
      ]);
      await world.stored(...Array<Given>(12).fill({ requestId: 'twice' }));
      const again = await world.replica.labels.recordLabels({
        labels: [{ source: 's', model: 'digits', requestId: 'twice', ...name('a') }],
      });
      expect(again.answers[0]!.predictionIds).toHaveLength(10);
      expect(again.answers[0]!.reason).toContain('it is of more than 10 predictions');
      // All arms and attempts of one are one.
      const predictionId = idAt(Date.now());
      const both = { predictionId, requestId: 'arms' };
      await world.stored(both, { ...both, attempt: 2 }, { ...both, context: { arm: 'shadow' } });
      expect(await world.record({ model: 'digits', requestId: 'arms', ...name('a') })).toEqual(['joined']);
    });
  });

  describe('a label of a prediction that is not there', () => {
    it('waits, and is a duplicate while it does', async () => {
      const label = { source: 's', predictionId: idAt(Date.now()), ...name('a') };
      const { answers } = await world.replica.labels.recordLabels({ labels: [label, label, { ...label, row: 1 }] });
      expect(answers.map(({ result }) => result.slice(12))).toEqual(['WAITING', 'DUPLICATE', 'WAITING']);
      const days = (Number(answers[0]!.waitsUntil!.seconds) * 1_000 - Date.now()) / dayMs;
      expect(days).toBeGreaterThan(6.9);
      expect(days).toBeLessThan(7.1);
      expect((await world.replica.labels.recordLabels({ labels: [label] })).answers[0]!.result).toBe(
        'ITEM_RESULT_DUPLICATE',
      );
      expect(await world.site.count([label.predictionId], 'label_waiting')).toEqual({ rows: 2, predictions: 1 });
    });
  });

  describe('a stream', () => {
    it('answers batches in order, and reads no further than it can hold', async () => {
      const ids = await world.stored(...Array<Given>(40).fill(captured(scores([1, 0, 0]))));
      let asked = 0;
      const answered: string[] = [];
      async function* batches() {
        for (const predictionId of ids) {
          asked += 1;
          yield {
            labels: [
              { source: 's', predictionId, ...name('a') },
              { source: '', predictionId, ...name('a') },
            ],
          };
        }
      }
      for await (const { answers } of world.replica.labels.streamLabels(batches())) {
        expect(answers.map(({ result }) => result)).toEqual(['ITEM_RESULT_JOINED', 'ITEM_RESULT_REFUSED']);
        answered.push(answers[0]!.predictionIds[0]!);
      }
      expect(answered).toEqual(ids);
      expect(asked).toBe(40);
    });

    it('ends with the batch that is wrong as a whole, after the answers before it', async () => {
      const [predictionId] = await world.stored(captured(scores([1, 0, 0])));
      async function* batches() {
        yield { labels: [{ source: 's', predictionId: predictionId!, ...name('a') }] };
        yield { labels: Array(1_001).fill({}) as object[] };
      }
      const results: string[] = [];
      const reading = async () => {
        for await (const { answers } of world.replica.labels.streamLabels(batches())) results.push(answers[0]!.result);
      };
      await expect(reading()).rejects.toMatchObject({ kind: 'invalid-argument' });
      expect(results).toEqual(['ITEM_RESULT_JOINED']);
    });
  });
}
