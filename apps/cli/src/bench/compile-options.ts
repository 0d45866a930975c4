import { parseAddresses } from '@sluice/client/addresses';
import { defaultRouterPort } from '@sluice/client/oip-client';
import type { TransportName } from '@sluice/rpc/transport/transport';
import { usageError } from '../exit-codes.ts';
import type { SequenceSettings } from './generator/sequences.ts';
import type { BenchPlan, InputData, Loads, Windows } from './options.ts';
import type { Range } from './ranges.ts';

/** Options as the command line gives them: each is well-formed by itself. */
export interface BenchFlags {
  readonly model?: string;
  readonly modelVersion: string;
  readonly url?: string;
  readonly batchSize: number;
  readonly shape: ReadonlyMap<string, readonly number[]>;
  readonly inputData: string;
  readonly stringLength: number;
  readonly concurrencyRange?: Range;
  readonly requestRateRange?: Range;
  readonly requestDistribution?: 'constant' | 'poisson';
  readonly requestIntervals?: string;
  readonly binarySearch: boolean;
  readonly latencyThreshold?: number;
  readonly percentile?: number;
  readonly measurementMode: 'time_windows' | 'count_windows';
  readonly measurementInterval?: number;
  readonly measurementRequestCount?: number;
  readonly stabilityPercentage: number;
  readonly maxTrials: number;
  readonly requestCount?: number;
  readonly warmupRequestCount: number;
  readonly streaming: boolean;
  readonly transport: TransportName;
  readonly requestParameter: ReadonlyMap<string, string | bigint | boolean>;
  readonly numOfSequences?: number;
  readonly sequenceLength?: number;
  readonly sequenceLengthVariation?: number;
  readonly startSequenceId?: number;
  readonly maxOutstanding: number;
  readonly timeout: number;
  readonly threads: number;
  readonly calibration: boolean;
  readonly seed: number;
  readonly latencyReportFile?: string;
  readonly verboseCsv: boolean;
  readonly jsonFile?: string;
  readonly html?: string;
}

type Named = readonly [option: string, isGiven: boolean];

/** The one of several options that exclude each other; throws a usage error that names two that were given. */
function oneOf(...options: readonly Named[]): string | undefined {
  const given = options.filter(([, isGiven]) => isGiven).map(([option]) => option);
  if (given.length > 1) throw usageError(`${given[0]!} and ${given[1]!} exclude each other: give one of them`);
  return given[0];
}

/** Refuses an option that needs another. */
function needs(option: string, isGiven: boolean, other: string, hasOther: boolean): void {
  if (isGiven && !hasOther) throw usageError(`${option} needs ${other}`);
}

/**
 * Puts the options together.
 *
 * @param positional the model, where it stands without an option
 * @param router addresses of routers when no `--url` is given
 * @throws CliError usage, naming the options that contradict each other
 */
export function compileOptions(positional: string | undefined, flags: BenchFlags, router: string): BenchPlan {
  oneOf(
    ['the argument MODEL', positional !== undefined && positional !== flags.model],
    ['--model', flags.model !== undefined],
  );
  const model = positional ?? flags.model;
  if (model === undefined) throw usageError('no model was given', 'sluice bench MODEL, or -m MODEL');
  const loads = loadsOf(flags);
  const range = loads.kind === 'intervals' ? undefined : loads.range;
  const hasThreshold = flags.latencyThreshold !== undefined;
  needs('--binary-search', flags.binarySearch, '--latency-threshold', hasThreshold);
  needs('--binary-search', flags.binarySearch, 'a range with an end', (range?.end ?? 0) > (range?.start ?? 0));
  needs('a range whose end is 0', range?.end === 0, '--latency-threshold', hasThreshold);
  needs('--verbose-csv', flags.verboseCsv, '-f', flags.latencyReportFile !== undefined);
  const defaultSequences = sequencesOf(flags);
  return {
    model,
    version: flags.modelVersion,
    addresses: parseAddresses(flags.url ?? router, defaultRouterPort),
    batchSize: flags.batchSize,
    shapes: flags.shape,
    data: dataOf(flags),
    loads,
    binarySearch: flags.binarySearch,
    thresholdMs: flags.latencyThreshold,
    percentile: flags.percentile,
    windows: windowsOf(flags),
    stabilityPercent: flags.stabilityPercentage,
    maxTrials: flags.maxTrials,
    warmUpRequests: flags.warmupRequestCount,
    streaming: flags.streaming,
    transport: flags.transport,
    parameters: flags.requestParameter,
    sequences: isStateful(flags) ? defaultSequences : undefined,
    defaultSequences,
    timeoutMs: flags.timeout * 1000,
    mostInFlight: flags.maxOutstanding,
    threads: flags.threads,
    calibrate: flags.calibration,
    seed: flags.seed,
    files: {
      csv: flags.latencyReportFile,
      verboseCsv: flags.verboseCsv,
      json: flags.jsonFile,
      html: flags.html,
    },
  };
}

function loadsOf(flags: BenchFlags): Loads {
  const { concurrencyRange, requestRateRange, requestDistribution, requestIntervals } = flags;
  oneOf(
    ['--concurrency-range', concurrencyRange !== undefined],
    ['--request-rate-range', requestRateRange !== undefined],
    ['--request-intervals', requestIntervals !== undefined],
  );
  needs(
    '--request-distribution',
    requestDistribution !== undefined,
    '--request-rate-range',
    requestRateRange !== undefined,
  );
  if (requestIntervals !== undefined) return { kind: 'intervals', path: requestIntervals };
  if (requestRateRange !== undefined)
    return { kind: 'rate', range: requestRateRange, distribution: requestDistribution ?? 'constant' };
  return { kind: 'concurrency', range: concurrencyRange ?? { start: 1, end: 1, step: 1 } };
}

function windowsOf(flags: BenchFlags): Windows {
  const { measurementMode, measurementInterval, measurementRequestCount, requestCount } = flags;
  const counts = measurementMode === 'count_windows';
  oneOf(
    ['--request-count', requestCount !== undefined],
    ['--measurement-request-count', measurementRequestCount !== undefined],
  );
  oneOf(['--request-count', requestCount !== undefined], ['--measurement-interval', measurementInterval !== undefined]);
  oneOf(['--request-count', requestCount !== undefined], ['--measurement-mode count_windows', counts]);
  oneOf(['--measurement-mode count_windows', counts], ['--measurement-interval', measurementInterval !== undefined]);
  needs(
    '--measurement-request-count',
    measurementRequestCount !== undefined,
    '--measurement-mode count_windows',
    counts,
  );
  if (requestCount !== undefined) return { kind: 'exactly', requests: requestCount };
  if (counts) return { kind: 'count', requests: measurementRequestCount ?? 50 };
  return { kind: 'time', ms: measurementInterval ?? 5_000 };
}

function dataOf({ inputData, stringLength }: BenchFlags): InputData {
  if (inputData === 'zero') return { kind: 'zero' };
  if (inputData === 'random') return { kind: 'random', stringLength };
  return { kind: 'file', path: inputData };
}

const isStateful = ({
  numOfSequences,
  sequenceLength,
  sequenceLengthVariation,
  startSequenceId,
}: BenchFlags): boolean =>
  [numOfSequences, sequenceLength, sequenceLengthVariation, startSequenceId].some((one) => one !== undefined);

const sequencesOf = (flags: BenchFlags): SequenceSettings => ({
  length: flags.sequenceLength ?? 20,
  variationPercent: flags.sequenceLengthVariation ?? 20,
  firstId: flags.startSequenceId ?? 1,
  alive: flags.numOfSequences ?? 4,
});
