import { describe, expect, it } from 'vitest';
import { planOf, sampleReport, sampleRow } from '../../test/bench/reports.ts';
import { expectWellFormed } from '../../test/bench/well-formed.ts';
import { emptyWindow, window } from '../../test/bench/windows.ts';
import { escapeText } from './markup.ts';
import { linePlot, niceTop } from './plot.ts';
import { csvOf } from './report-csv.ts';
import { htmlOf } from './report-html.ts';
import { jsonOf } from './report-json.ts';
import { showCeiling, textOf } from './report-text.ts';

describe('CSV', () => {
  it("has perf_analyzer's columns in their order, whole microseconds, by rising throughput", () => {
    const slow = sampleRow(8, { windows: [{ ...window([5]), sendMs: 0.1, receiveMs: 0.1 }] });
    expect(csvOf(sampleReport({ rows: [sampleRow(1), slow] }), false)).toBe(
      [
        'Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency',
        '8,2,100,3350,500,100,800,50,100,5000,5000,5000,5000',
        '1,8,100,900,500,100,800,50,50,2001,4000,4000,4000',
        '',
      ].join('\n'),
    );
  });

  it("leaves the server's columns out where there are no statistics, and names a rate", () => {
    const plan = planOf('digits', '--request-rate-range', '12.5', '--percentile', '75');
    const row = sampleRow(12.5, { phases: undefined, isOpenLoop: true });
    expect(csvOf(sampleReport({ plan, hasStatistics: false, rows: [row] }), false).split('\n')).toEqual([
      'Request Rate,Inferences/Second,Client Send,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency',
      '12.5,8,100,50,2001,4000,4000,4000',
      '',
    ]);
  });

  it('has more columns when asked: those of perf_analyzer, then ours', () => {
    const lines = csvOf(sampleReport({ rows: [sampleRow(1)] }), true).split('\n');
    expect(lines[0]).toMatch(
      /,p99 latency,Avg latency,request\/response,response wait,Failed Requests,Delayed Requests,Generator CPU %,Marks$/,
    );
    expect(lines[1]).toMatch(/,4000,2500,150,2350,0,0,25\.0,ok$/);
    const byPercentile = sampleReport({ plan: planOf('digits', '--percentile', '99') });
    expect(csvOf(byPercentile, true)).not.toContain('Avg latency');
  });

  it('has zeros for phases that were not counted', () => {
    expect(csvOf(sampleReport({ rows: [sampleRow(1, { phases: undefined })] }), false)).toMatch(
      /\n1,8,100,0,0,0,0,0,50,/,
    );
  });
});

