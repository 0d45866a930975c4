import { describe, expect, it } from 'vitest';
import { planOf } from '../../test/bench/reports.ts';

describe('the options of bench', () => {
  it('measure one request in flight by default, on the router, in windows of 5 s', () => {
    expect(planOf('digits')).toMatchObject({
      model: 'digits',
      version: '',
      addresses: ['127.0.0.1:8001'],
      batchSize: 1,
      data: { kind: 'random', stringLength: 128 },
      loads: { kind: 'concurrency', range: { start: 1, end: 1, step: 1 } },
      windows: { kind: 'time', ms: 5000 },
      stabilityPercent: 10,
      maxTrials: 10,
      threads: 1,
      transport: 'wire',
      calibrate: true,
      sequences: undefined,
      timeoutMs: 30_000,
    });
  });

  it("have perf_analyzer's names", () => {
    const plan = planOf(
      ...[
        '-m',
        'a/b',
        '-x',
        '2',
        '-u',
        'one:9,two',
        '-b',
        '4',
        '--shape',
        'a:b:3,2',
        '--shape',
        'c:1',
        '--input-data',
        'f.json',
      ],
      ...[
        '--request-rate-range',
        '10:20:5',
        '--request-distribution',
        'poisson',
        '-l',
        '25',
        '--binary-search',
        '--percentile',
        '95',
      ],
      ...[
        '-p',
        '500',
        '-s',
        '5',
        '-r',
        '4',
        '--warmup-request-count',
        '7',
        '--streaming',
        '--transport',
        'grpc-js',
        '--sequence-length',
        '3',
        '--timeout',
        '2',
      ],
      ...[
        '--num-of-sequences',
        '6',
        '--sequence-length-variation',
        '0',
        '--start-sequence-id',
        '100',
        '--no-calibration',
      ],
      ...[
        '--request-parameter',
        'p:-3:int',
        '--request-parameter',
        'q:a:b:string',
        '--request-parameter',
        'r:true:bool',
      ],
      ...[
        '-f',
        'a.csv',
        '--verbose-csv',
        '--json-file',
        'a.json',
        '--html',
        'a.html',
        '--seed',
        '9',
        '--threads',
        '2',
        '--max-outstanding',
        '64',
      ],
    );
    expect(plan).toMatchObject({
      model: 'a/b',
      version: '2',
      addresses: ['one:9', 'two:8001'],
      batchSize: 4,
      data: { kind: 'file', path: 'f.json' },
      loads: { kind: 'rate', range: { start: 10, end: 20, step: 5 }, distribution: 'poisson' },
      thresholdMs: 25,
      binarySearch: true,
      percentile: 95,
      windows: { kind: 'time', ms: 500 },
      stabilityPercent: 5,
      maxTrials: 4,
      warmUpRequests: 7,
      streaming: true,
      transport: 'grpc-js',
      sequences: { length: 3, variationPercent: 0, firstId: 100, alive: 6 },
      timeoutMs: 2000,
      calibrate: false,
      seed: 9,
      threads: 2,
      mostInFlight: 64,
      files: { csv: 'a.csv', verboseCsv: true, json: 'a.json', html: 'a.html' },
    });
    expect([...plan.shapes]).toEqual([
      ['a:b', [3, 2]],
      ['c', [1]],
    ]);
    expect([...plan.parameters]).toEqual([
      ['p', -3n],
      ['q', 'a:b'],
      ['r', true],
    ]);
  });

  it('end windows by count, or measure exactly so many requests', () => {
    expect(planOf('m', '--measurement-mode', 'count_windows').windows).toEqual({ kind: 'count', requests: 50 });
    expect(planOf('m', '--measurement-mode', 'count_windows', '--measurement-request-count', '9').windows).toEqual({
      kind: 'count',
      requests: 9,
    });
    expect(planOf('m', '--request-count', '9').windows).toEqual({ kind: 'exactly', requests: 9 });
    expect(planOf('m', '--request-intervals', 'f').loads).toEqual({ kind: 'intervals', path: 'f' });
    expect(planOf('m', '-m', 'm').model).toBe('m');
  });

  it.each([
    [[], /no model was given/],
    [['a', '-m', 'b'], /the argument MODEL and --model exclude each other/],
    [
      ['a', '--concurrency-range', '1', '--request-rate-range', '1'],
      /--concurrency-range and --request-rate-range exclude/,
    ],
    [
      ['a', '--request-intervals', 'f', '--request-rate-range', '1'],
      /--request-rate-range and --request-intervals exclude/,
    ],
    [['a', '--request-distribution', 'poisson'], /--request-distribution needs --request-rate-range/],
    [['a', '--binary-search'], /--binary-search needs --latency-threshold/],
    [['a', '--binary-search', '-l', '5'], /--binary-search needs a range with an end/],
    [['a', '--binary-search', '-l', '5', '--concurrency-range', '1:0'], /--binary-search needs a range with an end/],
    [['a', '--concurrency-range', '1:0'], /a range whose end is 0 needs --latency-threshold/],
    [['a', '--request-count', '5', '-p', '100'], /--request-count and --measurement-interval exclude/],
    [
      ['a', '--request-count', '5', '--measurement-request-count', '1'],
      /--request-count and --measurement-request-count/,
    ],
    [
      ['a', '--request-count', '5', '--measurement-mode', 'count_windows'],
      /--request-count and --measurement-mode count_windows/,
    ],
    [['a', '--measurement-mode', 'count_windows', '-p', '5'], /count_windows and --measurement-interval exclude/],
    [['a', '--measurement-request-count', '5'], /--measurement-request-count needs --measurement-mode count_windows/],
    [['a', '--verbose-csv'], /--verbose-csv needs -f/],
    [['a', '-u', 'https://x'], /TLS is not there yet/],
    [['a', '--percentile', '100'], /below 100/],
    [['a', '--shape', 'x'], /NAME:SIZE,SIZE/],
    [['a', '--request-parameter', 'x:1'], /NAME:VALUE:TYPE/],
    [['a', '--request-parameter', 'x:a:int'], /not a whole number/],
    [['a', '--request-parameter', 'x:a:bool'], /neither true nor false/],
    [['a', '--request-parameter', 'x:a:blob'], /none of string, int, bool/],
    [['a', '--sequence-length-variation', '101'], /from 0 to 100/],
    [['a', '--transport', 'http'], /'http' is invalid\. Allowed choices are grpc-js, wire/],
    [['a', '--in-flight', '3'], /unknown option '--in-flight'/],
  ])('refuse %j', (args, message) => {
    expect(() => planOf(...args)).toThrow(message);
  });
});
