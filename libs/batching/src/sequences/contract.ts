import type { BatchRequest, BucketKey, DrainReport, RequestPart, SchedulerPorts, SchedulerStats } from '../contract.ts';
import type { SluiceError } from '@sluice/domain/errors';

/** Names a sequence among those of one scheduler, compared as keys of a Map are. */
export type SequenceKey = bigint | string;

/**
 * A request of a sequence. Ownership and callbacks are those of every request (`BatchRequest`); it has one row, and no
 * priority, since the requests of a sequence run in the order in which they came.
 */
export interface SequenceRequest<Result> extends BatchRequest<Result> {
  readonly sequence: SequenceKey;
  /** It begins a sequence; one that lives under this key is over when it comes to run. */
  readonly start: boolean;
  /** It is the last of its sequence. */
  readonly end: boolean;
}

/** A request in a batch: row `batchRow` of it, and the slot that its sequence has, which no other sequence has meanwhile. */
export interface SequencePart<Request> extends RequestPart<Request> {
  /** 0 … instances * slots - 1. */
  readonly slot: number;
}

/**
 * Requests of different sequences that run together, each the next of its own. The runner answers each part, once, by
 * `complete` or `fail`, in any order, and then calls `free` once: the next batch of the instance is formed there, so what
 * the runs left must be kept by then.
 */
export interface SequenceBatch<Request, Result> {
  /** Counts from 1 per scheduler. */
  readonly id: number;
  /** 0 … instances - 1; an instance has one batch at a time. */
  readonly instance: number;
  readonly bucket: BucketKey;
  /** Rows 0, 1, 2 … without a gap: a slot without a request has no row. */
  readonly parts: readonly SequencePart<Request>[];
  /** `Clock.monotonic()` when it was formed, in milliseconds. */
  readonly formedAtMs: number;
  /** Whether its request still waits for an answer: false once it was cancelled. */
  wanted(part: SequencePart<Request>): boolean;
  /**
   * It ran. Returns whether it counts as a step of its sequence, so that the state that it left is to be kept: false when
   * its request could not take the result, and so has failed.
   */
  complete(part: SequencePart<Request>, result: Result, from: RequestPart<Request>): boolean;
  /** It did not run, or its run failed: the sequence stays as it was. */
  fail(part: SequencePart<Request>, error: SluiceError): void;
  free(): void;
}

/** What a scheduler of sequences needs from outside: as every scheduler, with a runner for its batches. */
export interface SequencePorts<Request, Result> extends Omit<SchedulerPorts<Request, Result>, 'run'> {
  /** Starts a batch and returns. A throw fails all of its parts and frees the instance. */
  readonly run: (batch: SequenceBatch<Request, Result>) => void;
}

/** A snapshot; counts run from the scheduler's creation. */
export interface SequenceStats extends SchedulerStats {
  /** Slots of all instances. */
  readonly slots: number;
  /** Sequences that have a slot. */
  readonly sequences: number;
  /** Sequences that wait for one. */
  readonly backlog: number;
  /** Sequences that were over for want of requests. */
  readonly idledOut: number;
}

/** Collects requests of sequences into batches. Sequences have slots; see SPEC.md. */
export interface SequenceScheduling<Request> {
  /**
   * Takes a request, or returns why not: `invalid-argument` (not one row), `deadline-exceeded`, `resource-exhausted` (too
   * many wait), `failed-precondition` "sequence lost" (it starts none, and none lives under its key), `unavailable`
   * (stopping, and it starts one). As `Scheduler.enqueue`.
   */
  enqueue(request: Request): SluiceError | undefined;
  /** As `Scheduler.cancel`. What runs already counts as a step of its sequence all the same. */
  cancel(request: Request): boolean;
  /** Whether a request that starts none would be taken for this sequence. */
  lives(key: SequenceKey): boolean;
  /** Ends a sequence after the requests that it has; nothing more is taken for it. */
  end(key: SequenceKey): void;
  /** From now on a sequence is over as soon as it has no request. */
  endIdle(): void;
  /**
   * Takes no new sequence, and resolves when all are over, or after `withinMs` milliseconds: what waits then fails
   * `unavailable`, and every sequence is over after what runs of it.
   */
  drain(withinMs: number): Promise<DrainReport>;
  stats(): SequenceStats;
}
