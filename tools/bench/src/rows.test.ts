import { describe, expect, test } from 'vitest';
import type { Measure } from './measure.ts';
import type { RestSeries } from './rest.ts';
import type { LoadSeries } from './figures.ts';
import { jsonRows, rowsOf } from './rows.ts';

const run = (requestsPerSecond: number, generatorProblems: string[] = [], checkProblems: string[] = []): Measure => ({
  requestsPerSecond,
  seconds: 1,
  sent: 1,
  p50Ms: 1,
  p99Ms: 2,
  cpuUs: {},
  threadCpuUs: {},
  averageBatch: undefined,
  generatorShare: 0.1,
  generatorCeiling: 1e5,
  generatorProblems,
  checkProblems,
});
const series = (name: string, runs: readonly Measure[]): LoadSeries => {
  const [workload, subject, inFlight] = name.split('/');
  return { workload: workload!, subject: subject!, inFlight: Number(inFlight), runs };
};
const rest = (process: string, megabytes: number[]): RestSeries => ({
  process,
  start: 'later',
  megabytes,
  mappings: [],
});
const raw = { workload: 'convnet', batch: 16, best: true, rowsPerSecond: [100, 200, 100] };

describe('rows with a target', () => {
  test('a ratio is taken round by round, at the number in flight at which the router is best', () => {
    const load = [
      series('convnet/router/1', [run(50), run(50), run(50)]),
      series('convnet/router/64', [run(96), run(196), run(95.5)]),
      series('convnet/direct/64', [run(99), run(199), run(99)]),
    ];
    const rows = rowsOf({ raw: [raw], load, rest: [], scenarios: [] });
    expect(rows.slice(0, 2)).toMatchObject([
      { name: 'convnet: direct (64 in flight) over raw ONNX Runtime (batch 16)', value: 0.99, verdict: 'met' },
      {
        name: 'convnet: router (64 in flight) over raw ONNX Runtime (batch 16)',
        value: 0.96,
        spread: [0.955, 0.98],
        verdict: 'met',
      },
    ]);
  });

  test('one round under the target is inconclusive; one invalid run of either side makes the row invalid', () => {
    const unsteady = [series('convnet/router/64', [run(95), run(196), run(89)])];
    expect(rowsOf({ raw: [raw], load: unsteady, rest: [], scenarios: [] })[0]!.verdict).toBe('inconclusive');
    const direct = series('small/direct/64', [run(90)]);
    const echo = series('small/echo/64', [run(100, ['the generator used 81 % of its core'])]);
    const [row] = rowsOf({ raw: [], load: [direct, echo], rest: [], scenarios: [] });
    expect(row).toMatchObject({ value: 0.9, verdict: 'invalid', valid: false });
    expect(row!.problems).toEqual(['round 1: the generator used 81 % of its core']);
  });

  test('the small model is compared with the echo at 64 in flight, and each process at rest with 150 MB', () => {
    const load = [
      series('small/direct/16', [run(10)]),
      series('small/echo/16', [run(100)]),
      series('small/direct/64', [run(60)]),
      series('small/echo/64', [run(100)]),
    ];
    const rows = rowsOf({
      raw: [],
      load,
      rest: [rest('router', [149.9, 149.8]), rest('registry', [150.1, 150.2]), rest('runtime-1', [149, 151])],
      scenarios: [],
    });
    expect(rows.slice(0, 4).map(({ name, verdict }) => [name, verdict])).toEqual([
      ['small: direct over grpc-js echo (64 in flight)', 'met'],
      ['memory at rest: router', 'met'],
      ['memory at rest: registry', 'missed'],
      ['memory at rest: runtime-1', 'inconclusive'],
    ]);
  });

  test('a target may name the number in flight and the batch that it is about', () => {
    const raws = [
      { workload: 'perceptron', batch: 64, best: true, rowsPerSecond: [2000] },
      { workload: 'perceptron', batch: 128, best: false, rowsPerSecond: [1000] },
    ];
    const load = [series('perceptron/router/256', [run(900)]), series('perceptron/router/512', [run(800)])];
    const rows = rowsOf({ raw: raws, load, rest: [], scenarios: [] });
    expect(rows.slice(0, 2).map(({ name, value, verdict }) => [name, value, verdict])).toEqual([
      ['perceptron: router (256 in flight) over raw ONNX Runtime (batch 64)', 0.45, 'missed'],
      ['perceptron: router (512 in flight) over raw ONNX Runtime (batch 128)', 0.8, 'met'],
    ]);
  });

  test('the link: CPU of the model-server, and of the router beyond the echo of the same round', () => {
    const busy = (cpuUs: Record<string, number>): Measure => ({ ...run(100, ['busy']), cpuUs });
    const load = [
      series('small/router/64', [
        busy({ router: 70, 'model-server': 11 }),
        busy({ router: 90, 'model-server': 12 }),
        busy({ router: 66, 'model-server': 13 }),
      ]),
      series('small/echo/64', [busy({ echo: 50 }), busy({ echo: 65 }), busy({ echo: 42 })]),
    ];
    const rows = rowsOf({ raw: [], load, rest: [], scenarios: [] });
    expect(rows.slice(0, 2)).toMatchObject([
      { name: 'link: CPU of the model-server, small model (64 in flight)', value: 12, verdict: 'inconclusive' },
      { name: 'link: CPU of the router beyond a grpc-js echo (64 in flight)', value: 24, verdict: 'met' },
    ]);
    expect(rows[1]!.spread).toEqual([20, 25]);
  });

  test('a scenario has its own target and problems', () => {
    const target = { is: 'at most', value: 50 } as const;
    const refusals = { name: 'p99 of refusals', unit: 'ms', target, values: [3, 5, 4], problems: [] };
    const spoilt = { ...refusals, name: 'spoilt', problems: ['2 requests ended internal'] };
    const rows = rowsOf({ raw: [], load: [], rest: [], scenarios: [refusals, spoilt] });
    expect(rows.map(({ value, verdict }) => [value, verdict])).toEqual([
      [4, 'met'],
      [4, 'invalid'],
    ]);
  });

  test('CPU counts though the generator had no room, and does not when a check failed', () => {
    const busy = { ...run(100, ['busy']), cpuUs: { echo: 50 } };
    const wrong = { ...run(100, [], ['wrong']), cpuUs: { echo: 50 } };
    const valid = (runs: Measure[]): [string, boolean][] =>
      rowsOf({ raw: [], load: [series('small/echo/16', runs)], rest: [], scenarios: [] }).map((row) => [
        row.name,
        row.valid,
      ]);
    expect(valid([busy])).toEqual([
      ['small/echo/16', false],
      ['small/echo/16 CPU of echo', true],
    ]);
    expect(valid([wrong])).toEqual([
      ['small/echo/16', false],
      ['small/echo/16 CPU of echo', false],
    ]);
  });

  test('what was not measured has no row', () => {
    expect(rowsOf({ raw: [raw], load: [], rest: [], scenarios: [] }).map((row) => row.name)).toEqual([
      'convnet/raw/batch 16',
    ]);
  });
});

test('the JSON has exactly the fields that were agreed; inconclusive and invalid are not met', () => {
  const load = [series('small/direct/64', [run(60), run(59)]), series('small/echo/64', [run(100), run(100)])];
  expect(jsonRows(rowsOf({ raw: [], load, rest: [], scenarios: [] }))).toEqual({
    rows: [
      {
        name: 'small: direct over grpc-js echo (64 in flight)',
        value: 0.595,
        target: 0.6,
        met: false,
        valid: true,
        spread: [0.59, 0.6],
      },
      { name: 'small/direct/64', value: 59.5, target: null, met: null, valid: true, spread: [59, 60] },
      { name: 'small/echo/64', value: 100, target: null, met: null, valid: true, spread: [100, 100] },
    ],
  });
});
