import type { ServingConfig, Signature } from '@sluice/domain/signature';
import type { GoldenCase } from '../manifest/manifest.ts';
import type { AdmissionCheck } from './admission.ts';

/** What the throw-away process is told: the only thing that it knows. Sent once, by structured clone. */
export interface AdmissionJob {
  /** Absolute path of the graph, in a folder that has the version's files and nothing else. */
  readonly graphFile: string;
  readonly signature: Signature;
  readonly serving: ServingConfig;
  /** Of inputs, for columns without a range of their own. */
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  /** Sizes of dynamic dimensions beside the batch, by name. */
  readonly dimensions: Readonly<Record<string, number>>;
  readonly golden: readonly GoldenCase[];
  /** Seed of the generated rows. */
  readonly seed: number;
  /** Longest time for measuring one latency, in milliseconds. */
  readonly measureMs: number;
}

/** What it says. Everything comes as it is known, so that a crash leaves what was learnt before it. */
export type ChildMessage =
  /** It is about to do this. */
  | { readonly type: 'stage'; readonly stage: string }
  | { readonly type: 'check'; readonly check: AdmissionCheck }
  | { readonly type: 'measured'; readonly latencyMs: number }
  | { readonly type: 'measured-batch'; readonly batchLatencyMs: number; readonly batchRows: number }
  /** Rows cannot be batched, although the graph says that they can. */
  | { readonly type: 'batching-off'; readonly reason: string }
  /** Resident bytes; only where the parent cannot read them itself. */
  | { readonly type: 'memory'; readonly rss: number; readonly peak: number }
  /** Resident bytes before the graph is loaded: what the model takes is what comes on top. */
  | { readonly type: 'base'; readonly rss: number }
  /** All stages have run. */
  | { readonly type: 'done' };
