import type { GetStatisticsResponse__Output } from '@sluice/contracts/gen/sluice/feedback/v1/GetStatisticsResponse';
import type { Prediction__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Prediction';
import type { PredictionSummary__Output } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionSummary';
import { SluiceError } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { labelPolicy, moment, momentMessage, seconds, versionNumbers } from '../prediction-options.ts';
import { listPredictions } from './predictions.ts';
import { predictionText, showPrediction } from './show-prediction.ts';
import { showStatistics, statisticsText } from './statistics.ts';

const at = { seconds: '1766412185', nanos: 0 };

const summary = (own: Partial<PredictionSummary__Output>): PredictionSummary__Output =>
  ({
    ...{ predictionId: 'id-1', arm: 'primary', role: 'primary', attempt: 1, receivedAt: at, version: '3' },
    ...{ statusName: 'OK', endedMicros: '1500', labelled: false, requestId: '', ...own },
  }) as PredictionSummary__Output;

/** Feedback that keeps what it is asked, and answers page by page. */
function setUp(json = false) {
  const asked: Record<string, unknown>[] = [];
  const out: string[] = [];
  const pages = [
    { predictions: [summary({ labelled: true, requestId: 'order-7' })], nextPageToken: 'a' },
    { predictions: [], nextPageToken: 'b' },
    {
      predictions: [summary({ arm: 'mlp', role: 'shadow', attempt: 2 }), summary({ arm: '', role: '' })],
      nextPageToken: 'c',
    },
  ];
  const predictions = {
    listPredictions: async (request: Record<string, unknown>) => {
      asked.push(request);
      return pages[asked.length - 1];
    },
    getPrediction: async (request: Record<string, unknown>) => {
      asked.push(request);
      return { prediction: shown };
    },
    getStatistics: async (request: Record<string, unknown>) => {
      asked.push(request);
      return statistics;
    },
  };
  const clock = new FakeClock(Date.UTC(2026, 0, 2));
  const context = {
    ...{ json, clock, signal: new AbortController().signal, services: { predictions } },
    terminal: { out: (text: string) => out.push(text) },
  } as unknown as CliContext;
  return { context, asked, out };
}

describe('the list of predictions', () => {
  it('goes on over pages that come short, until there are enough', async () => {
    const { context, asked, out } = setUp();
    await listPredictions(context, 'm', { requestId: '', subject: '', limit: 3, status: 'failed', labelled: true });
    expect(asked.map(({ pageToken, pageSize }) => [pageToken, pageSize])).toEqual([
      ['', 3],
      ['a', 2],
      ['b', 2],
    ]);
    expect(asked[0]).toMatchObject({
      ...{ model: 'm', versions: [], to: null, from: { seconds: Date.UTC(2026, 0, 1) / 1000, nanos: 0 } },
      ...{ status: 'STATUS_FILTER_FAILED', label: 'LABEL_FILTER_LABELLED' },
    });
    expect(asked[0]).not.toHaveProperty('arm');
    expect(out).toEqual([
      [
        'TIME                  PREDICTION  VERSION  ARM              STATUS  TOOK     LABEL  REQUEST ID',
        '2025-12-22 14:03:05Z  id-1        3        primary          OK      1.50 ms  yes    order-7',
        '2025-12-22 14:03:05Z  id-1        3        mlp (shadow) #2  OK      1.50 ms  -      -',
        '2025-12-22 14:03:05Z  id-1        3        -                OK      1.50 ms  -      -',
      ].join('\n'),
    ]);
  });

  it('is narrowed by what is said', async () => {
    const { context, asked, out } = setUp(true);
    const range = { modelVersion: ['1', '2'], arm: '', from: { ms: 1_500 }, to: { agoMs: 1_000 } };
    await listPredictions(context, 'm', { ...range, requestId: 'r', subject: 's', limit: 1, unlabelled: true });
    expect(asked).toMatchObject([
      {
        ...{ versions: ['1', '2'], arm: '', from: { seconds: 1, nanos: 5e8 }, requestId: 'r', subject: 's' },
        ...{ to: { seconds: Date.UTC(2026, 0, 2) / 1000 - 1 }, label: 'LABEL_FILTER_UNLABELLED' },
      },
    ]);
    expect(JSON.parse(out.join(''))).toHaveLength(1);
  });
});

it('the ids of predictions are each on a line, once', async () => {
  const { context, out } = setUp();
  await listPredictions(context, 'm', { requestId: '', subject: '', limit: 3, ids: true });
  expect(out).toEqual(['id-1']);
});

describe('where there are no predictions', () => {
  /** Feedback that has none, and what the registry says of the model. */
  function setUpEmpty(model: () => Promise<unknown>) {
    const { context, out } = setUp();
    const predictions = {
      listPredictions: async () => ({ predictions: [], nextPageToken: '' }),
      getStatistics: async () => ({ groups: [] }),
    };
    const services = { predictions, registry: { getModel: model } };
    const empty = { ...context, services } as unknown as CliContext;
    const list = () => listPredictions(empty, 'mine', { requestId: '', subject: '', limit: 3 });
    return { out, list, sum: () => showStatistics(empty, 'mine', { byVersion: false, labelAge: 0, positive: '' }) };
  }
  const line = 'no predictions of "mine" of this kind and time (default: the last 24 hours)';

  it('of a model that is there, or that the registry cannot be asked for, it says so', async () => {
    for (const model of [async () => ({}), async () => Promise.reject(new SluiceError('unavailable', 'away'))]) {
      const { out, list, sum } = setUpEmpty(model);
      await list();
      await sum();
      expect(out).toEqual([line, line]);
    }
  });

  it('of a model that nobody knows it is an error, as of a typing error in the name', async () => {
    const { out, list, sum } = setUpEmpty(async () => Promise.reject(new SluiceError('not-found', 'none')));
    for (const command of [list, sum])
      await expect(command()).rejects.toMatchObject({
        code: 3,
        message: 'no model "mine"',
        hint: expect.stringContaining('sluice models') as string,
      });
    expect(out).toEqual([]);
  });
});

const none = { sizeBytes: '0', tensors: [], problem: '' };
const contents = {
  ...{ boolContents: [], intContents: [], int64Contents: [], uintContents: [], uint64Contents: [] },
  ...{ fp64Contents: [], bytesContents: [] },
};
const shown = {
  predictionId: 'id-1',
  attempts: [
    {
      ...{
        arm: 'mlp',
        role: 'candidate',
        attempt: 1,
        answered: true,
        model: 'digits',
        version: '3',
        versionKnown: true,
      },
      ...{ releaseId: 'digits@17', reasonText: 'it was drawn', statusName: 'OK', receivedAt: at, costMicros: 2.5 },
      ...{ rows: '1', keepProbability: 0.25, retentionClass: 'short', skewed: false, requestId: 'order-7' },
      ...{ subject: '', caller: 'web', traceId: '', runtime: 'r1' },
      timings: {
        ...{
          sentMicros: '100',
          endedMicros: '2000',
          queueMicros: '10',
          runMicros: '20',
          totalMicros: '40',
          batchRows: '8',
        },
      },
      request: { state: 'off', ...none },
      response: {
        ...{ state: 'captured', sizeBytes: '40', problem: '' },
        tensors: [
          {
            ...{ name: 'p', datatype: 'FP32', shape: ['1', '3'], elements: '3', given: '2', featureNames: [] },
            ...{ classNames: ['a', 'b', 'c'], contents: { ...contents, fp32Contents: [0.10000000149, 0.5] } },
          },
        ],
      },
    },
  ],
  labels: [
    { row: '0', name: 'b', source: 'people', actor: 'anna', labelledAt: null, recordedAt: at, resolves: true },
    { row: '0', name: 'a', source: 'bot', actor: 'bot', labelledAt: at, recordedAt: at, resolves: false },
  ],
  outcomes: [
    {
      ...{ row: '0', version: '3', arm: 'mlp', attempt: 1, state: 'scored', source: 'people', resolves: true },
      ...{ truthName: 'b', predictedName: 'b', truthProbability: 0.54321 },
    },
    { row: '0', version: '3', arm: 'mlp', attempt: 1, state: 'scored', source: 'bot', resolves: false },
  ],
  feedback: [
    { kind: 'text', textState: 'kept', source: 'user', actor: 'bob', recordedAt: at },
    { kind: 'rating', number: 4, row: '0', textState: 'none', source: 'user', actor: 'bob', recordedAt: at },
  ],
  auditLinks: [{ kind: 'version', object: 'model/digits/version/3', leafIndex: '11' }],
  labelPolicy: { resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST', trustedSources: ['people'] },
  cut: false,
} as unknown as Prediction__Output;

describe('a prediction', () => {
  it('is shown in words', () => {
    expect(predictionText(shown).split('\n\n')).toEqual([
      'prediction id-1',
      [
        'arm         mlp (candidate), answered',
        'version     digits 3',
        'release     digits@17',
        'why         it was drawn',
        'status      OK',
        'received    2025-12-22 14:03:05Z',
        'time        2.00 ms in all, sent after 0.100 ms, 0.0400 ms in the runtime (0.0100 ms queued, 0.0200 ms in a batch of 8)',
        'cost        2.5 core-µs',
        'rows        1',
        'kept        with probability 0.25',
        'retention   short',
        'request id  order-7',
        'caller      web',
        'runtime     r1',
        'request     off',
        'response    captured, 40 B',
        '            p FP32 [1, 3]: a 0.1, b 0.5 … (3 values)',
      ].join('\n'),
      [
        'ROW  LABEL  SOURCE  BY    FOUND                 RECORDED              COUNTS (TRUSTED FIRST: PEOPLE)',
        '0    b      people  anna  -                     2025-12-22 14:03:05Z  yes',
        '0    a      bot     bot   2025-12-22 14:03:05Z  2025-12-22 14:03:05Z  -',
      ].join('\n'),
      [
        'ROW  VERSION  ARM  TRUTH  PREDICTED  P(TRUTH)  OF      STATE',
        '0    3        mlp  b      b          0.5432    people  scored',
      ].join('\n'),
      [
        'FEEDBACK  ROW  SAID                          SOURCE  BY   RECORDED',
        'text      -    (a text: --payload shows it)  user    bob  2025-12-22 14:03:05Z',
        'rating    0    4                             user    bob  2025-12-22 14:03:05Z',
      ].join('\n'),
      'AUDIT ENTRY  OF\n11           model/digits/version/3',
    ]);
  });

  it('is asked for with what was said', async () => {
    const { context, asked } = setUp();
    await showPrediction(context, 'id-1', { payload: true, values: 7, model: 'm', labels: labelPolicy('trusted=a,b') });
    expect(asked).toEqual([
      {
        ...{ predictionId: 'id-1', withPayload: true, withAliases: true, maxValues: 7, model: 'm' },
        labelPolicy: { resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST', trustedSources: ['a', 'b'] },
      },
    ]);
  });
});

const count = (stored: number, estimate = stored, standardError = 0) => ({
  stored: String(stored),
  estimate,
  standardError,
});
const group = {
  ...{ bucketAt: null, version: '1', arm: 'cnn', role: 'primary', attempts: count(10, 41.5, 3), answered: count(9) },
  statuses: [
    { status: 0, statusName: 'OK', attempts: count(9) },
    { status: 14, statusName: 'UNAVAILABLE', attempts: count(1) },
  ],
  ...{
    latency: { p50Micros: 1_500, p90Micros: 2_500, p99Micros: 12_000 },
    cost: { totalMicros: 9, microsPerRow: 0.123456 },
  },
  ...{ rows: 9, labels: { labelledRows: 6, rows: 9, coverage: 2 / 3, ageP50Seconds: 7_300, ageP90Seconds: 9_000 } },
  quality: {
    ...{
      state: 'QUALITY_STATE_MEASURED',
      scored: '6',
      notCaptured: '2',
      erased: '0',
      notDecodable: '0',
      positiveClass: 'yes',
    },
    ...{ accuracy: 5 / 6, precision: 1, recall: 0.5, logLoss: 0.25 },
  },
};
const statistics = {
  groups: [
    group,
    {
      ...{
        ...group,
        version: '2',
        latency: null,
        statuses: [],
        cost: { totalMicros: 0 },
        labels: { labelledRows: 0, rows: 0 },
      },
      quality: {
        state: 'QUALITY_STATE_NOT_CAPTURED',
        scored: '0',
        notCaptured: '3',
        erased: '0',
        notDecodable: '0',
        positiveClass: '',
      },
    },
  ],
  registryProblem: 'the registry could not be asked',
} as unknown as GetStatisticsResponse__Output;

describe('statistics', () => {
  it('are two tables, which say what was not measured', () => {
    expect(statisticsText(statistics).split('\n\n')).toEqual([
      [
        'VERSION  ARM            ATTEMPTS  ANSWERED  FAILED         P50      P90      P99      COST/ROW',
        '1        cnn (primary)  ~42       9         UNAVAILABLE 1  1.50 ms  2.50 ms  12.0 ms  0.1235 µs',
        '2        cnn (primary)  ~42       9         -              -        -        -        -',
      ].join('\n'),
      [
        'VERSION  ARM            LABELLED  AGE  ACCURACY  PRECISION  RECALL  LOG LOSS  MAE  ROWS  QUALITY',
        '1        cnn (primary)  66.7 %    2 h  0.8333    1          0.5     0.25      -    6     measured, 2 not captured, of "yes"',
        '2        cnn (primary)  -         -    -         -          -       -         -    -     not captured, 3 not captured',
      ].join('\n'),
      'the registry could not be asked',
    ]);
    const daily = statisticsText({
      ...statistics,
      groups: [{ ...statistics.groups[0]!, arm: '', role: '', bucketAt: at }],
    });
    expect(daily).toMatch(/^FROM {18}VERSION {2}ATTEMPTS/);
  });

  it('are asked for with what was said', async () => {
    const { context, asked } = setUp();
    const flags = {
      byVersion: true,
      labelAge: 60,
      positive: 'yes',
      bucket: 'day',
      labels: labelPolicy('latest'),
    } as const;
    await showStatistics(context, 'm', flags);
    await showStatistics(context, 'm', { byVersion: false, labelAge: 0, positive: '' });
    expect(asked).toMatchObject([
      {
        ...{
          model: 'm',
          bucket: 'STATISTICS_BUCKET_DAY',
          grouping: 'STATISTICS_GROUPING_VERSION',
          labelAgeSeconds: 60,
        },
        ...{ positiveClass: 'yes', labelPolicy: { resolution: 'LABEL_RESOLUTION_LATEST' }, from: null },
      },
      { bucket: 'STATISTICS_BUCKET_UNSPECIFIED', grouping: 'STATISTICS_GROUPING_UNSPECIFIED', labelPolicy: null },
    ]);
  });
});

describe('options', () => {
  it('are durations, moments, policies and versions', () => {
    expect(['90s', '15m', '24h', '7d'].map(seconds)).toEqual([90, 900, 86_400, 604_800]);
    expect(moment('2h')).toEqual({ agoMs: 7_200_000 });
    expect(momentMessage(moment('1970-01-01T00:00:01.5Z'), 0)).toEqual({ seconds: 1, nanos: 5e8 });
    expect(momentMessage(undefined, 0)).toBeNull();
    expect(versionNumbers('1, 22')).toEqual(['1', '22']);
    for (const [read, text] of [
      ...['', '7', 'h', '1w', '-1d'].map((each) => [seconds, each] as const),
      ...['soon', '12', '1'].map((each) => [moment, each] as const),
      ...['', 'trusted=', 'first'].map((each) => [labelPolicy, each] as const),
      ...['', '0', 'champion', '1,x'].map((each) => [versionNumbers, each] as const),
    ])
      expect(() => read(text), text).toThrow(/^Expected /);
  });
});
