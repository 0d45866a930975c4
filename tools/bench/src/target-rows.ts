import { seriesName, type LoadSeries } from './figures.ts';
import { inRound, problemsOfSeries, row, type Row } from './row.ts';
import type { Target } from './statistics.ts';

export const cpuOf = (series: LoadSeries, process: string): number[] =>
  series.runs.map((run) => run.cpuUs[process] ?? NaN);

/** What makes even the CPU of a series worth nothing. */
export const checksOf = (series: LoadSeries): string[] =>
  series.runs.flatMap((run, round) => inRound(round, run.checkProblems));

export function cpuRow(
  name: string,
  of: LoadSeries,
  us: readonly number[],
  others: readonly string[],
  atMost: number,
): Row {
  const target: Target = { is: 'at most', value: atMost };
  return row(name, 'µs/request', us, [...checksOf(of), ...others], target, seriesName(of));
}

export const cpuTarget = (name: string, of: LoadSeries, process: string, atMost: number): Row =>
  cpuRow(name, of, cpuOf(of, process), [], atMost);

/**
 * Ratios are taken round by round: what disturbs the machine disturbs both sides of a round.
 * @param atLeast undefined for a ratio that is only reported
 */
export function ratioRow(
  name: string,
  series: LoadSeries,
  over: readonly number[],
  otherProblems: readonly string[],
  atLeast: number | undefined,
): Row {
  const ratios = series.runs.map((run, round) => run.requestsPerSecond / (over[round] ?? NaN));
  const target: Target | undefined = atLeast === undefined ? undefined : { is: 'at least', value: atLeast };
  return row(name, 'ratio', ratios, [...problemsOfSeries(series), ...otherProblems], target, seriesName(series));
}

/** A rate over another's. @param atLeast undefined for a ratio that is only reported */
export const rateTarget = (name: string, of: LoadSeries, over: LoadSeries, atLeast: number | undefined): Row =>
  ratioRow(
    name,
    of,
    over.runs.map((run) => run.requestsPerSecond),
    problemsOfSeries(over),
    atLeast,
  );
