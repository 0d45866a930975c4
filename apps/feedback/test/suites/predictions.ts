import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PredictionServiceMethods } from '@sluice/contracts/services';
import { predictionService } from '@sluice/contracts/services';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { buildInferResponse } from '@sluice/inference/infer-response';
import { encodeTensor } from '@sluice/inference/tensor-data';
import type { RpcClient } from '@sluice/rpc/client';
import { createRpcClient } from '@sluice/rpc/client';
import { openDatabase } from '@sluice/persistence/open-database';
import type { RpcError } from '@sluice/rpc/status';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { parameters } from '../../src/store/connection.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { PredictionStore, statementsById } from '../../src/store/prediction-store.ts';
import { blockOf, idAt } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';
import { startTestRegistry } from '../registry.ts';
import { insertTruth } from '../truth.ts';

const dayMs = 86_400_000;
const request = buildInferRequest({
  modelName: 'digits',
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [1, 3], data: encodeTensor('FP32', [0.5, 1, Number.NaN]) }],
});
const response = buildInferResponse({
  ...{ modelName: 'digits', modelVersion: '3', id: '' },
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [1, 2], data: encodeTensor('FP32', [0.25, 0.75]) }],
});
const signature = {
  inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 3], features: ['a', 'b', 'c'].map((name) => ({ name })) }],
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2], classNames: ['even', 'odd'] }],
  batched: true,
};

