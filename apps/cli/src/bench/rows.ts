import { delayToleranceMs, failureCount, type Failure } from './generator/tally.ts';
import { type GeneratorWindow, joinWindows } from './generator/generator.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { Phases } from './phases.ts';
import { stableWindows } from './stability.ts';

/** A generator that used more of its core than this measured itself, too. */
export const mostCpuShare = 0.8;
/** Share of requests of an open loop that may leave late before the row says so. */
const mostDelayed = 0.01;
/** What every row has; the percentile that was asked for is added. */
const usualPercents = [50, 90, 95, 99];

/** Why a row is not to be taken as it stands. */
export type Mark = 'invalid' | 'unstable' | 'failures' | 'late' | 'held' | 'interrupted';

export interface BenchRow {
  /** Requests in flight, or requests a second. */
  readonly level: number;
  readonly marks: readonly Mark[];
  /** A sentence for each mark. */
  readonly notes: readonly string[];
  /** Undefined where stability was not looked at. */
  readonly stable: boolean | undefined;
  readonly interrupted: boolean;
  /** Windows that were measured; the figures are of the last three of them together. */
  readonly windows: number;
  readonly seconds: number;
  /** That were answered. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly inferencesPerSecond: number;
  readonly failures: Readonly<Record<string, Failure>>;
  /** In milliseconds. */
  readonly latency: {
    readonly mean: number;
    readonly min: number;
    readonly max: number;
    readonly standardDeviation: number;
    readonly percentiles: readonly { readonly percent: number; readonly ms: number }[];
  };
  /** What level and threshold are judged by, in milliseconds; undefined when nothing was answered. */
  readonly latencyMs: number | undefined;
  /** Means in milliseconds: from due to written, and from the answer's first byte to its last. */
  readonly sendMs: number;
  readonly receiveMs: number;
  readonly phases: Phases | undefined;
  /** What is left of the mean: the network, and the server outside its phases. Undefined without phases. */
  readonly networkMs: number | undefined;
  /** Of each thread, over its time. */
  readonly cpuShares: readonly number[];
  /** Of an open loop. */
  readonly schedule:
    | {
        readonly sent: number;
        readonly delayed: number;
        readonly held: number;
        readonly meanLatenessMs: number;
        readonly maxLatenessMs: number;
      }
    | undefined;
}

/** What a level's measurement ended with. */
export interface LevelOutcome {
  readonly level: number;
  /** All of them; the last three make the row. */
  readonly windows: readonly GeneratorWindow[];
  readonly counted: number;
  readonly phases: Phases | undefined;
  readonly stable: boolean | undefined;
  readonly interrupted: boolean;
  readonly isOpenLoop: boolean;
}

export interface RowSettings {
  readonly batchSize: number;
  readonly percentile: number | undefined;
  readonly stabilityPercent: number;
}

/** The latency that a window is judged by, in milliseconds; 0 when nothing was answered. */
export const judgedLatency = (latencies: LatencyHistogram, percentile: number | undefined): number =>
  percentile === undefined ? latencies.mean : latencies.percentile(percentile);

export function histogramOf(window: Pick<GeneratorWindow, 'latencies'>): LatencyHistogram {
  const histogram = new LatencyHistogram();
  histogram.add(window.latencies);
  return histogram;
}

