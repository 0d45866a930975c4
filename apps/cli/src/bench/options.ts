import type { TransportName } from '@sluice/rpc/transport/transport';
import type { SequenceSettings } from './generator/sequences.ts';
import type { Range } from './ranges.ts';
import type { Arrivals } from './schedule.ts';

/** What the inputs are filled with. */
export type InputData =
  | { readonly kind: 'zero' }
  | { readonly kind: 'random'; readonly stringLength: number }
  | { readonly kind: 'file'; readonly path: string };

/** Which loads are measured. */
export type Loads =
  | { readonly kind: 'concurrency'; readonly range: Range }
  | { readonly kind: 'rate'; readonly range: Range; readonly distribution: 'constant' | 'poisson' }
  /** Gaps in microseconds from a file. */
  | { readonly kind: 'intervals'; readonly path: string };

/** How long a level is measured. */
export type Windows =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'count'; readonly requests: number }
  /** One window of exactly so many requests, without a look at stability. */
  | { readonly kind: 'exactly'; readonly requests: number };

export interface Files {
  readonly csv: string | undefined;
  readonly verboseCsv: boolean;
  readonly json: string | undefined;
  readonly html: string | undefined;
}

/** All that a run does, complete and without contradictions. */
export interface BenchPlan {
  readonly model: string;
  /** Number or alias; '' for the server's choice. */
  readonly version: string;
  readonly addresses: readonly string[];
  readonly batchSize: number;
  /** Sizes of inputs, without the batch. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly data: InputData;
  readonly loads: Loads;
  readonly binarySearch: boolean;
  readonly thresholdMs: number | undefined;
  /** Judges stability and threshold; undefined: the mean does. */
  readonly percentile: number | undefined;
  readonly windows: Windows;
  readonly stabilityPercent: number;
  readonly maxTrials: number;
  readonly warmUpRequests: number;
  readonly streaming: boolean;
  /** The gRPC client that makes the load. */
  readonly transport: TransportName;
  readonly parameters: ReadonlyMap<string, string | bigint | boolean>;
  /** Undefined: only when the model's configuration says that it is stateful. */
  readonly sequences: SequenceSettings | undefined;
  readonly defaultSequences: SequenceSettings;
  readonly timeoutMs: number;
  readonly mostInFlight: number;
  readonly threads: number;
  readonly calibrate: boolean;
  readonly seed: number;
  readonly files: Files;
}

/** The arrivals of a level of a rate. */
export const arrivalsOf = (loads: Extract<Loads, { kind: 'rate' }>, perSecond: number, seed: number): Arrivals =>
  loads.distribution === 'constant' ? { kind: 'constant', perSecond } : { kind: 'poisson', perSecond, seed };
