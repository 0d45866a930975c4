import { Bucket } from './bucket.ts';
import type { BucketKey, SchedulerStats } from './contract.ts';
import type { QueuedPart } from './formed-batch.ts';
import { IndexedHeap } from './indexed-heap.ts';
import type { SchedulerSettings } from './options.ts';
import { QueueLevel, QueueNode, servedBefore, type Queueable } from './queue-node.ts';

/** Empty buckets that are kept for their next request. Beyond it they are dropped: shapes may come from anybody. */
const idleBuckets = 16;
/** Without batching there is one bucket for all. */
const onlyBucket = 0;
/** So many batches in a row may pass waiting requests of lower levels over; the next batch is theirs. */
export const batchesThatPassOver = 16;

/** The rows of one batch, taken out of the queue. */
export interface TakenRows<Request> {
  readonly bucket: BucketKey;
  readonly parts: readonly QueuedPart<Request>[];
  readonly rows: number;
}

/**
 * The waiting requests: lists by shape, a heap of deadlines and a heap of delays. A data structure only: it is told the
 * time, calls nobody back, and leaves answering to the scheduler. Every operation but `next` and `take` is O(log n) or
 * better, and these look at no more than the batch's requests, but where there are levels: then at the ready buckets too.
 */
export class RequestQueue<Request extends Queueable> {
  readonly #settings: SchedulerSettings;
  readonly #buckets = new Map<BucketKey, Bucket<Request>>();
  readonly #levels: readonly QueueLevel[];
  #arrivals = 0;
  #delays = 0;
  /** Batches in a row that passed requests of lower levels over. */
  #passedOver = 0;
  /** Nobody waits for company any more. */
  #allDue: boolean;
  /** Buckets from which a batch may leave now, the one whose first request is served first on top. */
  readonly #ready = new IndexedHeap<Bucket<Request>>((a, b) => servedBefore(a.head!, b.head!), {
    get: (bucket) => bucket.readyIndex,
    set: (bucket, index) => (bucket.readyIndex = index),
  });
  readonly #expiries = new IndexedHeap<QueueNode<Request>>(expiresBefore, {
    get: (node) => node.expiryIndex,
    set: (node, index) => (node.expiryIndex = index),
  });
  readonly #dues = new IndexedHeap<QueueNode<Request>>((a, b) => a.dueAtMs < b.dueAtMs, {
    get: (node) => node.dueIndex,
    set: (node, index) => (node.dueIndex = index),
  });

  constructor(settings: SchedulerSettings) {
    this.#settings = settings;
    this.#levels = settings.policies.map((policy, i) => new QueueLevel(i + 1, policy));
    this.#allDue = settings.maxQueueDelayMs === 0;
  }

  get requests(): number {
    return this.#levels.reduce((requests, level) => requests + level.requests, 0);
  }

  get rows(): number {
    return this.#levels.reduce((rows, level) => rows + level.rows, 0);
  }

  /** What waits now, for `SchedulerStats`. */
  waiting(): Pick<SchedulerStats, 'queuedRequests' | 'queuedRows' | 'queuedBuckets' | 'levels'> {
    return {
      queuedRequests: this.requests,
      queuedRows: this.rows,
      queuedBuckets: this.bucketsInUse,
      levels: this.#levels.map(({ requests, rows }) => ({ requests, rows })),
    };
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

  /** When the next request expires or is delayed; `Infinity` when none does. */
  get nextExpiryMs(): number {
    return this.#expiries.peek()?.expiresAtMs ?? Infinity;
  }

  /** When the next request will have waited long enough; `Infinity` when none waits for company. */
  get nextDueMs(): number {
    return this.#dues.peek()?.dueAtMs ?? Infinity;
  }

  /** The level that a request of this priority belongs to. */
  level(priority = 0): QueueLevel {
    return this.#levels[(priority === 0 ? this.#settings.defaultPriorityLevel : priority) - 1]!;
  }

  /** What waits in this level and the higher ones: all that is served before a place in it is free. */
  waitingDownTo(level: QueueLevel): { readonly requests: number; readonly rows: number } {
    const waiting = { requests: 0, rows: 0 };
    for (const each of this.#levels.slice(0, level.number)) {
      waiting.requests += each.requests;
      waiting.rows += each.rows;
    }
    return waiting;
  }

  append(request: Request, nowMs: number): QueueNode<Request> {
    const bucket = this.#bucket(this.#settings.maxBatchSize === 0 ? onlyBucket : request.bucket);
    const level = this.level(request.priority);
    const node = new QueueNode(request, bucket, level, this.#arrivals++, nowMs, this.#settings.maxQueueDelayMs);
    bucket.append(node);
    level.requests++;
    level.rows += node.rows;
    if (node.expiresAtMs !== Infinity) this.#expiries.push(node);
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

  /** Delays what has timed out by now; returns a request that has expired and still waits. It stays in: `remove` it. */
  expired(nowMs: number): QueueNode<Request> | undefined {
    for (let node = this.#expiries.peek(); node && node.expiresAtMs <= nowMs; node = this.#expiries.peek()) {
      if (!node.delays) return node;
      this.#delay(node);
    }
    return undefined;
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

  /**
   * The request that the next batch begins with, if one may leave: the first of the first bucket, unless too many batches
   * have passed lower levels over; then it is the one of them that came first.
   */
  next(): QueueNode<Request> | undefined {
    const first = this.#ready.peek()?.head;
    if (!first || this.#passedOver < batchesThatPassOver) return first;
    let oldest: QueueNode<Request> | undefined;
    for (const bucket of this.#ready.items) {
      const lower = bucket.firstBelow(first.level.number);
      if (lower && (!oldest || lower.arrival < oldest.arrival)) oldest = lower;
    }
    return oldest ?? first;
  }

  /** Any waiting request. */
  any(): QueueNode<Request> | undefined {
    for (const bucket of this.#buckets.values()) if (bucket.head) return bucket.head;
    return undefined;
  }

  /** Takes the rows of the batch that begins with this request, which must be the `next` one. */
  take(first: QueueNode<Request>): TakenRows<Request> {
    const { bucket } = first;
    const turn = this.#ready.peek()!.head!.level !== first.level;
    const { nodes, rows } = bucket.measure(first);
    const parts = this.#partsFrom(first, nodes, rows, 0);
    for (const part of parts) this.#take(part);
    bucket.rowsChanged();
    this.#refresh(bucket);
    this.#passedOver = turn || !this.#passesOver(first.level) ? 0 : this.#passedOver + 1;
    return { bucket: first.request.bucket, parts, rows };
  }

  /** The parts that so many nodes from `first` on have in a batch, from its row `behind` on; the last may be a piece. */
  #partsFrom(first: QueueNode<Request>, nodes: number, rows: number, behind: number): QueuedPart<Request>[] {
    const parts: QueuedPart<Request>[] = [];
    let batchRow = behind;
    let node = first;
    while (parts.length < nodes) {
      const taken = Math.min(node.waitingRows, behind + rows - batchRow);
      parts.push({ request: node.request, node, requestRow: node.takenRows, batchRow, rows: taken });
      batchRow += taken;
      node = node.next ?? node.bucket.head!;
    }
    return parts;
  }

  /** Whether requests of lower levels wait, in buckets from which a batch may leave. */
  #passesOver(level: QueueLevel): boolean {
    if (level.number === this.#levels.length) return false;
    return this.#ready.items.some((bucket) => bucket.lowestLevel > level.number);
  }

  /** What may join a batch of so many rows of this bucket, behind them: `taken` takes it. */
  more(key: BucketKey, behind: number): Omit<TakenRows<Request>, 'bucket'> | undefined {
    const bucket = this.#buckets.get(key);
    if (!bucket?.head || this.#settings.maxBatchSize === 0) return undefined;
    const { nodes, rows } = bucket.measure(bucket.head, behind);
    return nodes === 0 ? undefined : { parts: this.#partsFrom(bucket.head, nodes, rows, behind), rows };
  }

  /** These parts of one bucket are in a batch now. */
  taken(parts: readonly QueuedPart<Request>[]): void {
    for (const part of parts) this.#take(part);
    const { bucket } = parts[0]!.node;
    bucket.rowsChanged();
    this.#refresh(bucket);
  }

  #take({ node, rows }: QueuedPart<Request>): void {
    node.runningParts++;
    if (rows === node.waitingRows) {
      this.#unlink(node);
    } else {
      node.bucket.rows -= rows;
      node.level.rows -= rows;
    }
    node.takenRows += rows;
  }

  #unlink(node: QueueNode<Request>): void {
    node.level.requests--;
    node.level.rows -= node.waitingRows;
    node.bucket.remove(node);
    this.#expiries.remove(node);
    this.#dues.remove(node);
  }

  /** From now on only its deadline ends it. One that is divided keeps its place: its first rows run already. */
  #delay(node: QueueNode<Request>): void {
    node.delays = false;
    node.expiresAtMs = node.request.deadlineMs;
    if (node.expiresAtMs === Infinity) this.#expiries.remove(node);
    else this.#expiries.moved(node);
    if (node.takenRows > 0) return;
    node.order = this.#delays++;
    node.bucket.delay(node);
    this.#refresh(node.bucket);
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

/** Of requests that expire at the same moment the one that came first goes first. */
function expiresBefore<Request>(a: QueueNode<Request>, b: QueueNode<Request>): boolean {
  return a.expiresAtMs < b.expiresAtMs || (a.expiresAtMs === b.expiresAtMs && a.arrival < b.arrival);
}
