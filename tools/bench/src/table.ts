import { generatorLimit, type Measure } from './measure.ts';
import type { RestSeries } from './rest.ts';
import { restName, seriesName, type Figures, type LoadSeries } from './figures.ts';
import type { Row } from './row.ts';
import { median } from './statistics.ts';

/** A table of text, columns padded; the first column to the left, all others to the right. */
export function textTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column]!.length)));
  const format = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return [format(head), widths.map((width) => '-'.repeat(width)).join('  '), ...lines.map(format)]
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Three significant digits, without an exponent. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

const ofRuns = (series: LoadSeries, read: (run: Measure) => number): number => median(series.runs.map(read));

/** The measurements under load: medians of the runs. */
export function loadTable(figures: Figures): string {
  const lines = figures.load.map((series) => {
    const rates = series.runs.map((run) => run.requestsPerSecond);
    const share = ofRuns(series, (run) => run.generatorShare);
    return [
      seriesName(series),
      figure(median(rates)),
      `${figure(Math.min(...rates))}..${figure(Math.max(...rates))}`,
      figure(ofRuns(series, (run) => run.p50Ms)),
      figure(ofRuns(series, (run) => run.p99Ms)),
      cpuCell(series),
      figure(ofRuns(series, (run) => run.averageBatch ?? NaN)),
      `${Math.round(share * 100)} %${share > generatorLimit ? '!' : ''}`,
      figure(ofRuns(series, (run) => run.generatorCeiling)),
      validity(series),
    ];
  });
  const head = ['row', 'req/s', 'spread', 'p50 ms', 'p99 ms', 'CPU µs/request', 'batch', 'gen.', 'gen. ceiling', ''];
  return textTable(head, lines);
}

function validity({ runs }: LoadSeries): string {
  if (runs.some((run) => run.checkProblems.length > 0)) return 'invalid';
  return runs.some((run) => run.generatorProblems.length > 0) ? 'CPU only' : 'valid';
}

function cpuCell(series: LoadSeries): string {
  const names = Object.keys(series.runs[0]?.cpuUs ?? {});
  return names.map((name) => `${name} ${figure(ofRuns(series, (run) => run.cpuUs[name] ?? NaN))}`).join(', ');
}

/** ONNX Runtime alone. */
export function rawTable(figures: Figures): string {
  const lines = figures.raw.map(({ workload, batch, rowsPerSecond }) => [
    `${workload}/raw`,
    String(batch),
    figure(median(rowsPerSecond)),
    `${figure(Math.min(...rowsPerSecond))}..${figure(Math.max(...rowsPerSecond))}`,
  ]);
  return textTable(['row', 'batch', 'rows/s', 'spread'], lines);
}

/** Rows that stand for something that was wanted: by a target, or only to be told. */
export function targetTable(rows: readonly Row[]): string {
  const lines = rows.map(({ name, value, spread, target, verdict, valid }) => [
    name,
    figure(value),
    `${figure(spread[0])}..${figure(spread[1])}`,
    target === undefined ? 'reported' : `${target.is === 'at least' ? '>=' : '<='} ${target.value}`,
    verdict ?? (valid ? '' : 'invalid'),
  ]);
  return textTable(['target', 'value', 'spread', 'wanted', 'verdict'], lines);
}

/** What a process that is too large at rest holds: the profile that a missed target is shown with. */
export function memoryProfile(series: RestSeries): string {
  const lines = series.mappings.slice(0, 8).map(([what, megabytes]) => [what, figure(megabytes)]);
  return textTable([`${restName(series)}: resident, by mapping`, 'MB'], lines);
}

/** Where the CPU of a row went, thread by thread: the profile that a missed target is shown with. */
export function profile(series: LoadSeries): string {
  const threads = new Set(series.runs.flatMap((run) => Object.keys(run.threadCpuUs)));
  const lines = [...threads]
    .map((thread): [string, number] => [thread, ofRuns(series, (run) => run.threadCpuUs[thread] ?? 0)])
    .filter(([, cpu]) => cpu >= 0.5)
    .toSorted((a, b) => b[1] - a[1])
    .map(([thread, cpu]) => [thread, figure(cpu)]);
  return textTable([`${seriesName(series)}: process and thread`, 'CPU µs/request'], lines);
}
