import type { Measure } from './measure.ts';
import type { RestSeries } from './rest.ts';
import type { ScenarioSeries } from './scenario.ts';

/** All runs of one measurement under load, in the order of the rounds. */
export interface LoadSeries {
  readonly workload: string;
  readonly subject: string;
  readonly inFlight: number;
  readonly runs: readonly Measure[];
}

/** ONNX Runtime alone at one batch size, round by round. */
export interface RawSeries {
  readonly workload: string;
  readonly batch: number;
  /** Of the sizes that were tried, it is the one at which it is quickest. */
  readonly best: boolean;
  readonly rowsPerSecond: readonly number[];
}

export interface Figures {
  readonly raw: readonly RawSeries[];
  readonly load: readonly LoadSeries[];
  readonly rest: readonly RestSeries[];
  readonly scenarios: readonly ScenarioSeries[];
  /** The gRPC stack of router and model-server. */
  readonly transport?: 'grpc-js' | 'wire';
}

export const seriesName = (series: LoadSeries): string => `${series.workload}/${series.subject}/${series.inFlight}`;

export const restName = ({ process, start }: RestSeries): string =>
  `memory at rest${start === 'first' ? ' after the first start' : ''}: ${process}`;

export const rawName = (workload: string): string => `${workload}/raw`;
