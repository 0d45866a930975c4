import type { ArmRole } from '@sluice/domain/release';
import type { LabelPolicy } from '../versions/registry-version.ts';
import type { TimeRange } from './time-range.ts';

/**
 * Of records each of which was kept with a probability p, which it carries. The estimate of a total over all records, kept or not, is the
 * sum of 1/p over those that were kept (Horvitz and Thompson, "A Generalization of Sampling Without Replacement From a Finite Universe",
 * Journal of the American Statistical Association 47, 1952): unbiased whatever the probabilities are, and however they changed. As records
 * are kept independently of each other, the variance of that of a count is estimated without bias by the sum of (1 - p)/p^2 (Särndal,
 * Swensson and Wretman, "Model Assisted Survey Sampling", 1992, section 3.2: Bernoulli and Poisson sampling); attempts of one
 * prediction are kept together, for which it is a little too small where there are retries. A mean is the ratio of two such totals.
 */
export interface WeightedCount {
  /** Records that are stored. */
  readonly stored: number;
  readonly estimate: number;
  readonly standardError: number;
}

export interface StatusCount {
  /** gRPC status; 0 is OK. */
  readonly status: number;
  readonly count: WeightedCount;
}

/** Quantiles of `endedMicros`: the least value up to which so large a share of the weight lies, within 1 percent. */
export interface LatencyQuantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** What statistics are grouped by. */
export interface GroupKey {
  /** When its bucket begins, in milliseconds since the epoch; undefined without buckets. */
  readonly bucketMs: number | undefined;
  readonly version: number;
  /** Empty when grouped by version; `role` is undefined then. */
  readonly arm: string;
  readonly role: ArmRole | undefined;
}

/** What attempts of a group were like. */
export interface TrafficStatistics extends GroupKey {
  readonly attempts: WeightedCount;
  readonly answered: WeightedCount;
  readonly statuses: readonly StatusCount[];
  readonly latency: LatencyQuantiles | undefined;
  /** Core-microseconds, estimated; of one row undefined where no record says. */
  readonly costMicros: number;
  readonly costMicrosPerRow: number | undefined;
  /** Of attempts with status OK, estimated. */
  readonly rows: number;
  /** The same of predictions that are old enough for the label age that was asked for. */
  readonly rowsOldEnough: number;
}

/** What labels say of a group. Counts are of rows; those with `weight` are estimates. */
export interface LabelStatistics extends GroupKey {
  readonly scored: number;
  readonly notCaptured: number;
  readonly erased: number;
  readonly notDecodable: number;
  readonly labelledWeight: number;
  readonly scoredWeight: number;
  readonly agesSeconds: { readonly p50: number; readonly p90: number } | undefined;
  readonly correct: number;
  /** Share of the weight of classified rows whose class is the true one; undefined where none is classified. */
  readonly accuracy: number | undefined;
  readonly precision: number | undefined;
  readonly recall: number | undefined;
  /** Empty: the mean over all classes. */
  readonly positiveClass: string;
  readonly logLoss: number | undefined;
  readonly logLossRows: number;
  readonly meanAbsoluteError: number | undefined;
}

export type Bucket = 'none' | 'hour' | 'day';

/** Which records statistics are made of, and how they are grouped. */
export interface StatisticsQuery {
  readonly model: string;
  /** Empty: all. */
  readonly versions: readonly number[];
  /** Undefined: all. */
  readonly arm: string | undefined;
  readonly range: TimeRange;
  readonly bucket: Bucket;
  readonly byArm: boolean;
  /** Labels that were at most so much older than their prediction, and predictions as old as that; undefined: all. */
  readonly labelAgeMs: number | undefined;
  readonly nowMs: number;
}

export interface QualityQuery extends StatisticsQuery {
  readonly policy: LabelPolicy;
  /** The class of precision and recall of each version; empty: all classes. */
  readonly positiveClasses: ReadonlyMap<number, string>;
}

/** The tables, as statistics see them. Both answers are in the order of buckets, versions, arms and roles. */
export interface StatisticsReader {
  traffic(query: StatisticsQuery): Promise<TrafficStatistics[]>;
  labels(query: QualityQuery): Promise<LabelStatistics[]>;
}
