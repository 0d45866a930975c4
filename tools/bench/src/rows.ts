import { rawName, seriesName, type Figures, type LoadSeries, type RawSeries } from './figures.ts';
import { inRound, problemsOfSeries, row, type Row } from './row.ts';
import { targetRows } from './targets.ts';

/** All rows: first those with a target, then what was measured. */
export function rowsOf(figures: Figures): Row[] {
  return [...targetRows(figures), ...figures.raw.map(rawRow), ...figures.load.flatMap(loadRows)];
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
