import { Bucket, QueueNode } from './bucket.ts';
import type { BucketKey } from './contract.ts';
import type { QueuedPart } from './formed-batch.ts';
import { IndexedHeap } from './indexed-heap.ts';
import type { SchedulerSettings } from './options.ts';

/** Empty buckets that are kept for their next request. Beyond it they are dropped: shapes may come from anybody. */
const idleBuckets = 16;
/** Without batching there is one bucket for all. */
const onlyBucket = 0;

/** What the queue reads of a request. */
export interface Queueable {
  readonly rows: number;
  readonly bucket: BucketKey;
  readonly deadlineMs: number;
}

/** The rows of one batch, taken out of the queue. */
export interface TakenRows<Request> {
  readonly bucket: BucketKey;
  readonly parts: readonly QueuedPart<Request>[];
  readonly rows: number;
}

/**
 * The waiting requests: lists by shape, a heap of deadlines and a heap of delays. A data structure only: it is told the
 * time, calls nobody back, and leaves answering to the scheduler. Every operation but `take` is O(log n) or better.
 */
export class RequestQueue<Request extends Queueable> {
  requests = 0;
  rows = 0;
  readonly #settings: SchedulerSettings;
  readonly #buckets = new Map<BucketKey, Bucket<Request>>();
  #arrivals = 0;
  /** Nobody waits for company any more. */
  #allDue: boolean;
  /** Buckets from which a batch may leave now, the one whose first request came first on top. */
  readonly #ready = new IndexedHeap<Bucket<Request>>((bucket) => bucket.head!.arrival, {
    get: (bucket) => bucket.readyIndex,
    set: (bucket, index) => (bucket.readyIndex = index),
  });
  readonly #expiries = new IndexedHeap<QueueNode<Request>>((node) => node.expiresAtMs, {
    get: (node) => node.expiryIndex,
    set: (node, index) => (node.expiryIndex = index),
  });
  readonly #dues = new IndexedHeap<QueueNode<Request>>((node) => node.dueAtMs, {
    get: (node) => node.dueIndex,
    set: (node, index) => (node.dueIndex = index),
  });

  constructor(settings: SchedulerSettings) {
    this.#settings = settings;
    this.#allDue = settings.maxQueueDelayMs === 0;
  }

  get bucketsInUse(): number {
    let used = 0;
    for (const bucket of this.#buckets.values()) if (bucket.requests > 0) used++;
    return used;
  }

  /** Shapes that are remembered, whether anything waits in them or not. */
  get bucketsKept(): number {
    return this.#buckets.size;
  }

  /** When the next request expires; `Infinity` when none does. */
  get nextExpiryMs(): number {
    return this.#expiries.peek()?.expiresAtMs ?? Infinity;
  }

  /** When the next request will have waited long enough; `Infinity` when none waits for company. */
  get nextDueMs(): number {
    return this.#dues.peek()?.dueAtMs ?? Infinity;
  }

  append(request: Request, nowMs: number): QueueNode<Request> {
    const { maxQueueDelayMs, defaultTimeoutMs } = this.#settings;
    const bucket = this.#bucket(this.#settings.maxBatchSize === 0 ? onlyBucket : request.bucket);
    const expiresAtMs = Math.min(request.deadlineMs, nowMs + defaultTimeoutMs);
    const patienceMs = Math.min(maxQueueDelayMs, (expiresAtMs - nowMs) / 2);
    const node = new QueueNode(request, bucket, this.#arrivals++, nowMs, expiresAtMs, nowMs + patienceMs);
    bucket.append(node);
    this.requests++;
    this.rows += node.rows;
    if (expiresAtMs !== Infinity) this.#expiries.push(node);
    if (this.#allDue) bucket.markDue(node);
    else this.#dues.push(node);
    this.#refresh(bucket);
    return node;
  }

  /** Takes a waiting request out, with the rows of it that are in no batch yet. */
  remove(node: QueueNode<Request>): void {
    const { bucket } = node;
    this.#unlink(node);
    bucket.rowsChanged();
    this.#refresh(bucket);
  }

  /** A request that has expired by now and still waits. It stays in: `remove` it. */
  expired(nowMs: number): QueueNode<Request> | undefined {
    const node = this.#expiries.peek();
    return node && node.expiresAtMs <= nowMs ? node : undefined;
  }

  /** Marks the requests that have waited long enough by now. */
  ripen(nowMs: number): void {
    for (let node = this.#dues.peek(); node && node.dueAtMs <= nowMs; node = this.#dues.peek()) this.#makeDue(node);
  }

  /** From now on nothing waits for company. */
  ripenAll(): void {
    this.#allDue = true;
    for (let node = this.#dues.peek(); node; node = this.#dues.peek()) this.#makeDue(node);
  }

  /** The bucket whose turn it is, of those from which a batch may leave. */
  nextReady(): Bucket<Request> | undefined {
    return this.#ready.peek();
  }

  /** Any waiting request. */
  any(): QueueNode<Request> | undefined {
    for (const bucket of this.#buckets.values()) if (bucket.head) return bucket.head;
    return undefined;
  }

  /** Takes the rows of the bucket's next batch. */
  take(bucket: Bucket<Request>): TakenRows<Request> {
    const { nodes, rows } = bucket.measure();
    const parts: QueuedPart<Request>[] = [];
    let batchRow = 0;
    while (parts.length < nodes) {
      const node = bucket.head!;
      const part = this.#takeFrom(node, batchRow, rows - batchRow);
      parts.push(part);
      batchRow += part.rows;
    }
    bucket.rowsChanged();
    this.#refresh(bucket);
    return { bucket: parts[0]!.request.bucket, parts, rows };
  }

  #takeFrom(node: QueueNode<Request>, batchRow: number, room: number): QueuedPart<Request> {
    const taken = Math.min(node.waitingRows, room);
    const part = { request: node.request, node, requestRow: node.takenRows, batchRow, rows: taken };
    node.runningParts++;
    if (taken === node.waitingRows) {
      this.#unlink(node);
    } else {
      node.bucket.rows -= taken;
      this.rows -= taken;
    }
    node.takenRows += taken;
    return part;
  }

  #unlink(node: QueueNode<Request>): void {
    this.requests--;
    this.rows -= node.waitingRows;
    node.bucket.remove(node);
    this.#expiries.remove(node);
    this.#dues.remove(node);
  }

  #makeDue(node: QueueNode<Request>): void {
    this.#dues.remove(node);
    node.bucket.markDue(node);
    this.#refresh(node.bucket);
  }

  #bucket(key: BucketKey): Bucket<Request> {
    let bucket = this.#buckets.get(key);
    if (!bucket) {
      bucket = new Bucket(key, this.#settings);
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  /** Puts the bucket where it now belongs among the ready ones, and lets it go when nothing needs it. */
  #refresh(bucket: Bucket<Request>): void {
    if (!bucket.ready) this.#ready.remove(bucket);
    else if (this.#ready.has(bucket)) this.#ready.moved(bucket);
    else this.#ready.push(bucket);
    if (bucket.requests === 0 && this.#buckets.size > idleBuckets) this.#buckets.delete(bucket.key);
  }
}
