import { showMilliseconds, showTable } from '../format.ts';
import type { Ceiling } from './generator/ceiling.ts';
import { type BenchReport, levelName } from './report.ts';
import { type BenchRow, mostCpuShare } from './rows.ts';
import type { Measured } from './stability.ts';

/** The table for people: a line for each level, and what is to be said of it below. */
export function textOf(report: BenchReport): string {
  const name = levelName(report.plan);
  const percents = report.rows[0]?.latency.percentiles.map(({ percent }) => percent) ?? [];
  const headings = [
    name === 'Concurrency' ? 'in flight' : 'rate/s',
    'requests/s',
    'rows/s',
    'mean',
    ...percents.map((percent) => `p${percent}`),
    ...(report.hasStatistics ? ['queue', 'input', 'infer', 'output', 'rest'] : []),
    'failed',
    'cpu',
    'row',
  ];
  const cells = report.rows.map((row) => [
    shown(row.level),
    row.requestsPerSecond.toFixed(1),
    row.inferencesPerSecond.toFixed(1),
    showMilliseconds(row.latency.mean),
    ...row.latency.percentiles.map(({ ms }) => showMilliseconds(ms)),
    ...(report.hasStatistics ? phaseCells(row) : []),
    Object.values(row.failures).reduce((sum, { count }) => sum + count, 0),
    `${Math.round(100 * Math.max(0, ...row.cpuShares))} %`,
    row.marks.join(' ') || 'ok',
  ]);
  const notes = report.rows.flatMap((row) =>
    row.notes.map((note) => `${name.toLowerCase()} ${shown(row.level)}: ${note}`),
  );
  return [showTable(headings, cells), ...notes].join('\n');
}

function phaseCells({ phases, networkMs }: BenchRow): string[] {
  if (phases === undefined) return ['-', '-', '-', '-', '-'];
  return [phases.queue, phases.computeInput, phases.computeInfer, phases.computeOutput, networkMs!].map(
    showMilliseconds,
  );
}

const shown = (level: number): string => String(Number(level.toPrecision(6)));

/** `this generator can send 33,400 requests/s …`. */
export function showCeiling({ requestsPerSecondPerCore, cpuUsPerRequest }: Ceiling, threads: number): string {
  const rate = Math.round(requestsPerSecondPerCore * mostCpuShare * threads);
  const each = threads === 1 ? 'one core' : `one core (it has ${threads} threads)`;
  return `this generator can send ${grouped(requestsPerSecondPerCore)} requests/s of this size on ${each}, ${cpuUsPerRequest.toFixed(1)} µs each; rows are valid up to about ${grouped(rate)}`;
}

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');

export function showWindow(
  name: string,
  level: number,
  number: number,
  { inferencesPerSecond, latencyMs }: Measured,
): string {
  return `${name.toLowerCase()} ${shown(level)}, window ${number}: ${inferencesPerSecond.toFixed(1)} rows/s, ${showMilliseconds(latencyMs)}`;
}
