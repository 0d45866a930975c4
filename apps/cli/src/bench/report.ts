import type { Ceiling } from './generator/ceiling.ts';
import type { BenchPlan } from './options.ts';
import type { BenchRow } from './rows.ts';

/** The machine that the generator ran on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
}

/** Everything that a run found. */
export interface BenchReport {
  readonly plan: BenchPlan;
  /** The version that answered the first request; '' when the answer does not say it. */
  readonly answeredBy: string;
  readonly server: { readonly name: string; readonly version: string };
  readonly hasStatistics: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly machine: Machine;
  /** Undefined when it was not measured. */
  readonly ceiling: Ceiling | undefined;
  /** In the order in which they were measured. */
  readonly rows: readonly BenchRow[];
  readonly interrupted: boolean;
}

/** What the levels of a run are called. */
export const levelName = ({ loads }: BenchPlan): 'Concurrency' | 'Request Rate' =>
  loads.kind === 'concurrency' ? 'Concurrency' : 'Request Rate';
