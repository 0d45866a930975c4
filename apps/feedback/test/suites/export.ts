import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportRequest } from '@sluice/contracts/gen/sluice/feedback/v1/ExportRequest';
import type { LabelPolicy } from '@sluice/contracts/gen/sluice/feedback/v1/LabelPolicy';
import type { ExportServiceMethods } from '@sluice/contracts/services';
import { exportService } from '@sluice/contracts/services';
import type { RpcClient } from '@sluice/rpc/client';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type { Value } from '@sluice/tabular/schema';
import { createDataSource } from '@sluice/persistence/data-source';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import type { ExportPlace } from '../../src/exports/export.ts';
import { ExportStore } from '../../src/store/export-store.ts';
import { creditRegistry, digest, payloads } from '../credit.ts';
import type { Given } from '../evidence.ts';
import { blockOf, idAt } from '../evidence.ts';
import type { Manifest } from '../exported.ts';
import { exported, rowsOf } from '../exported.ts';
import type { Replica } from '../harness.ts';
import { deliver, Site } from '../harness.ts';
import { insertTruth } from '../truth.ts';

/** Exports. @param cluster the Postgres, on which it gets a database of its own */
export function exportSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;
  let registry: Awaited<ReturnType<typeof creditRegistry>>;
  let client: RpcClient<ExportServiceMethods>;
  const begunMs = Date.now() - 60_000;
  let spools = 0;

  beforeAll(async () => {
    registry = await creditRegistry();
    site = await Site.open(cluster());
    replica = await site.start({ SLUICE_REGISTRY: registry.address, SLUICE_MAX_EXPORTS: '2' });
    client = createRpcClient(exportService, replica.address, { clock: systemClock, actor: 'trainer' });
  });
  afterAll(async () => {
    client.close();
    await site.close();
    await registry.stop();
  });

  /** Stores records of a model of its own, in the order of their ids. */
  async function store(model: string, ...given: readonly Given[]): Promise<string[]> {
    const records = given.map((each, index) => ({
      ...{ predictionId: idAt(begunMs + index), rows: 1, ...each },
      context: { model, ...each.context },
    }));
    await deliver(replica.address, [blockOf(...records)], `export-${spools++}`);
    return records.map(({ predictionId }) => predictionId);
  }

  const time = (ms: number) => ({ seconds: Math.floor(ms / 1000), nanos: 0 });
  const asked = (model: string, over: ExportRequest = {}): ExportRequest => ({
    ...{ model, from: time(begunMs - 60_000), to: time(Date.now() + 60_000), format: 'EXPORT_FORMAT_JSON_LINES' },
    ...{ withPayload: true, ...over },
  });
  const rows = async (model: string, over: ExportRequest = {}) => {
    await site.settled();
    return rowsOf((await exported(client, asked(model, over))).bytes, 'jsonl');
  };

  describe('an export', () => {
    it('has a row for each row of each attempt, with features, outputs, truth and weight, in all formats', async () => {
      const [id, plain, failed] = await store(
        'credit',
        { ...payloads([30, 60]), subject: 'ann', keepProbability: 0.25 },
        { requestState: 'off', responseState: 'off', context: { version: 2, arm: 'mlp', role: 'shadow' } },
        { ...payloads([1]), status: 14, answered: false, responseState: 'none', response: [] },
      );
      const labelledAt = new Date(begunMs + 5_000);
      await insertTruth(site, [
        { predictionId: id!, row: 1, name: 'no', source: 'form', recordedAt: new Date(begunMs + 9_000) },
        { predictionId: id!, row: 1, name: 'yes', source: 'expert', labelledAt, recordedAt: new Date(begunMs + 6_000) },
      ]);
      const hash = (await site.keys()).ring.hashSubject('ann').toString('hex');
      const resolution = 'LABEL_RESOLUTION_TRUSTED_FIRST';
      const labelPolicy: LabelPolicy = { resolution, trustedSources: ['expert'] };
      await site.settled();
      const whole = await exported(client, asked('credit', { labelPolicy }));
      const found = await rowsOf(whole.bytes, 'jsonl');
      expect(found.map((each) => [each['prediction_id'], each['row'], each['input_state']])).toEqual([
        [id, 0, 'captured'],
        [id, 1, 'captured'],
        [plain, 0, 'not-captured'],
        [failed, 0, 'captured'],
      ]);
      expect(found[1]).toEqual({
        ...{ prediction_id: id, row: 1, model: 'credit', version: 3, arm: 'cnn', attempt: 1, role: 'primary' },
        ...{ answered: true, status: 0, keep_probability: 0.25, subject_hash: hash },
        received_at: expect.anything() as unknown,
        ...{ truth_class: 'yes', truth_number: null, truth_source: 'expert' },
        ...{ truth_labelled_at: labelledAt.toISOString(), truth_recorded_at: new Date(begunMs + 6_000).toISOString() },
        ...{ input_state: 'captured', output_state: 'captured', predicted_class: 'yes', predicted_number: null },
        ...{ 'input.age': 60, 'input.income': 60_000.5, 'input.note': 'a "note",\nof two lines' },
        'input.grid': [
          [1, 2],
          [3, 60n + 2n ** 60n],
        ],
        'output.scores': [0.25, 0.75],
      });
      expect(found[0]).toMatchObject({ truth_class: null, predicted_class: 'no', 'input.age': 30 });
      expect(found[2]).toMatchObject({ version: 2, arm: 'mlp', role: 'shadow', 'input.age': null, subject_hash: null });
      expect(found[3]).toMatchObject({ status: 14, output_state: 'none', 'output.scores': null, 'input.age': 1 });
      // What the file is.
      expect(whole.digest).toBe(createHash('sha256').update(whole.bytes).digest('hex'));
      expect(whole.manifest).toMatchObject({
        query: {
          ...{ model: 'credit', versions: [], arm: null, role: null, status: 'any', label: 'any', with_payload: true },
          label_policy: { resolution: 'trusted-first', trusted_sources: ['expert'] },
        },
        file: { format: 'jsonl', bytes: whole.bytes.length, sha256: whole.digest },
        counts: {
          ...{ rows: 4, labelled: 1, inputs: { captured: 3, not_captured: 1, erased: 0, not_decodable: 0, none: 0 } },
          outputs: { captured: 2, not_captured: 1, erased: 0, not_decodable: 0, none: 1 },
        },
        versions: [
          { version: 2, digest, rows: 1, in_registry: true },
          { version: 3, digest, rows: 3, in_registry: true },
        ],
        subjects: { count: 1, hashes: [hash] },
      });
      expect(whole.last).toMatchObject({ rows: '4', bytes: String(whole.bytes.length), rowsExpected: '4' });
      // The others say the same.
      const parquet = await exported(client, asked('credit', { labelPolicy, format: 'EXPORT_FORMAT_PARQUET' }));
      const typed = await rowsOf(parquet.bytes, 'parquet');
      expect(typed).toEqual(found);
      const csv = await exported(client, asked('credit', { labelPolicy, format: 'EXPORT_FORMAT_CSV' }));
      const text = await rowsOf(csv.bytes, 'csv');
      const inCsv = (value: Value): string =>
        Array.isArray(value)
          ? `[${(value as readonly Value[]).map(inCsv).join(',')}]`
          : value === null
            ? ''
            : String(value);
      expect(text).toEqual(
        found.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, inCsv(value)]))),
      );
    });

    it('is written into the audit log with its filter and count, and not without payloads', async () => {
      await store('audited', payloads([30]), payloads([40]));
      const before = await rows('audited', { withPayload: false });
      expect(Object.keys(before[0]!)).not.toContain('input_state');
      const entries = () =>
        site.query(
          `SELECT actor, action, object, details FROM feedback.audit_outbox WHERE object = 'model/audited' ORDER BY id`,
        );
      expect(await entries()).toEqual([]);
      await rows('audited', { versions: [3], role: 'primary', dataSet: 'credit/train' });
      expect(await entries()).toMatchObject([
        {
          ...{ actor: 'trainer', action: 'ReadPayloads' },
          details: {
            ...{ call: 'Export', count: 4, rows: 2, data_set: 'credit/train', format: 'jsonl' },
            filter: { model: 'audited', versions: [3], role: 'primary' },
          },
        },
      ]);
    });
  });

  describe('pages', () => {
    it('have every record once, in order, wherever they end and in whatever tables records of one id lie', async () => {
      const ids = [0, 1, 2].map((ms) => idAt(begunMs + ms));
      const classes = ['short', 'standard', 'long'] as const;
      const everywhere = ids.flatMap((predictionId) =>
        classes.flatMap((retentionClass) =>
          ['a', 'b'].map((arm) => ({ predictionId, rows: 2, context: { arm, retentionClass } })),
        ),
      );
      await store('paged', ...everywhere, { context: { model: 'other' } });
      await site.query(
        `INSERT INTO feedback.evidence_skewed SELECT * FROM feedback.evidence WHERE model = 'paged' AND arm = 'b'`,
      );
      await insertTruth(site, [{ predictionId: ids[1]!, row: 1, name: 'yes' }]);
      const names = { url: site.serviceUrl, schema: 'feedback', applicationName: 'test', poolSize: 1 };
      const dataSource = await createDataSource({ ...names, statementTimeoutMs: 30_000, connectTimeoutMs: 5_000 });
      const { ring } = await site.keys();
      const filter = { versions: [], arm: undefined, role: undefined, status: 'any', label: 'any' } as const;
      const range = { fromMs: begunMs - 1, toMs: begunMs + 60_000 };
      for (const lookedAt of [1, 2, 3, 5, 100]) {
        const reader = new ExportStore(dataSource, ring, () => undefined, { counting: lookedAt, reading: lookedAt });
        const query = { ...filter, model: 'paged', range, horizon: await reader.horizon(undefined) };
        const found: string[] = [];
        let [after, rows]: [ExportPlace | undefined, number] = [undefined, 0];
        do {
          const { records, next } = await reader.page(query, after);
          expect(records.length).toBeLessThanOrEqual(lookedAt);
          found.push(
            ...records.map(
              (each) => `${ids.indexOf(each.predictionId)} ${each.arm} ${each.skewed} ${each.retentionClass}`,
            ),
          );
          after = next;
        } while (after);
        do {
          const { versions, next }: Awaited<ReturnType<ExportStore['count']>> = await reader.count(query, after);
          rows += versions.reduce((sum, each) => sum + each.rows, 0);
          after = next;
        } while (after);
        expect([found.length, rows]).toEqual([27, 54]);
        expect(found).toEqual([...new Set(found)].toSorted());
        const labelled = await reader.count({ ...query, label: 'labelled' }, undefined);
        if (lookedAt === 100) expect(labelled.versions).toMatchObject([{ rows: 6 }]);
      }
      await dataSource.destroy();
    });
  });

  describe('the same export again', () => {
    it('has the same digest at the same horizon, whatever is stored meanwhile', async () => {
      const [id] = await store('steady', payloads([30]), payloads([70]));
      // One that began before and ends after.
      const late = await site.hold(
        `INSERT INTO feedback.evidence SELECT (jsonb_populate_record(e,
             jsonb_build_object('arm', 'late', 'recorded_xid', pg_current_xact_id()::text))).*
           FROM feedback.evidence AS e WHERE model = 'steady'`,
      );
      const stream = client.export(asked('steady'));
      await stream.next();
      await store('steady', payloads([20]));
      await insertTruth(site, [{ predictionId: id!, name: 'yes' }]);
      let first: { manifestJson: string; digest: string } | null = null;
      for await (const { manifest } of stream) first = manifest;
      const { horizon, counts } = JSON.parse(first!.manifestJson) as Manifest;
      expect(counts).toMatchObject({ rows: 2, labelled: 0 });
      await late.commit();
      const again = await exported(client, asked('steady', { horizon }));
      expect([again.digest, again.manifest.counts]).toEqual([first!.digest, counts]);
      await site.settled();
      const now = await exported(client, asked('steady'));
      expect(now.manifest.counts).toMatchObject({ rows: 5, labelled: 2 });
    });
  });

  describe('a filter', () => {
    it('takes rows by version, arm, role, status, and the state of their labels', async () => {
      const [id, other] = await store(
        'picked',
        payloads([30, 31, 32]),
        { ...payloads([40]), context: { version: 2, arm: '', role: 'candidate' } },
        { ...payloads([50]), status: 14, context: { arm: 'x' } },
      );
      await insertTruth(site, [
        { predictionId: id!, row: 1, name: 'no' },
        { predictionId: other!, row: 0, name: 'no' },
      ]);
      const ages = async (over: ExportRequest) => (await rows('picked', over)).map((each) => each['input.age']);
      expect(await ages({})).toEqual([30, 31, 32, 40, 50]);
      expect(await ages({ versions: [2] })).toEqual([40]);
      expect(await ages({ arm: '' })).toEqual([40]);
      expect(await ages({ role: 'primary' })).toEqual([30, 31, 32, 50]);
      expect(await ages({ status: 'STATUS_FILTER_FAILED' })).toEqual([50]);
      expect(await ages({ label: 'LABEL_FILTER_LABELLED' })).toEqual([31, 40]);
      expect(await ages({ label: 'LABEL_FILTER_UNLABELLED' })).toEqual([30, 32, 50]);
      expect(await ages({ to: time(begunMs - 30_000) })).toEqual([]);
    });

    it.each<[ExportRequest, RegExp]>([
      [{ model: '' }, /model/],
      [{ from: null }, /from: missing; expected a time, with `from` at most 366 days before `to`/],
      [{ to: null }, /to: missing/],
      [{ from: time(0) }, /expected 366 days at most: export it in parts/],
      [{ format: 'EXPORT_FORMAT_UNSPECIFIED' }, /format: .*EXPORT_FORMAT_CSV/],
      [{ role: "' OR true" }, /role: .*expected one of primary, candidate, shadow/],
      [{ versions: Array.from({ length: 101 }, (_, index) => index) }, /versions: 101 given; expected at most 100/],
      [{ horizon: '1' }, /horizon: "1" given/],
      [{ horizon: 'x'.repeat(65) }, /horizon: 65 bytes/],
      [{ horizon: '00000000-0000-4000-8000-000000000000:5' }, /horizon: it is of another database/],
      [{ dataSet: 'a b' }, /data_set/],
      [{ label: 9 as never }, /label: 9 given/],
    ])('that makes no sense is refused: %j', async (over, why) => {
      await expect(exported(client, asked('credit', over))).rejects.toThrow(why);
    });

    it('takes hostile text for what it is, and a horizon that is yet to come for nothing', async () => {
      expect(await rows('credit', { arm: `x' OR true --` })).toEqual([]);
      await expect(rows('credit', { arm: '\0' })).rejects.toThrow(/arm/);
      const { manifest } = await exported(client, asked('credit'));
      const horizon = manifest.horizon.replace(/:\d+$/, ':9000000000000000000');
      await expect(rows('credit', { horizon })).rejects.toThrow(/horizon: it is yet to come/);
    });
  });

  describe('payloads', () => {
    it('that cannot be decoded are said to be, and those of versions that do not go together are refused', async () => {
      const good = payloads([30]);
      await store(
        'mixed',
        good,
        { ...good, request: Buffer.from('no message') },
        { ...good, rows: 2 },
        { ...good, context: { version: 9 } },
        payloads([31], Uint8Array.of(0xff)),
      );
      const found = await rows('mixed');
      expect(found.map((each) => [each['input_state'], each['output_state'], each['input.age']])).toEqual([
        ['captured', 'captured', 30],
        ['not-decodable', 'captured', null],
        ...[0, 1].map(() => ['not-decodable', 'not-decodable', null]),
        ['not-decodable', 'not-decodable', null],
        ['not-decodable', 'captured', null],
      ]);
      await store('mixed', { ...good, context: { version: 4 } });
      await expect(rows('mixed')).rejects.toThrow(
        /column "input.age" is float in version 3 and double in version 4: export them by themselves, with `versions`/,
      );
      expect(await rows('mixed', { versions: [3] })).toHaveLength(5);
    });

    it('of an erased subject never leave, and the order to erase names the exports that have them', async () => {
      await store(
        'erased',
        { ...payloads([33]), subject: 'eve' },
        { ...payloads([44]), subject: 'bob' },
        { ...payloads([55]), subject: 'eve' },
      );
      await site.settled();
      const first = await exported(client, asked('erased', { dataSet: 'credit/erased' }));
      expect(first.manifest.subjects.count).toBe(2);
      await exported(client, asked('erased', { withPayload: false }));
      const { erasure } = await replica.privacy.eraseSubject({ subject: 'eve', reason: 'a letter' });
      expect(erasure!.exports).toMatchObject([{ dataSet: 'credit/erased', version: '0', digest: first.digest }]);
      await site.settled();
      const after = await exported(client, asked('erased', { dataSet: 'credit/erased' }));
      const found = await rowsOf(after.bytes, 'jsonl');
      expect(found.map((each) => [each['input_state'], each['output_state'], each['input.age']])).toEqual([
        ['erased', 'erased', null],
        ['captured', 'captured', 44],
        ['erased', 'erased', null],
      ]);
      expect(after.manifest.counts).toMatchObject({ rows: 3, inputs: { erased: 2 }, outputs: { erased: 2 } });
      expect(after.manifest.subjects.count).toBe(1);
      const known = (await replica.privacy.getErasure({ erasureId: erasure!.erasureId })).erasure!.exports;
      expect(known.map((each) => each.digest)).toEqual([first.digest]);
      expect(await site.query('SELECT * FROM feedback.export_staging')).toEqual([]);
    });
  });

  describe('a caller', () => {
    it('that leaves stops the export, and no more than a few are made at once', async () => {
      const [first, last] = [0, 50_000].map((ms): Given => ({ predictionId: idAt(begunMs + ms), subject: 'sue' }));
      const plain = Array.from({ length: 8 }, () => payloads([30], 'x'.repeat(3_000)));
      await store('big', { ...payloads([31]), ...first! }, ...plain, { ...payloads([32]), ...last! });
      await site.query(
        `INSERT INTO feedback.evidence SELECT (jsonb_populate_record(e, jsonb_build_object('arm', 'copy' || n))).*
           FROM feedback.evidence AS e, generate_series(1, 250) AS n WHERE model = 'big' AND subject = ''`,
      );
      const leave = new AbortController();
      const streams = [0, 1].map(() => client.export(asked('big'), { signal: leave.signal }));
      for (const stream of streams) expect((await stream.next()).value?.chunk.length).toBeGreaterThan(0);
      const third = exported(client, asked('big', { withPayload: false }));
      await expect(third.then(() => undefined)).rejects.toThrow(/2 exports are under way/);
      leave.abort();
      await eventually(async () => expect(await replica.metric('sluice_feedback_exports')).toBe(0));
      expect(await site.query('SELECT * FROM feedback.export_staging')).toEqual([]);
      // Of one subject in several portions.
      await site.settled();
      const { manifest } = await exported(client, asked('big'));
      expect([manifest.counts.rows, manifest.subjects.count]).toEqual([8 * 251 + 2, 1]);
    });
  });
}
