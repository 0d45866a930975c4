import { failureCount } from './generator/tally.ts';
import { type BenchReport, levelName } from './report.ts';
import type { BenchRow } from './rows.ts';

/**
 * The rows as CSV with perf_analyzer's columns, in their order, in whole microseconds, by rising throughput. The server's columns are
 * there when it has statistics. `verbose` adds perf_analyzer's columns of `--verbose-csv` and, behind them, ours.
 */
export function csvOf(report: BenchReport, verbose: boolean): string {
  const percents = report.rows[0]?.latency.percentiles.map(({ percent }) => percent) ?? [];
  const isByMean = report.plan.percentile === undefined;
  const headings = [
    levelName(report.plan),
    'Inferences/Second',
    'Client Send',
    ...(report.hasStatistics ? serverHeadings : []),
    'Client Recv',
    ...percents.map((percent) => `p${percent} latency`),
    ...(verbose ? [...(isByMean ? ['Avg latency'] : []), 'request/response', 'response wait', ...ownHeadings] : []),
  ];
  const rows = report.rows.toSorted((one, other) => one.inferencesPerSecond - other.inferencesPerSecond);
  const lines = rows.map((row) => [
    number(row.level),
    number(row.inferencesPerSecond),
    microseconds(row.sendMs),
    ...(report.hasStatistics ? serverCells(row) : []),
    microseconds(row.receiveMs),
    ...row.latency.percentiles.map(({ ms }) => microseconds(ms)),
    ...(verbose ? verboseCells(row, isByMean) : []),
  ]);
  return [headings, ...lines].map((cells) => `${cells.join(',')}\n`).join('');
}

const serverHeadings = [
  'Network+Server Send/Recv',
  'Server Queue',
  'Server Compute Input',
  'Server Compute Infer',
  'Server Compute Output',
];
const ownHeadings = ['Failed Requests', 'Delayed Requests', 'Generator CPU %', 'Marks'];

function serverCells({ phases, networkMs }: BenchRow): string[] {
  // Nothing was counted, or not without a break: what perf_analyzer has then, too.
  if (phases === undefined) return ['0', '0', '0', '0', '0'];
  return [networkMs!, phases.queue, phases.computeInput, phases.computeInfer, phases.computeOutput].map(microseconds);
}

function verboseCells(row: BenchRow, isByMean: boolean): string[] {
  const sendAndReceive = whole(row.sendMs) + whole(row.receiveMs);
  return [
    ...(isByMean ? [microseconds(row.latency.mean)] : []),
    String(sendAndReceive),
    String(Math.max(0, whole(row.latency.mean) - sendAndReceive)),
    String(failureCount(row)),
    String(row.schedule?.delayed ?? 0),
    (100 * Math.max(0, ...row.cpuShares)).toFixed(1),
    row.marks.join(' ') || 'ok',
  ];
}

const whole = (ms: number): number => Math.floor(ms * 1000 + 1e-6);
const microseconds = (ms: number): string => String(whole(ms));
/** Six digits, as perf_analyzer prints them. */
const number = (value: number): string => String(Number(value.toPrecision(6)));
