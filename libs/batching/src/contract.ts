import type { Clock } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';

/** A shape bucket: requests of different buckets never share a batch. Opaque to the scheduler, compared by `===`. */
export type BucketKey = string | number;

/** The scheduler's own notes on a request. Opaque: nobody else reads or changes what is behind it. */
export interface Ticket {
  /** `Clock.monotonic()` of the moment at which the scheduler accepted the request, in milliseconds. */
  readonly enqueuedAtMs: number;
}

/**
 * What the scheduler must know of a request, and how it answers it. The caller implements this on its own request object,
 * so that the tensors travel with it and the scheduler never sees them.
 *
 * Ownership. Until `enqueue` has returned `undefined`, and after it has returned an error, the request is the caller's and
 * none of the callbacks is ever called. Once accepted it is the scheduler's, until the scheduler calls exactly one of
 * `succeed` and `fail`: that is its answer, and from then on it is the caller's again and no callback comes any more. Its
 * tensors must stay readable until then, and, where a runner reads them later than in its `run` call, until that batch is
 * over. A request object is used once.
 */
export interface BatchRequest<Result> {
  /** Rows along the batch dimension: an integer from 0 up; more than `maxBatchSize` is split. */
  readonly rows: number;
  readonly bucket: BucketKey;
  /**
   * When it must have left the queue, in milliseconds of `Clock.monotonic()` (not of the epoch); `Infinity` for never. At
   * that very moment it is too late. Rows that run already are not stopped by it.
   */
  readonly deadlineMs: number;
  /** Its level: 1 is served first, `priorityLevels` last. 0 or `undefined` is the default level. */
  readonly priority?: number | undefined;
  /**
   * How long it may wait in the queue, in microseconds, where its level's policy lets requests bring the time-out forward;
   * elsewhere it is ignored. 0 or `undefined` is none.
   */
  readonly timeoutMicroseconds?: number | undefined;
  /** `undefined` before the request is enqueued; written by the scheduler alone. */
  ticket: Ticket | undefined;

  /**
   * Some of its rows are done: rows `part.requestRow …` of the request are rows `part.batchRow …` of `result`, `part.rows`
   * of them. Called once, or once per part of a split request, in no promised order; take or copy what is needed before
   * returning. A throw fails this request alone.
   */
  rowsDone(result: Result, part: BatchPart): void;
  /** The answer: every row was handed over. With `preserveOrdering` it may come later than the last `rowsDone`. */
  succeed(): void;
  /**
   * The answer: it failed. Kinds: `deadline-exceeded` (expired in the queue), `cancelled`, `unavailable` (the scheduler
   * stopped first), or whatever the runner failed the batch with.
   */
  fail(error: SluiceError): void;
}

/** Consecutive rows of one request that stand together in one batch. */
export interface BatchPart {
  /** First row within the request; 0 unless it was split. */
  readonly requestRow: number;
  /** First row within the batch. */
  readonly batchRow: number;
  /** How many rows; 0 for a request without rows. */
  readonly rows: number;
}

/** A part and whose it is. */
export interface RequestPart<Request> extends BatchPart {
  readonly request: Request;
}

/**
 * Rows that are to run together on one instance. The parts stand in the order in which they are served (of one level: as
 * they came) and leave no gap: part i + 1 starts where part i ends.
 *
 * The runner owes the scheduler two things, in either order, each exactly once: an answer (`complete` or `fail`), and the
 * instance (`free`). They are apart so that the next batch can start before the answers of this one are written, and so
 * that an instance that must be repaired first can be kept back after its batch has failed.
 */
export interface Batch<Request, Result> {
  /** Counts from 1 per scheduler. */
  readonly id: number;
  /** Which instance runs it: 0 … instances - 1. Unfreed batches of one instance, at most `1 + ahead`, run one by one. */
  readonly instance: number;
  readonly bucket: BucketKey;
  /** The sum of the parts' rows: at most `maxBatchSize` (unless that is 0); 0 when no request in it has rows. */
  readonly rows: number;
  /**
   * Rows that the run must have: `rows`, or the next of `allowedBatchSizes`. What stands in those from `rows` on is the
   * runner's choice, as long as the model can run it, and nobody gets their results.
   */
  readonly paddedRows: number;
  readonly parts: readonly RequestPart<Request>[];
  /** `Clock.monotonic()` when it was formed, in milliseconds. */
  readonly formedAtMs: number;

  /**
   * Whether the request of this part still waits for it. False once it was cancelled, or failed with another of its parts:
   * a runner that has not started yet may leave such rows out of its copying, but not out of the batch.
   */
  wanted(part: RequestPart<Request>): boolean;
  /** It stands in its place and has not begun: says how it can be changed until then. Without it, it cannot. */
  place(placed: PlacedBatch<Request>): void;
  /** The instance can take another batch. A second call throws `internal`. */
  free(): void;
  /**
   * All rows ran. `rows` is the number of rows that `result` really has: unless it equals the batch's `paddedRows`, nothing
   * resolves and every request of the batch fails with `internal`. `result` is read before this returns, and never after. A
   * second answer throws `internal`.
   */
  complete(result: Result, rows: number): void;
  /** The run failed: every request of the batch that is not answered yet fails with `error`. A second answer throws `internal`. */
  fail(error: SluiceError): void;
}