/** The row of a level. */
export function rowOf(outcome: LevelOutcome, settings: RowSettings): BenchRow {
  const sum = joinWindows(outcome.windows.slice(-outcome.counted));
  const latencies = histogramOf(sum);
  const answered = latencies.count;
  const mean = (total: number) => (answered === 0 ? 0 : total / answered);
  const perSecond = sum.seconds > 0 ? answered / sum.seconds : 0;
  const [sendMs, receiveMs] = [mean(sum.sendMs), mean(sum.receiveMs)];
  const { phases } = outcome;
  const marked = marksOf(outcome, sum, settings);
  return {
    level: outcome.level,
    marks: marked.map(([mark]) => mark),
    notes: marked.map(([, note]) => note),
    stable: outcome.stable,
    interrupted: outcome.interrupted,
    windows: outcome.windows.length,
    seconds: sum.seconds,
    requests: answered,
    requestsPerSecond: perSecond,
    inferencesPerSecond: perSecond * settings.batchSize,
    failures: sum.failures,
    latency: latencyOf(latencies, settings.percentile),
    latencyMs: answered === 0 ? undefined : judgedLatency(latencies, settings.percentile),
    sendMs,
    receiveMs,
    phases,
    networkMs: phases && Math.max(0, latencies.mean - sendMs - receiveMs - serverMs(phases)),
    cpuShares: sum.cpuShares,
    schedule: outcome.isOpenLoop ? scheduleOf(sum) : undefined,
  };
}

/** The server's phases in sum. */
const serverMs = ({ queue, computeInput, computeInfer, computeOutput }: Phases): number =>
  queue + computeInput + computeInfer + computeOutput;

function latencyOf(latencies: LatencyHistogram, percentile: number | undefined): BenchRow['latency'] {
  const percents = [...new Set([...usualPercents, ...(percentile === undefined ? [] : [percentile])])];
  return {
    mean: latencies.mean,
    min: latencies.count === 0 ? 0 : latencies.min,
    max: latencies.max,
    standardDeviation: latencies.standardDeviation,
    percentiles: percents
      .sort((one, other) => one - other)
      .map((percent) => ({ percent, ms: latencies.percentile(percent) })),
  };
}

const scheduleOf = (sum: GeneratorWindow): NonNullable<BenchRow['schedule']> => ({
  sent: sum.scheduled,
  delayed: sum.delayed,
  held: sum.held,
  meanLatenessMs: sum.scheduled === 0 ? 0 : sum.latenessMs / sum.scheduled,
  maxLatenessMs: sum.latenessMaxMs,
});

function marksOf(
  outcome: LevelOutcome,
  sum: GeneratorWindow,
  { stabilityPercent }: RowSettings,
): readonly (readonly [Mark, string])[] {
  const marks: (readonly [Mark, string])[] = [];
  const cpu = Math.max(0, ...sum.cpuShares);
  const failed = failureCount(sum);
  const [limit, used] = [`${mostCpuShare * 100} %`, `${Math.round(cpu * 100)} %`];
  if (cpu > mostCpuShare)
    marks.push(['invalid', `the generator used ${used} of its core, over ${limit}: it measured itself too`]);
  if (failed > 0) marks.push(['failures', `${failed} requests failed: ${showFailures(sum.failures)}`]);
  if (outcome.interrupted) marks.push(['interrupted', 'stopped before it was done']);
  else if (outcome.stable === false) marks.push(['unstable', unstableNote(outcome.windows.length, stabilityPercent)]);
  if (sum.held > 0)
    marks.push(['held', `${sum.held} requests had to wait because the most that may be in flight were`]);
  if (sum.scheduled > 0 && sum.delayed > sum.scheduled * mostDelayed) {
    const share = ((100 * sum.delayed) / sum.scheduled).toFixed(1);
    marks.push([
      'late',
      `${share} % of the requests left over ${delayToleranceMs} ms after their time; latencies count from that time`,
    ]);
  }
  return marks;
}

const unstableNote = (windows: number, percent: number): string =>
  windows < stableWindows
    ? `${windows} windows were measured, and stability needs ${stableWindows}`
    : `the last ${stableWindows} of ${windows} windows differ by more than ${percent} %, or were not answered`;

/** `3 UNAVAILABLE (the connection broke), 1 INTERNAL`. */
export const showFailures = (failures: BenchRow['failures']): string =>
  Object.entries(failures)
    .map(([status, { count, message }]) => `${count} ${status}${message === '' ? '' : ` (${message})`}`)
    .join(', ');

/** Whether a row can be taken as it stands. Late and held requests are what was measured, not a fault of it. */
export const isSound = ({ marks }: BenchRow): boolean => marks.every((mark) => mark === 'late' || mark === 'held');
