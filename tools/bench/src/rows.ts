import type { Measure } from './measure.ts';
import type { RestSeries } from './rest.ts';
import { judge, median, spreadOf, type Spread, type Target, type Verdict } from './statistics.ts';

/** One line of the result. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  /** The median of the runs. */
  readonly value: number;
  readonly spread: Spread;
  readonly target: Target | undefined;
  /** Only for a row with a target. */
  readonly verdict: Verdict | undefined;
  readonly valid: boolean;
  readonly problems: readonly string[];
  /** The measurement under load that a target is about. */
  readonly of: string | undefined;
}

/** All runs of one measurement under load, in the order of the rounds. */
export interface LoadSeries {
  readonly workload: string;
  readonly subject: string;
  readonly inFlight: number;
  readonly runs: readonly Measure[];
}

/** ONNX Runtime alone at its best batch size, round by round. */
export interface RawSeries {
  readonly workload: string;
  readonly batch: number;
  readonly rowsPerSecond: readonly number[];
}

export interface Figures {
  readonly raw: readonly RawSeries[];
  readonly load: readonly LoadSeries[];
  readonly rest: readonly RestSeries[];
}

export const seriesName = (series: LoadSeries): string => `${series.workload}/${series.subject}/${series.inFlight}`;

export const restName = ({ process, start }: RestSeries): string =>
  `memory at rest${start === 'first' ? ' after the first start' : ''}: ${process}`;

export const rawName = (workload: string): string => `${workload}/raw`;

const restLimitMegabytes = 150;

/** What this issue asks for: a subject's best rate over raw ONNX Runtime's, through the router. */
const overRaw: readonly { readonly workload: string; readonly atLeast: number }[] = [
  { workload: 'convnet', atLeast: 0.9 },
  { workload: 'perceptron', atLeast: 0.5 },
];
const overEcho = { workload: 'small', inFlight: 64, atLeast: 0.6 };

/** All rows: first those with a target, then what was measured. */
export function rowsOf(figures: Figures): Row[] {
  return [...targetRows(figures), ...figures.raw.map(rawRow), ...figures.load.flatMap(loadRows)];
}

function targetRows(figures: Figures): Row[] {
  const rows: Row[] = [];
  for (const { workload, atLeast } of overRaw) {
    const raw = figures.raw.find((series) => series.workload === workload);
    const best = bestOf(figures.load.filter((series) => series.workload === workload && series.subject === 'router'));
    if (!raw || !best) continue;
    const name = `${workload}: router (${best.inFlight} in flight) over raw ONNX Runtime (batch ${raw.batch})`;
    rows.push(ratioRow(name, best, raw.rowsPerSecond, [], atLeast));
  }
  const at = (subject: string): LoadSeries | undefined =>
    figures.load.find(
      (series) =>
        series.workload === overEcho.workload && series.subject === subject && series.inFlight === overEcho.inFlight,
    );
  const [direct, echo] = [at('direct'), at('echo')];
  if (direct && echo) {
    const rates = echo.runs.map((run) => run.requestsPerSecond);
    const name = `small: direct over grpc-js echo (${overEcho.inFlight} in flight)`;
    rows.push(ratioRow(name, direct, rates, problemsOfSeries(echo), overEcho.atLeast));
  }
  for (const series of figures.rest) {
    const target: Target = { is: 'at most', value: restLimitMegabytes };
    rows.push(row(restName(series), 'MB', series.megabytes, [], target));
  }
  return rows;
}

/** The series of the highest median rate: the number in flight at which this server is at its best. */
function bestOf(series: readonly LoadSeries[]): LoadSeries | undefined {
  const rate = (one: LoadSeries): number => median(one.runs.map((run) => run.requestsPerSecond));
  return series.toSorted((a, b) => rate(b) - rate(a))[0];
}

/** Ratios are taken round by round: what disturbs the machine disturbs both sides of a round. */
function ratioRow(
  name: string,
  series: LoadSeries,
  over: readonly number[],
  otherProblems: readonly string[],
  atLeast: number,
): Row {
  const ratios = series.runs.map((run, round) => run.requestsPerSecond / (over[round] ?? NaN));
  const target: Target = { is: 'at least', value: atLeast };
  return row(name, 'ratio', ratios, [...problemsOfSeries(series), ...otherProblems], target, seriesName(series));
}

function rawRow(series: RawSeries): Row {
  return row(`${rawName(series.workload)}/batch ${series.batch}`, 'rows/s', series.rowsPerSecond, [], undefined);
}

/** The rate, and the CPU of each process: that one counts even when the generator had no room. */
function loadRows(series: LoadSeries): Row[] {
  const name = seriesName(series);
  const rates = series.runs.map((run) => run.requestsPerSecond);
  const checks = series.runs.flatMap((run, round) => inRound(round, run.checkProblems));
  const processes = Object.keys(series.runs[0]?.cpuUs ?? {});
  return [
    row(name, 'requests/s', rates, problemsOfSeries(series), undefined),
    ...processes.map((process) => {
      const cpu = series.runs.map((run) => run.cpuUs[process] ?? NaN);
      return row(`${name} CPU of ${process}`, 'µs/request', cpu, checks, undefined);
    }),
  ];
}

function problemsOfSeries(series: LoadSeries): string[] {
  return series.runs.flatMap((run, round) => inRound(round, [...run.generatorProblems, ...run.checkProblems]));
}

function inRound(round: number, problems: readonly string[]): string[] {
  return problems.map((problem) => `round ${round + 1}: ${problem}`);
}

function row(
  name: string,
  unit: string,
  values: readonly number[],
  problems: readonly string[],
  target: Target | undefined,
  of?: string,
): Row {
  const valid = problems.length === 0;
  return {
    name,
    unit,
    value: median(values),
    spread: spreadOf(values),
    target,
    verdict: target && judge(values, target, valid),
    valid,
    problems,
    of,
  };
}

/** What `--json` prints. `met` is null for a row without a target, and true only if every run meets it. */
export function jsonRows(rows: readonly Row[]): object {
  return {
    rows: rows.map(({ name, value, target, verdict, valid, spread }) => ({
      name,
      value,
      target: target?.value ?? null,
      met: verdict === undefined ? null : verdict === 'met',
      valid,
      spread,
    })),
  };
}