/** Look-ups of predictions. @param cluster the Postgres, on which it gets a database of its own */
export function predictionsSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;
  let registry: Awaited<ReturnType<typeof startTestRegistry>>;
  let client: RpcClient<PredictionServiceMethods>;

  beforeAll(async () => {
    registry = await startTestRegistry({
      version: (model, number) =>
        number > 3 ? undefined : { model, number, digest: 'd'.repeat(64), revision: 11, signature, manifestJson: '{}' },
      model: (name) =>
        name === 'nobody' ? undefined : { model: { name, settings: { capture: { rate: 0.25 } } }, release: null },
      stateAsOf: () => ({
        aliases: [
          { alias: 'champion', version: 3, revision: 9 },
          { alias: 'old', version: 1, revision: 2 },
        ],
        versions: [],
      }),
    });
    [site] = await Promise.all([Site.open(cluster())]);
    replica = await site.start({ SLUICE_REGISTRY: registry.address, SLUICE_UPKEEP_MS: '200' });
    client = createRpcClient(predictionService, replica.address, { clock: systemClock });
  });
  afterAll(async () => {
    client.close();
    await site.close();
    await registry.stop();
  });

  describe('a prediction', () => {
    it('is shown with all its arms and attempts, why they went there, labels, outcomes and links', async () => {
      const receivedMs = Date.now() - 60_000;
      const predictionId = idAt(receivedMs);
      const context = {
        releaseId: 'digits@17',
        arm: 'mlp',
        servedArm: 'cnn',
        role: 'candidate',
        propensity: 0.2,
      } as const;
      const timings = { queueMicros: 10, runMicros: 20, totalMicros: 40, batchRows: 8, costMicros: 2.5 };
      await deliver(replica.address, [
        blockOf(
          {
            predictionId,
            receivedMs,
            context: { releaseId: 'digits@17', arm: 'shade', role: 'shadow' },
            answered: false,
            reason: 'shadow',
          },
          {
            ...{ predictionId, receivedMs, context, reason: 'unit', fallbackStatus: 14, rows: 1, timings },
            ...{ sentMicros: 5, endedMicros: 90, requestId: 'order-7', subject: 'anna', caller: 'web', runtime: 'r1' },
            ...{ traceId: 'ab'.repeat(16), keepProbability: 0.5, unitHash: 'u'.repeat(16), inputHash: 'i'.repeat(32) },
          },
          {
            predictionId,
            receivedMs,
            context: { ...context, retentionClass: 'long' },
            attempt: 2,
            status: 14,
            answered: false,
          },
        ),
      ]);
      const first = new Date(receivedMs + 1_000);
      const labels = await insertTruth(site, [
        {
          predictionId,
          name: 'odd',
          predictedName: 'odd',
          truthProbability: 0.75,
          source: 'expert',
          recordedAt: first,
        },
        {
          predictionId,
          name: 'even',
          predictedName: 'odd',
          labelledAt: first,
          recordedAt: new Date(receivedMs + 2_000),
        },
      ]);
      const { prediction } = await eventually(async () => {
        const found = await client.getPrediction({ predictionId: predictionId.toUpperCase(), withAliases: true });
        // Where the registry is slow to answer, upkeep asks again.
        expect(found.prediction!.attempts[0]).toMatchObject({ versionKnown: true });
        return found;
      });
      expect(prediction).toMatchObject({ predictionId, cut: false });
      expect(prediction!.attempts.map(({ arm, attempt, retentionClass }) => [arm, attempt, retentionClass])).toEqual([
        ...[
          ['mlp', 1, 'standard'],
          ['mlp', 2, 'long'],
          ['shade', 1, 'standard'],
        ],
      ]);
      expect(prediction!.attempts[0]).toMatchObject({
        ...{ model: 'digits', version: '3', versionKnown: true, releaseId: 'digits@17', servedArm: 'cnn' },
        ...{ role: 'candidate', propensity: 0.2, answered: true, reason: 'unit', status: 0, statusName: 'OK' },
        ...{ fallbackStatus: 14, costMicros: 2.5, rows: '1', keepProbability: 0.5, requestId: 'order-7' },
        ...{ subject: 'anna', caller: 'web', runtime: 'r1', traceId: 'ab'.repeat(16), skewed: false },
        timings: {
          sentMicros: '5',
          endedMicros: '90',
          queueMicros: '10',
          runMicros: '20',
          totalMicros: '40',
          batchRows: '8',
        },
        request: { state: 'off', sizeBytes: '0', tensors: [], problem: '' },
        reasonText:
          'the hash of its unit key fell to "mlp" with probability 0.2; "mlp" failed with UNAVAILABLE, and "cnn" served in its place',
      });
      expect(Buffer.from(prediction!.attempts[0]!.unitHash).toString()).toBe('u'.repeat(16));
      expect(Number(prediction!.attempts[0]!.receivedAt!.seconds)).toBe(Math.floor(receivedMs / 1000));
      expect(prediction!.attempts[1]).toMatchObject({ statusName: 'UNAVAILABLE', answered: false });
      expect(prediction!.attempts[1]!.timings).not.toHaveProperty('queueMicros');
      expect(prediction!.labels).toMatchObject([
        { labelId: labels[1], name: 'even', source: 'people', actor: 'tester', resolves: true },
        { labelId: labels[0], name: 'odd', source: 'expert', labelledAt: null, resolves: false },
      ]);
      expect(prediction!.outcomes.map(({ arm, labelId, resolves }) => [arm, labelId === labels[1], resolves])).toEqual(
        expect.arrayContaining([
          ...[
            ['mlp', true, true],
            ['mlp', false, false],
            ['shade', true, true],
            ['shade', false, false],
          ],
        ]),
      );
      expect(prediction!.outcomes.find(({ labelId }) => labelId === labels[0])).toMatchObject({
        ...{ truthName: 'odd', predictedName: 'odd', truthProbability: 0.75, state: 'scored', version: '3' },
      });
      expect(prediction!.auditLinks).toEqual([
        { kind: 'release', object: 'model/digits/release', leafIndex: '17' },
        { kind: 'version', object: 'model/digits/version/3', leafIndex: '11' },
        { kind: 'alias', object: 'model/digits/alias/champion', leafIndex: '9' },
      ]);
      const policy = { resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST' as const, trustedSources: ['nobody', 'expert'] };
      const trusted = (await client.getPrediction({ predictionId, labelPolicy: policy })).prediction!;
      expect(trusted.labels.map(({ source, resolves }) => [source, resolves])).toEqual([
        ...[
          ['expert', true],
          ['people', false],
        ],
      ]);
      expect(trusted.labelPolicy).toEqual(policy);
      expect(trusted.auditLinks).toHaveLength(2);
    });

    it('that is out of time is found too', async () => {
      const predictionId = idAt(Date.now() + 3 * dayMs);
      await deliver(replica.address, [blockOf({ predictionId })]);
      const { prediction } = await client.getPrediction({ predictionId });
      expect(prediction!.attempts).toMatchObject([{ skewed: true, arm: 'cnn' }]);
    });

    it('that is not there says what that can mean', async () => {
      const absence = async (asked: { predictionId: string; model?: string }) => {
        const error = (await client.getPrediction(asked).catch((thrown: unknown) => thrown)) as RpcError;
        expect(error).toMatchObject({ kind: 'not-found', code: 5 });
        return [error.message, error.trailers['sluice-absent'], error.trailers['sluice-absent-day']] as const;
      };
      const now = Date.now();
      const recent = idAt(now - 1_000);
      const [message, reasons, day] = await absence({ predictionId: recent, model: 'digits' });
      expect(message).toMatch(
        /^there is no record of prediction .*, of \d{4}-\d\d-\d\d\. Possible: .*\(digits keeps 25 % /,
      );
      expect([reasons, day]).toEqual([
        'not-captured,not-here-yet,never-seen',
        new Date(now - 1_000).toISOString().slice(0, 10),
      ]);
      expect((await absence({ predictionId: idAt(now - 8 * dayMs) }))[1]).toBe('not-captured,expired,never-seen');
      expect((await absence({ predictionId: idAt(now - 731 * dayMs) }))[1]).toBe('expired,never-seen');
      expect((await absence({ predictionId: idAt(now + 2 * dayMs) }))[1]).toBe('never-seen');
      const old = await absence({ predictionId: '0198c0de-0000-4000-8000-000000000000' });
      expect(old).toEqual([expect.stringContaining('no UUID of version 7'), 'not-uuidv7,never-seen', undefined]);
      await expect(client.getPrediction({ predictionId: 'x' })).rejects.toMatchObject({
        message: 'prediction_id: "x" given; expected a UUID',
        kind: 'invalid-argument',
      });
    });

    it('is looked up by a plan of its own, and not by one for all ids', async () => {
      for (const back of [0, 1, 2, 3])
        await deliver(replica.address, [
          blockOf(
            ...(['short', 'standard', 'long'] as const).map((retentionClass) => ({
              ...{ predictionId: idAt(Date.now() - back * dayMs), context: { retentionClass } },
            })),
          ),
        ]);
      const dataSource = await openDatabase({
        ...{ url: site.serviceUrl, schema: 'feedback', migrations, applicationName: 'test', parameters, poolSize: 1 },
        ...{
          statementTimeoutMs: 10_000,
          clock: systemClock,
          logger: { debug: () => undefined, warn: () => undefined },
        },
      });
      const store = new PredictionStore(dataSource, () => undefined);
      for (let each = 0; each < 9; each++) await store.find(idAt(Date.now()));
      // A plan for every id would lock every day.
      expect(
        await dataSource.query(
          `SELECT sum(generic_plans)::int AS every, sum(custom_plans)::int AS each FROM pg_prepared_statements WHERE name LIKE '%-by-id'`,
        ),
      ).toEqual([{ every: 0, each: 18 }]);
      await dataSource.destroy();
    });

    it('is looked up in one day of each class of each table, by every statement', async () => {
      const touched = async (text: string) => {
        const plan = await site.query(`EXPLAIN (FORMAT JSON) ${text.replaceAll('$1', `'${idAt(Date.now())}'`)}`);
        const tables = [...JSON.stringify(plan).matchAll(/"Relation Name":"([^"]+)"/g)];
        return tables.map(([, name]) => name!.replace(/_\d{8}$/, '_DAY')).toSorted();
      };
      const found: Record<string, string[]> = {};
      for (const { name, text } of statementsById) found[name] = await touched(text);
      const days = (table: string) => ['long', 'short', 'standard'].map((name) => `${table}_${name}_DAY`);
      expect(found).toEqual({
        'attempts-by-id': days('evidence'),
        'all-attempts-by-id': [...days('evidence'), 'evidence_skewed'].toSorted(),
        'elsewhere-by-id': [...days('feedback_item'), ...days('label'), 'evidence_skewed'].toSorted(),
        'labels-by-id': days('label'),
        'outcomes-by-id': days('outcome'),
        'feedback-by-id': days('feedback_item'),
        'texts-by-id': days('feedback_item'),
      });
    });
  });

  describe('payloads', () => {
    const captured = { requestState: 'captured', request, responseState: 'captured', response: [response] } as const;
    const ofBoth = async (own: object = {}) => {
      const predictionId = idAt(Date.now());
      await deliver(replica.address, [
        blockOf(
          { predictionId, ...captured, ...own },
          { predictionId, ...captured, context: { arm: 'shade', role: 'shadow', version: 4 }, answered: false },
        ),
      ]);
      return predictionId;
    };

    it('are not given where the access cannot be written into the audit log', async () => {
      const predictionId = await ofBoth();
      await site.query('ALTER TABLE feedback.audit_outbox RENAME TO audit_outbox_away');
      await expect(client.getPrediction({ predictionId, withPayload: true })).rejects.toMatchObject({
        kind: 'failed-precondition',
      });
      await site.query('ALTER TABLE feedback.audit_outbox_away RENAME TO audit_outbox');
      const { prediction } = await client.getPrediction({ predictionId });
      expect(prediction!.attempts[0]!.request).toEqual({
        ...{ state: 'captured', sizeBytes: String(request.length), tensors: [], problem: '' },
      });
    });

    it('are decoded by the signature, the shadow beside the live one, after an entry for the audit log', async () => {
      const predictionId = await ofBoth();
      const asked = { predictionId, withPayload: true, maxValues: 2 };
      const { prediction } = await client.getPrediction(asked, { actor: 'anna' });
      const [live, shadow] = prediction!.attempts;
      expect(live!.request!.tensors).toMatchObject([
        {
          ...{ name: 'pixels', datatype: 'FP32', shape: ['1', '3'], elements: '3', given: '2' },
          ...{ featureNames: ['a', 'b', 'c'], contents: { fp32Contents: [0.5, 1] } },
        },
      ]);
      expect(live!.response).toMatchObject({ state: 'captured', problem: '' });
      expect(live!.response!.tensors).toMatchObject([
        { name: 'scores', classNames: ['even', 'odd'], contents: { fp32Contents: [0.25, 0.75] } },
      ]);
      expect(shadow!.response!.tensors).toMatchObject([{ name: 'scores', classNames: [] }]);
      expect(shadow!.response!.problem).toContain('the registry has no digits version 4');
      const entries = await site.query('SELECT actor, action, object, details FROM feedback.audit_outbox');
      expect(entries).toEqual([
        {
          ...{ actor: 'anna', action: 'ReadPayloads', object: `prediction/${predictionId}` },
          details: { call: 'GetPrediction', count: 4 },
        },
      ]);
    });

    it('are texts of feedback too; ratings and corrections are not', async () => {
      const predictionId = await ofBoth();
      await replica.labels.recordFeedback({
        items: [
          { predictionId, source: 'user', rating: 4 },
          { predictionId, source: 'user', text: 'too slow', row: 0 },
          { predictionId, source: 'user', correction: { name: 'odd' } },
        ],
      });
      const shown = async (withPayload: boolean) =>
        (await client.getPrediction({ predictionId, withPayload })).prediction!.feedback.map(
          ({ kind, row, number, name, text, textState }) => [kind, row, number, name, text, textState],
        );
      const rest = [
        ['rating', undefined, 4, undefined, undefined, 'none'],
        ['correction', undefined, undefined, 'odd', undefined, 'none'],
      ];
      const inOrder = (rows: unknown[][]) =>
        rows.toSorted((left, right) => String(left[0]).localeCompare(String(right[0])));
      const without = inOrder([...rest, ['text', '0', undefined, undefined, undefined, 'kept']]);
      expect(inOrder(await shown(false))).toEqual(without);
      expect(inOrder(await shown(true))).toEqual(
        without.map((row) => (row[0] === 'text' ? row.with(4, 'too slow') : row)),
      );
    });

    it('that cannot be decoded say so, and those of another state are not there', async () => {
      const predictionId = await ofBoth({
        request: Buffer.from([1, 2, 3]),
        responseState: 'too-large',
        response: undefined,
      });
      const { prediction } = await client.getPrediction({ predictionId, withPayload: true });
      const [live] = prediction!.attempts;
      expect(live!.request!.problem).toMatch(/^it cannot be decoded: /);
      expect(live!.response).toEqual({ state: 'too-large', sizeBytes: '0', tensors: [], problem: '' });
    });
  });
}