describe('JSON', () => {
  it('has everything, with names that stay', () => {
    const document = jsonOf(sampleReport({ rows: [sampleRow(1)] }));
    expect(document).toMatchObject({
      model: 'digits',
      version: '3',
      startedAt: '2026-01-01T00:00:00.000Z',
      interrupted: false,
      sound: true,
      level: 'concurrency',
      target: { addresses: ['127.0.0.1:8001'], name: 'sluice', version: '0.1.0', statistics: true },
      settings: {
        batchSize: 2,
        inputData: 'random',
        windows: { kind: 'time', ms: 5000 },
        stabilityPercent: 10,
        percentile: null,
      },
      generator: {
        threads: 1,
        mostCpuShare: 0.8,
        transport: 'wire',
        ceiling: { requestsPerSecondPerCore: 30_000, cpuUsPerRequest: 33.3 },
      },
      rows: [
        {
          level: 1,
          marks: [],
          stable: true,
          requests: 4,
          latencyMs: { mean: 2.5, min: 1, max: 4 },
          clientMs: { send: 0.1, receive: 0.05 },
          serverMs: { requests: 4, queue: 0.5, computeInput: 0.1, computeInfer: 0.8, computeOutput: 0.05 },
          generatorCpuShares: [0.25],
          schedule: null,
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it('says that it is not sound: without a row, or with one that is not', () => {
    expect(jsonOf(sampleReport({ rows: [] }))).toMatchObject({ sound: false, rows: [] });
    const invalid = sampleRow(1, { windows: [{ ...window([1]), cpuShares: [0.9] }] });
    expect(jsonOf(sampleReport({ rows: [sampleRow(1), invalid], ceiling: undefined }))).toMatchObject({
      sound: false,
      generator: { ceiling: null },
      rows: [{ marks: [] }, { marks: ['invalid'] }],
    });
  });
});

describe('the page', () => {
  const invalid = sampleRow(16, { windows: [{ ...window([9]), cpuShares: [0.95] }] });
  const empty = sampleRow(2, { windows: [emptyWindow()], phases: undefined });

  it('is well-formed, with three plots, and asks for nothing from elsewhere', () => {
    const page = htmlOf(sampleReport({ rows: [sampleRow(4), sampleRow(1), invalid, empty] }));
    expectWellFormed(page);
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|src=/);
    expect(page.match(/https?:[^"]+/g)!.every((url) => url === 'http://www.w3.org/2000/svg')).toBe(true);
  });

  it('marks what is invalid in plots and table, and says why', () => {
    const page = htmlOf(sampleReport({ rows: [sampleRow(1), invalid] }));
    expect(page.match(/class="hollow c0"/g)).toHaveLength(2);
    expect(page).toContain('rows/s at 16: 2 (invalid)');
    expect(page).toMatch(/<tr class="bad"><td>16<\/td>/);
    expect(page).toContain('16: the generator used 95 % of its core, over 80 %');
    expect(htmlOf(sampleReport())).toContain('Every row is sound.');
  });

  it('takes no name for markup', () => {
    const plan = { ...planOf('digits'), model: '<script>"&\u0007' };
    const failures = { INTERNAL: { count: 1, message: '</svg><b>' } };
    const row = sampleRow(1, { windows: [{ ...window([1]), failures }] });
    const page = htmlOf(sampleReport({ plan, rows: [row], interrupted: true, hasStatistics: false }));
    expectWellFormed(page);
    expect(page).not.toMatch(/<script|<b>/);
    expect(page).toContain('&lt;/svg&gt;&lt;b&gt;');
    expect(page).toContain('Stopped before it was done');
    expect(page.match(/<svg /g)).toHaveLength(2);
  });

  it('is one without rows too', () => {
    expectWellFormed(htmlOf(sampleReport({ rows: [] })));
  });
});

describe('a plot', () => {
  it('has its levels at their distances and its values at their heights', () => {
    const svg = linePlot({
      title: 't',
      xLabel: 'x',
      yLabel: 'y',
      levels: [0, 25, 100],
      isInvalid: [false, false, false],
      series: [{ name: 's', values: [0, undefined, 2] }],
    });
    // 560 wide from 64 on, 216 high down to 256.
    expect(svg).toContain('points="64,256 624,40"');
    expect(svg).toContain('text-anchor="middle" x="204" y="272">25<');
    expectWellFormed(svg);
  });

  it('ends at a short number', () => {
    expect([0, 1, 1.01, 2.5, 4.1, 8.5, 730].map(niceTop)).toEqual([1, 1, 1.2, 3.2, 6, 10, 800]);
  });

  it('escapes what markup would be', () => {
    expect(escapeText(`a<b>&"'\u0000\ud800`)).toBe('a&lt;b&gt;&amp;&quot;&#39; \ufffd');
  });
});

describe('the table', () => {
  it('has a line for each level, and what is to be said below', () => {
    const invalid = sampleRow(16, { windows: [{ ...window([9]), cpuShares: [0.95] }] });
    const lines = textOf(sampleReport({ rows: [sampleRow(1), invalid] })).split('\n');
    expect(lines[0]).toMatch(
      /^IN FLIGHT +REQUESTS\/S +ROWS\/S +MEAN +P50 .* QUEUE +INPUT +INFER +OUTPUT +REST +FAILED +CPU +ROW$/,
    );
    expect(lines[1]).toMatch(/^1 +4\.0 +8\.0 +2\.50 ms .* 25 % +ok$/);
    expect(lines[2]).toMatch(/ 95 % +invalid$/);
    expect(lines[3]).toBe('concurrency 16: the generator used 95 % of its core, over 80 %: it measured itself too');
  });

  it('states what the generator can do', () => {
    expect(showCeiling({ requestsPerSecondPerCore: 30_000, cpuUsPerRequest: 33.33 }, 1)).toBe(
      'this generator can send 30,000 requests/s of this size on one core, 33.3 µs each; rows are valid up to about 24,000',
    );
    expect(showCeiling({ requestsPerSecondPerCore: 30_000, cpuUsPerRequest: 33.33 }, 2)).toMatch(
      /2 threads.*about 48,000$/,
    );
  });
});