/** A batch that was handed over and stands behind another on its instance: until it begins, it can be changed. */
export interface PlacedBatch<Request> {
  /** It has not begun, as far as can be seen. */
  readonly open: boolean;
  /**
   * These parts come behind those that it has; it is to run with `rows` rows then, padding included. False when it has
   * begun, or there is no room: it stays as it was.
   */
  join(parts: readonly RequestPart<Request>[], rows: number): boolean;
  /**
   * Only these parts of it stay, at the rows of the batch that they name now; it is to run with `rows` rows then. With
   * none of them it is not to run, and the runner owes no answer for it, only `free`. False when it has begun, or cannot be
   * changed. A throw counts as false.
   */
  leave(stay: readonly RequestPart<Request>[], rows: number): boolean;
}

/**
 * Starts a batch and returns; the end is told by `batch.free` with `batch.complete` or `batch.fail`, now or later. Copy the
 * rows of `batch.parts` into the instance's input buffer here. A throw fails the batch and frees its instance.
 */
export type BatchRunner<Request, Result> = (batch: Batch<Request, Result>) => void;

/** What a scheduler needs from outside. */
export interface SchedulerPorts<Request, Result> {
  readonly clock: Clock;
  readonly run: BatchRunner<Request, Result>;
  /**
   * Puts the forming of batches off, once per turn, so that requests that arrive in one turn of the event loop ride
   * together although an instance is free: `setImmediate` in a server. A batch that is full does not wait for it. Left
   * out, a batch is formed inside the call that made it possible.
   */
  readonly defer?: (form: () => void) => void;
  /** A callback of a request threw where no answer can carry it any more. A defect of the caller: log it. */
  readonly onDefect: (thrown: unknown) => void;
}

/** Why a request was not accepted, or left without an answer from the model. */
export type LossReason = 'refused' | 'expired' | 'cancelled' | 'stopped' | 'batch-failed';

/**
 * A snapshot. Counts run from the scheduler's creation. None goes back but those of rows in batches: what leaves a batch that
 * has not begun is taken off.
 */
export interface SchedulerStats {
  /** Requests of which at least one row (or, without rows, the request itself) waits. */
  readonly queuedRequests: number;
  readonly queuedRows: number;
  /** What of it waits in each priority level, the highest first; without levels there is one. */
  readonly levels: readonly { readonly requests: number; readonly rows: number }[];
  /** Shape buckets with at least one waiting request. */
  readonly queuedBuckets: number;
  /** Batches formed, and not yet both answered and freed. */
  readonly runningBatches: number;
  readonly runningRows: number;
  /** Those of them that stand behind others and have not begun, with their rows. */
  readonly openBatches: number;
  readonly openRows: number;
  /** Requests with rows in them, of which no row waits: with `queuedRequests`, all that have rows which did not begin. */
  readonly openRequests: number;
  readonly freeInstances: number;
  readonly accepted: number;
  readonly succeeded: number;
  /** Requests that were lost, by reason. `refused` ones were never accepted. */
  readonly lost: Readonly<Record<LossReason, number>>;
  /** Batches formed; the average batch is `batchedRows / batches`. */
  readonly batches: number;
  readonly batchedRows: number;
  /** Rows of padding that these batches had besides. */
  readonly paddingRows: number;
}

/** How a drain ended. */
export interface DrainReport {
  /** Queued requests that were failed because the time was up. */
  readonly failed: number;
  /** Batches that ran still when the time was up; 0 when the drain was complete. */
  readonly runningBatches: number;
}

/**
 * Collects requests into batches and hands them to a runner. `BatchScheduler` is the real one, `PuppetScheduler` one for
 * the tests of whoever depends on it.
 */
export interface Scheduler<Request> {
  /**
   * Takes a request, or returns why not: `invalid-argument` (rows, priority, time-out), `deadline-exceeded` (its deadline is
   * past already), `resource-exhausted` with `retryAfterMs` (its level's queue is full), `unavailable` (stopping). Never throws for the state of
   * the queue. It may call the runner and other requests' callbacks before it returns.
   */
  enqueue(request: Request): SluiceError | undefined;
  /**
   * The caller does not want the answer any more. Waiting rows leave the queue, the results of running ones are dropped,
   * and the request is answered `cancelled` at once. Returns false, and does nothing, when it is not the scheduler's.
   */
  cancel(request: Request): boolean;
  /** Refuses requests from now on. What was accepted goes on, and waits no longer than it must for a free instance. */
  stop(): void;
  /**
   * Stops, and resolves when nothing waits and nothing runs, or after `withinMs` milliseconds with what still waits failed
   * `unavailable` (0: fail it now). What runs cannot be stopped: the report says how much there is. A second call may bring
   * the time forward; both resolve together.
   */
  drain(withinMs: number): Promise<DrainReport>;
  stats(): SchedulerStats;
}
