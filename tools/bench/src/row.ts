import type { LoadSeries } from './figures.ts';
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

export function problemsOfSeries(series: LoadSeries): string[] {
  return series.runs.flatMap((run, round) => inRound(round, [...run.generatorProblems, ...run.checkProblems]));
}

export function inRound(round: number, problems: readonly string[]): string[] {
  return problems.map((problem) => `round ${round + 1}: ${problem}`);
}

export function row(
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
