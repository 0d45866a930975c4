import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GetStatisticsRequest } from '@sluice/contracts/gen/sluice/feedback/v1/GetStatisticsRequest';
import type { PredictionServiceMethods } from '@sluice/contracts/services';
import { predictionService } from '@sluice/contracts/services';
import type { RpcClient } from '@sluice/rpc/client';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type { TestPostgres } from '@sluice/testkit/postgres';
import type { Given } from '../evidence.ts';
import { idAt } from '../evidence.ts';
import type { Replica } from '../harness.ts';
import { Site } from '../harness.ts';
import { startTestRegistry } from '../registry.ts';
import type { Judged } from '../truth.ts';
import { insertTruth, storeJudged, storeRecords } from '../truth.ts';

const hourMs = 3_600_000;
const task = (positive?: string) =>
  JSON.stringify({ task: { kind: 'classification', prediction: 'p', class_from: 'argmax', positive_class: positive } });

/** Statistics of versions. @param cluster the Postgres, on which it gets a database of its own */
export function statisticsSuite(cluster: () => TestPostgres): void {
  let site: Site;
  let replica: Replica;
  let registry: Awaited<ReturnType<typeof startTestRegistry>>;
  let client: RpcClient<PredictionServiceMethods>;

  beforeAll(async () => {
    registry = await startTestRegistry({
      version: (model, number) => ({
        ...{ model, number, digest: 'd'.repeat(64), manifestJson: task(model === 'binary' ? 'yes' : undefined) },
      }),
      model: (name) => ({ model: { name, settings: {} }, release: null }),
    });
    site = await Site.open(cluster());
    replica = await site.start({ SLUICE_REGISTRY: registry.address });
    client = createRpcClient(predictionService, replica.address, { clock: systemClock });
  });
  afterAll(async () => {
    client.close();
    await site.close();
    await registry.stop();
  });

  const groupsOf = async (asked: GetStatisticsRequest) => (await client.getStatistics(asked)).groups;

  describe('traffic', () => {
    const base = Math.floor(Date.now() / hourMs) * hourMs - 3 * hourMs;

    beforeAll(async () => {
      const timings = { queueMicros: 1, runMicros: 1, totalMicros: 2, batchRows: 1, costMicros: 6 };
      const at = (ms: number, given: Given): Given => ({ predictionId: idAt(ms), receivedMs: ms, rows: 2, ...given });
      const [one, two] = [
        { model: 'traffic', version: 1 },
        { model: 'traffic', version: 2 },
      ] as const;
      await storeRecords(replica, [
        ...Array.from({ length: 100 }, (_, index) =>
          at(base + index, { context: one, endedMicros: (index + 1) * 100, timings, keepProbability: 1 }),
        ),
        at(base + 1, { context: one, status: 14, answered: false, endedMicros: 9_999_999 }),
        at(base + hourMs, { context: one, endedMicros: 1_000, keepProbability: 0.25 }),
        at(base, { context: { ...two, arm: 'shade', role: 'shadow' }, answered: false, endedMicros: 500 }),
        at(base, { context: { ...two, arm: 'new', role: 'candidate' }, endedMicros: 700 }),
        at(base, { context: { model: 'other' } }),
      ]);
    });

    it('is counted by version, arm and role, with errors, latency and cost', async () => {
      const groups = await groupsOf({ model: 'traffic' });
      expect(groups.map(({ version, arm, role }) => [version, arm, role])).toEqual([
        ['1', 'cnn', 'primary'],
        ['2', 'new', 'candidate'],
        ['2', 'shade', 'shadow'],
      ]);
      const [one, , shade] = groups;
      expect(one).toMatchObject({
        attempts: { stored: '102', estimate: 105, standardError: Math.sqrt(12) },
        answered: { stored: '101', estimate: 104 },
        statuses: [
          { status: 0, statusName: 'OK', attempts: { stored: '101', estimate: 104 } },
          { status: 14, statusName: 'UNAVAILABLE', attempts: { stored: '1', estimate: 1, standardError: 0 } },
        ],
        cost: { totalMicros: 600, microsPerRow: 3 },
        ...{ rows: 208, bucketAt: null },
        labels: { labelledRows: 0, rows: 208, coverage: 0 },
        quality: { state: 'QUALITY_STATE_NO_LABELS' },
      });
      expect(one!.quality).not.toHaveProperty('accuracy');
      // The record of weight 4 counts as four: 48 of 104 are above 5,600.
      for (const [found, wanted] of [
        [one!.latency!.p50Micros, 4_800],
        [one!.latency!.p90Micros, 8_900],
        [one!.latency!.p99Micros, 9_900],
      ] as const)
        expect(Math.abs(found / wanted - 1)).toBeLessThan(0.01);
      expect(shade).toMatchObject({ attempts: { stored: '1' }, answered: { stored: '0', estimate: 0 } });
      expect(shade!.cost).not.toHaveProperty('microsPerRow');
    });

    it('is counted by version alone, by hour, and of some versions or an arm', async () => {
      expect((await groupsOf({ model: 'traffic', grouping: 'STATISTICS_GROUPING_VERSION' })).map(shown)).toEqual([
        ...['1  102', '2  2'],
      ]);
      const hours = await groupsOf({ model: 'traffic', versions: [1], bucket: 'STATISTICS_BUCKET_HOUR' });
      expect(hours.map(({ bucketAt, attempts }) => [Number(bucketAt!.seconds) * 1000, attempts!.stored])).toEqual([
        [base, '101'],
        [base + hourMs, '1'],
      ]);
      expect((await groupsOf({ model: 'traffic', arm: 'new' })).map(shown)).toEqual(['2 new 1']);
      const to = { seconds: base / 1000, nanos: 50_000_000 };
      expect((await groupsOf({ model: 'traffic', versions: [1], to })).map(shown)).toEqual(['1 cnn 51']);
      expect(await groupsOf({ model: 'nobody' })).toEqual([]);
    });

    it('of too long a range is refused, and of one that takes too long says what to narrow', async () => {
      const from = { seconds: Math.floor(Date.now() / 1000) - 32 * 86_400 };
      await expect(client.getStatistics({ model: 'traffic', from })).rejects.toThrow(
        /from: 32 days before to; expected 31 days at most: ask for less, or for a bucket of days/,
      );
      expect((await groupsOf({ model: 'traffic', from, bucket: 'STATISTICS_BUCKET_DAY' })).length).toBeGreaterThan(0);
      await expect(client.getStatistics({ model: 'traffic', labelAgeSeconds: 4e9 })).rejects.toThrow(
        /label_age_seconds/,
      );
      const slow = await site.start({ SLUICE_REGISTRY: registry.address, SLUICE_QUERY_TIMEOUT_MS: '1000' });
      const held = await site.hold('LOCK TABLE feedback.evidence IN ACCESS EXCLUSIVE MODE');
      const impatient = createRpcClient(predictionService, slow.address, { clock: systemClock });
      await expect(impatient.getStatistics({ model: 'traffic' })).rejects.toMatchObject({
        kind: 'deadline-exceeded',
        message: expect.stringContaining('narrow `from` and `to`') as string,
      });
      await expect(impatient.listPredictions({ model: 'traffic' })).rejects.toThrow(/narrow `from` and `to`/);
      await held.release();
      impatient.close();
    });
  });

  const shown = ({ version, arm, attempts }: Awaited<ReturnType<typeof groupsOf>>[number]): string =>
    `${version} ${arm} ${attempts!.stored}`;

  const judged = (model: string, given: readonly Judged[]) => storeJudged(site, replica, model, given);

  describe('quality', () => {
    const quality = async (model: string, asked: GetStatisticsRequest = {}) =>
      (await groupsOf({ model, ...asked })).map((group) => group.quality!);

    it('is accuracy, precision, recall and log loss of a classification, over all classes', async () => {
      const said = (name: string, predictedName: string, truthProbability?: number, own: Given = {}) => ({
        ...{ name, predictedName, own, ...(truthProbability !== undefined && { truthProbability }) },
      });
      await judged('many', [
        ...[said('a', 'a', 0.5), said('a', 'b', 0.25), said('b', 'b', 0), said('c', 'b')],
        said('a', 'a', 0.5, { keepProbability: 0.5 }),
      ]);
      const [found] = await quality('many');
      expect(found).toMatchObject({
        ...{ state: 'QUALITY_STATE_MEASURED', scored: '5', notCaptured: '0', scoredEstimate: 6, correct: '3' },
        ...{ positiveClass: '', logLossRows: '4' },
      });
      // By hand: weights 1 1 1 1 2. Precision: a 3/3, b 1/3, c 0. Recall: a 3/4, b 1/1, c 0.
      expect(found!.accuracy).toBeCloseTo(4 / 6, 12);
      expect(found!.precision).toBeCloseTo((1 + 1 / 3 + 0) / 3, 12);
      expect(found!.recall).toBeCloseTo((3 / 4 + 1 + 0) / 3, 12);
      expect(found!.logLoss).toBeCloseTo((3 * Math.log(2) + Math.log(4) - Math.log(1e-15)) / 5, 9);
      expect(found).not.toHaveProperty('meanAbsoluteError');
      const [ofB] = await quality('many', { positiveClass: 'b' });
      expect([ofB!.positiveClass, ofB!.precision, ofB!.recall]).toEqual(['b', 1 / 3, 1]);
      const [ofC] = await quality('many', { positiveClass: 'c' });
      expect(ofC).not.toHaveProperty('precision');
      expect(ofC!.recall).toBe(0);
    });

    it('is of the positive class that the version names', async () => {
      await judged('binary', [
        { name: 'yes', predictedName: 'yes' },
        { name: 'yes', predictedName: 'no' },
        { name: 'no', predictedName: 'yes' },
        { name: 'no', predictedName: 'no' },
        { name: 'yes', predictedName: 'yes' },
      ]);
      const [found] = await quality('binary');
      expect(found).toMatchObject({ positiveClass: 'yes', accuracy: 0.6, precision: 2 / 3, recall: 2 / 3 });
    });

    it('is the mean absolute error of a regression', async () => {
      await judged('price', [
        { number: 10, predictedNumber: 13 },
        { number: 5, predictedNumber: 4, own: { keepProbability: 0.25 } },
      ]);
      const [found] = await quality('price');
      expect(found).toMatchObject({ state: 'QUALITY_STATE_MEASURED', meanAbsoluteError: 7 / 5 });
      expect(found).not.toHaveProperty('accuracy');
    });

    it('is a number whatever the truth is said to be', async () => {
      const most = Number.MAX_VALUE;
      await judged('wild', [
        { number: most, predictedNumber: -most },
        { number: -most, predictedNumber: most },
        { number: most, predictedNumber: 1 },
      ]);
      expect((await quality('wild'))[0]!.meanAbsoluteError).toBeCloseTo(5e290 / 3, -285);
    });

    it('is never 0 where answers were not captured, erased or not readable: it says so, with counts', async () => {
      await judged('unseen', [
        { name: 'a', state: 'not-captured', version: 1 },
        { name: 'a', state: 'not-captured', version: 1 },
        { name: 'a', state: 'not-captured', version: 2 },
        { name: 'a', state: 'erased', version: 2 },
        { name: 'a', state: 'not-decodable', version: 3 },
        { version: 4 },
      ]);
      const found = await quality('unseen');
      expect(
        found.map(({ state, notCaptured, erased, notDecodable }) => [state, notCaptured, erased, notDecodable]),
      ).toEqual([
        ['QUALITY_STATE_NOT_CAPTURED', '2', '0', '0'],
        ['QUALITY_STATE_NOT_SCORED', '1', '1', '0'],
        ['QUALITY_STATE_NOT_SCORED', '0', '0', '1'],
        ['QUALITY_STATE_NO_LABELS', '0', '0', '0'],
      ]);
      for (const each of found)
        for (const figure of ['accuracy', 'precision', 'recall', 'logLoss', 'meanAbsoluteError'])
          expect(each).not.toHaveProperty(figure);
    });

    it('goes by the label that counts: the last, or that of who is trusted', async () => {
      const at = (ms: number) => new Date(Date.now() - 10_000 + ms);
      const [predictionId] = (await judged('disputed', [
        { name: 'a', predictedName: 'a', source: 'expert', recordedAt: at(0) },
      ])) as [string];
      await insertTruth(site, [
        { predictionId, name: 'b', predictedName: 'a', source: 'users', recordedAt: at(10) },
        { predictionId, name: 'c', predictedName: 'a', source: 'expert', recordedAt: at(5) },
        { predictionId, name: 'a', predictedName: 'a', source: 'partner', recordedAt: at(1) },
      ]);
      const trusted = (...trustedSources: string[]) => ({
        labelPolicy: { resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST' as const, trustedSources },
      });
      expect(await quality('disputed')).toMatchObject([{ scored: '1', accuracy: 0 }]);
      expect(await quality('disputed', trusted('nobody', 'partner', 'expert'))).toMatchObject([
        { scored: '1', accuracy: 1 },
      ]);
      expect(await quality('disputed', trusted('expert'))).toMatchObject([{ scored: '1', accuracy: 0 }]);
      await expect(client.getStatistics({ model: 'm', ...trusted() })).rejects.toThrow(/trusted_sources: 0 given/);
      const shownLabels = (await client.getPrediction({ predictionId, ...trusted('expert') })).prediction!.labels;
      expect(shownLabels.map(({ name }) => name)).toEqual(['c', 'a', 'b', 'a']);
    });

    it('compares versions at equal label age: of both count the labels that came within it', async () => {
      const [now, hits, misses] = [Date.now(), { name: 'a', predictedName: 'a' }, { name: 'a', predictedName: 'b' }];
      const of = (version: number, hoursAgo: number, label?: Partial<Judged>, labelAge = 0, recordedAge = labelAge) => {
        const receivedMs = now - hoursAgo * hourMs;
        const after = (hours: number) => new Date(receivedMs + hours * hourMs);
        // Where it is not said when somebody labelled it, the time of the record is all that is known.
        const times = {
          recordedAt: after(recordedAge),
          ...(labelAge < recordedAge && { labelledAt: after(labelAge) }),
        };
        return { version, own: { receivedMs }, ...label, ...times };
      };
      await judged('aged', [
        of(1, 10, { ...hits, truthProbability: 0.5 }, 1, 9),
        of(1, 10, { ...misses, truthProbability: 0.25 }, 1.5),
        of(1, 10, { ...misses, truthProbability: 0.125 }, 5),
        of(1, 10, { ...misses, truthProbability: 0.125 }, 8),
        of(2, 3, { ...hits, truthProbability: 0.75 }, 1),
        of(2, 3, { ...misses, truthProbability: 0.125 }, 2.5),
        of(2, 3),
        of(2, 1, { ...misses, truthProbability: 0.125 }, 0.5),
      ]);
      const found = async (asked: GetStatisticsRequest) =>
        (await groupsOf({ model: 'aged', ...asked })).map(({ version, labels, quality }) => ({
          ...{ version, of: [labels!.labelledRows, labels!.rows, labels!.coverage] },
          ...{ scored: quality!.scored, accuracy: quality!.accuracy, logLoss: Number(quality!.logLoss!.toFixed(9)) },
        }));
      const loss = (...of: number[]) =>
        Number((-Math.log(of.reduce((one, other) => one * other)) / of.length).toFixed(9));
      expect(await found({})).toEqual([
        { version: '1', of: [4, 4, 1], scored: '4', accuracy: 1 / 4, logLoss: loss(0.5, 0.25, 0.125, 0.125) },
        { version: '2', of: [3, 4, 3 / 4], scored: '3', accuracy: 1 / 3, logLoss: loss(0.75, 0.125, 0.125) },
      ]);
      // What is younger than two hours is not counted at all: its labels may still come.
      expect(await found({ labelAgeSeconds: (2 * hourMs) / 1000 })).toEqual([
        { version: '1', of: [2, 4, 2 / 4], scored: '2', accuracy: 1 / 2, logLoss: loss(0.5, 0.25) },
        { version: '2', of: [1, 3, 1 / 3], scored: '1', accuracy: 1, logLoss: loss(0.75) },
      ]);
      const [{ labels, attempts }] = (await groupsOf({ model: 'aged' })) as [Group];
      expect(attempts!.stored).toBe('4');
      // Half of them came within an hour and a half, and nine of ten within eight.
      expect(Math.abs(labels!.ageP50Seconds! / (1.5 * 3_600) - 1)).toBeLessThan(0.01);
      expect(Math.abs(labels!.ageP90Seconds! / (8 * 3_600) - 1)).toBeLessThan(0.01);
    });

    it('counts rows', async () => {
      const [predictionId] = (await judged('rows', [{ name: 'a', predictedName: 'a', own: { rows: 3 } }])) as [string];
      await insertTruth(site, [{ predictionId, row: 2, name: 'a', predictedName: 'b' }]);
      const [found] = await groupsOf({ model: 'rows' });
      expect(found).toMatchObject({ quality: { scored: '2', accuracy: 0.5 }, labels: { labelledRows: 2, rows: 3 } });
    });
  });

  it('statistics over a window in which the keep-probability changed are those of all records', async () => {
    const count = 3_000;
    const random = seeded(20_261_129);
    const base = Date.now() - hourMs;
    const all = Array.from({ length: count }, (_, index) => {
      const keep = [1, 0.2, 0.5][Math.floor((3 * index) / count)]!;
      // What is drifts with the window: without weights every figure would be off.
      const right = random() < [0.95, 0.6, 0.8][Math.floor((3 * index) / count)]!;
      const failed = random() < [0.01, 0.2, 0.05][Math.floor((3 * index) / count)]!;
      const endedMicros = Math.round(1_000 * (1 + random()) * (keep === 0.2 ? 10 : 1));
      const truthProbability = (right ? 0.5 : 0.01) + random() / 2.1;
      return { keep, right, failed, endedMicros, truthProbability, kept: random() < keep, receivedMs: base + index };
    });
    const record = (each: (typeof all)[number], model: string, keepProbability: number) => ({
      own: {
        ...{
          receivedMs: each.receivedMs,
          keepProbability,
          endedMicros: each.endedMicros,
          status: each.failed ? 14 : 0,
        },
        ...{ answered: !each.failed, context: { model } },
      },
      ...{ name: 'a', predictedName: each.right ? 'a' : 'b', truthProbability: each.truthProbability },
    });
    await judged(
      'full',
      all.map((each) => record(each, 'full', 1)),
    );
    await judged(
      'sampled',
      all.filter(({ kept }) => kept).map((each) => record(each, 'sampled', each.keep)),
    );
    const [[full], [sampled]] = (await Promise.all([groupsOf({ model: 'full' }), groupsOf({ model: 'sampled' })])) as [
      [Group],
      [Group],
    ];
    const stored = all.filter(({ kept }) => kept).length;
    expect([full.attempts!.stored, sampled.attempts!.stored]).toEqual([String(count), String(stored)]);
    // The variance of an estimated total is the sum of y^2 (1 - p) / p over all records; of a mean, that of y less the mean.
    const error = (y: (each: (typeof all)[number]) => number): number =>
      Math.sqrt(all.reduce((sum, each) => sum + (y(each) ** 2 * (1 - each.keep)) / each.keep, 0));
    const within = (found: number, wanted: number, standardError: number): void => {
      expect(Math.abs(found - wanted)).toBeLessThan(5 * standardError);
    };
    within(
      sampled.attempts!.estimate,
      count,
      error(() => 1),
    );
    expect(sampled.attempts!.standardError / error(() => 1)).toBeCloseTo(1, 0);
    const failures = ({ statuses }: Group): number => statuses.find(({ status }) => status === 14)!.attempts!.estimate;
    within(
      failures(sampled),
      failures(full),
      error(({ failed }) => Number(failed)),
    );
    const answered = all.filter(({ failed }) => !failed);
    const ok = answered.length;
    const accuracy = full.quality!.accuracy!;
    const off = error(({ failed, right }) => (failed ? 0 : Number(right) - accuracy)) / ok;
    within(sampled.quality!.accuracy!, accuracy, off);
    // What it would be without weights: the test could tell.
    const plain = Number(sampled.quality!.correct) / Number(sampled.quality!.scored);
    expect(Math.abs(plain - accuracy)).toBeGreaterThan(5 * off);
    const lossOf = (each: (typeof all)[number]): number => -Math.log(each.truthProbability);
    const meanLoss = (of: typeof all): number => of.reduce((sum, each) => sum + lossOf(each), 0) / of.length;
    expect(full.quality!.logLoss).toBeCloseTo(meanLoss(answered), 9);
    const lossOff = error((each) => (each.failed ? 0 : lossOf(each) - full.quality!.logLoss!)) / ok;
    within(sampled.quality!.logLoss!, full.quality!.logLoss!, lossOff);
    const plainLoss = meanLoss(answered.filter(({ kept }) => kept));
    expect(Math.abs(plainLoss - full.quality!.logLoss!)).toBeGreaterThan(5 * lossOff);
    expect(Math.abs(sampled.latency!.p90Micros / full.latency!.p90Micros - 1)).toBeLessThan(0.1);
    within(
      sampled.labels!.rows,
      full.labels!.rows,
      error(({ failed }) => Number(!failed)),
    );
    expect(sampled.labels!.coverage).toBeCloseTo(1, 9);
  });
}

type Group = Awaited<ReturnType<RpcClient<PredictionServiceMethods>['getStatistics']>>['groups'][number];

/** Numbers from 0 to 1, the same at every run (a linear congruential generator, of Numerical Recipes). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
