import type { DrainReport, SchedulerStats } from '@sluice/batching/contract';
import type { Clock } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import type { ServingConfig, Signature } from '@sluice/domain/signature';
import type { SequenceId } from '@sluice/inference/sequence';
import type { SessionPool } from '../runtime/session-pool.ts';
import type { KnownOutputs } from './buckets.ts';
import type { InferAnswer } from './infer-job.ts';
import type { VersionStats } from './version-stats.ts';

/** A request that was taken, to be cancelled when its caller goes away. */
export type Cancel = () => void;

/** The sequences that live on a version. */
export interface LiveSequences {
  /** Whether it would take another request of this sequence. */
  lives(id: SequenceId): boolean;
  /** Ends a sequence after the requests that it has: it was started again elsewhere. */
  end(id: SequenceId): void;
  /** From now on sequences end when they have no request: nobody can send any. */
  endIdle(): void;
  /** Sequences that have a slot. */
  readonly count: number;
  /** Sequences that wait for one. */
  readonly backlog: number;
  /** Bytes that states of sequences take. */
  readonly stateBytes: number;
}

/** What an engine serves. */
export interface EngineOptions {
  readonly model: string;
  readonly version: number;
  readonly signature: Signature;
  readonly serving: ServingConfig;
  readonly pool: SessionPool;
  /** Outputs whose shape the warm-up found to be what the signature states. */
  readonly knownOutputs: KnownOutputs;
  /** Outlives the engine: a version that is loaded again goes on counting. */
  readonly stats: VersionStats;
  readonly clock: Clock;
  /** Puts work off to the end of the turn: `setImmediate` in a server. */
  readonly defer: (fn: () => void) => void;
  /** Told how long each run took that worked, in microseconds. */
  readonly ran?: (inferUs: number) => void;
  /** Told of each request that the model failed on. */
  readonly modelFailed?: (error: SluiceError) => void;
  /** A defect of ours that no answer can carry. */
  readonly onDefect: (thrown: unknown) => void;
}

/** One loaded version: takes request bytes, queues, batches, runs, and answers with response bytes. */
export interface Engine {
  readonly stats: VersionStats;
  /** What clients send and get. */
  readonly signature: Signature;
  /** When the last request came, on the monotonic clock: written by who hands requests over, read when memory is short. */
  lastRequestMs: number;
  /** Undefined where each request stands for itself. */
  readonly sequences?: LiveSequences;
  /** From now on batches run there; those that run are the old one's. @param pool with as many slots as the old one */
  usePool(pool: SessionPool): void;
  /**
   * Takes a ModelInferRequest. `answer` is told exactly once, before or after this returns.
   * @param deadlineMs in milliseconds of `Clock.monotonic()`
   * @returns how to cancel it; undefined when it is answered already
   */
  infer(bytes: Buffer, deadlineMs: number, answer: InferAnswer): Cancel | undefined;
  queue(): SchedulerStats;
  /** A run does not end: what waits fails with `error` now, since what hangs may be among it, and nothing new is taken. */
  hang(error: SluiceError): void;
  /**
   * Takes nothing new (no new sequence) and lets what was accepted finish, and sequences end, for at most `withinMs`
   * milliseconds.
   */
  drain(withinMs: number): Promise<DrainReport>;
}
