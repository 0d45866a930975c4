import type { Bucket } from './bucket.ts';
import type { BucketKey, Ticket } from './contract.ts';
import type { PolicySettings } from './queue-policy.ts';

/** What the queue reads of a request. */
export interface Queueable {
  readonly rows: number;
  readonly bucket: BucketKey;
  readonly deadlineMs: number;
  readonly priority?: number | undefined;
  readonly timeoutMicroseconds?: number | undefined;
}

/** The waiting requests of one priority level, over all buckets: how many there are, and what holds for them. */
export class QueueLevel implements PolicySettings {
  /** 1 is the highest. */
  readonly number: number;
  readonly delay: boolean;
  readonly defaultTimeoutMs: number;
  readonly allowTimeoutOverride: boolean;
  readonly maxQueueSize: number;
  requests = 0;
  rows = 0;

  constructor(number: number, policy: PolicySettings) {
    this.number = number;
    this.delay = policy.delay;
    this.defaultTimeoutMs = policy.defaultTimeoutMs;
    this.allowTimeoutOverride = policy.allowTimeoutOverride;
    this.maxQueueSize = policy.maxQueueSize;
  }

  /** How long a request that asks for this time-out (0 for none) may wait, in milliseconds; `Infinity` for ever. */
  timeoutMs(microseconds: number | undefined): number {
    if (!this.allowTimeoutOverride || !microseconds) return this.defaultTimeoutMs;
    return Math.min(this.defaultTimeoutMs, microseconds / 1000);
  }
}

/** One accepted request: its place in the queue and how far it is. */
export class QueueNode<Request> implements Ticket {
  readonly request: Request;
  readonly bucket: Bucket<Request>;
  readonly level: QueueLevel;
  readonly rows: number;
  readonly enqueuedAtMs: number;
  /** Order of arrival over all buckets. */
  readonly arrival: number;
  /** Where it stands in the order in which a bucket is served: by level, and within one, delayed ones behind. */
  segment: number;
  /** Order within its segment, over all buckets: of arrival, or of having been delayed. */
  order: number;
  /** The next moment at which something happens to it in the queue: it is delayed, or it is too late for it. */
  expiresAtMs: number;
  /** What happens at `expiresAtMs`: it is delayed. */
  delays: boolean;
  /** Has waited for company long enough from this moment on. */
  readonly dueAtMs: number;

  previous: QueueNode<Request> | undefined = undefined;
  next: QueueNode<Request> | undefined = undefined;
  queued = true;
  due = false;
  /** It is settled how it ends, though with `preserveOrdering` it may not have been told yet. */
  answered = false;
  /** Rows that are in batches already; between 0 and `rows` only for a request that is being split. */
  takenRows = 0;
  /** Parts in batches that are not answered yet. */
  runningParts = 0;
  expiryIndex = -1;
  dueIndex = -1;

  constructor(
    request: Request & Queueable,
    bucket: Bucket<Request>,
    level: QueueLevel,
    arrival: number,
    nowMs: number,
    maxQueueDelayMs: number,
  ) {
    this.request = request;
    this.bucket = bucket;
    this.level = level;
    this.rows = request.rows;
    this.enqueuedAtMs = nowMs;
    this.arrival = arrival;
    this.segment = segmentOf(level.number, false);
    this.order = arrival;
    const timesOutAtMs = nowMs + level.timeoutMs(request.timeoutMicroseconds);
    this.expiresAtMs = Math.min(request.deadlineMs, timesOutAtMs);
    this.delays = level.delay && timesOutAtMs < request.deadlineMs;
    this.dueAtMs = nowMs + Math.min(maxQueueDelayMs, (this.expiresAtMs - nowMs) / 2);
  }

  get waitingRows(): number {
    return this.rows - this.takenRows;
  }
}

/** The segments of a bucket, in the order in which they are served: of each level those in time, then those delayed. */
export function segmentOf(level: number, delayed: boolean): number {
  return 2 * level - (delayed ? 1 : 2);
}

/** Whether the first request is served before the second, when nothing but their places counts. */
export function servedBefore<Request>(a: QueueNode<Request>, b: QueueNode<Request>): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.order < b.order);
}
