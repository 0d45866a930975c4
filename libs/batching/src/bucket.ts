import type { BucketKey, Ticket } from './contract.ts';
import type { SchedulerSettings } from './options.ts';

/** One accepted request: its place in the queue and how far it is. */
export class QueueNode<Request> implements Ticket {
  readonly request: Request;
  readonly bucket: Bucket<Request>;
  readonly rows: number;
  readonly enqueuedAtMs: number;
  /** Order of arrival over all buckets. */
  readonly arrival: number;
  /** Too late from this moment on: the request's deadline or the queue's time-out, whichever is first. */
  readonly expiresAtMs: number;
  /** Has waited for company long enough from this moment on. */
  readonly dueAtMs: number;

  previous: QueueNode<Request> | undefined = undefined;
  next: QueueNode<Request> | undefined = undefined;
  queued = true;
  due = false;
  answered = false;
  /** Rows that are in batches already; between 0 and `rows` only for a request that is being split. */
  takenRows = 0;
  /** Parts in batches that are not answered yet. */
  runningParts = 0;
  expiryIndex = -1;
  dueIndex = -1;

  constructor(
    request: Request & { readonly rows: number },
    bucket: Bucket<Request>,
    arrival: number,
    enqueuedAtMs: number,
    expiresAtMs: number,
    dueAtMs: number,
  ) {
    this.request = request;
    this.bucket = bucket;
    this.rows = request.rows;
    this.enqueuedAtMs = enqueuedAtMs;
    this.arrival = arrival;
    this.expiresAtMs = expiresAtMs;
    this.dueAtMs = dueAtMs;
  }

  get waitingRows(): number {
    return this.rows - this.takenRows;
  }
}

/** What the next batch of a bucket would take: whole requests from the head, and perhaps a piece of the one after. */
export interface Take {
  /** Nodes from the head on; the last may be taken in part. */
  readonly nodes: number;
  readonly rows: number;
  /** The rows are exactly a preferred size (or the maximum). */
  readonly preferred: boolean;
}

/** The waiting requests of one shape, in the order of their arrival: a linked list, so that any of them can leave. */
export class Bucket<Request> {
  readonly key: BucketKey;
  head: QueueNode<Request> | undefined = undefined;
  #tail: QueueNode<Request> | undefined = undefined;
  requests = 0;
  rows = 0;
  /** Requests that have waited long enough. */
  dueRequests = 0;
  readyIndex = -1;
  /** Some requests from the head on make exactly a preferred size. */
  #preferred = false;
  readonly #settings: SchedulerSettings;

  constructor(key: BucketKey, settings: SchedulerSettings) {
    this.key = key;
    this.#settings = settings;
  }

  /** A batch that cannot grow: as many rows wait as fit, or without batching, any request does. */
  get full(): boolean {
    return this.requests > 0 && this.rows >= this.#settings.maxBatchSize;
  }

  /** A batch may leave now. */
  get ready(): boolean {
    return this.dueRequests > 0 || this.#preferred || this.full;
  }

  append(node: QueueNode<Request>): void {
    node.previous = this.#tail;
    if (this.#tail) this.#tail.next = node;
    else this.head = node;
    this.#tail = node;
    this.requests++;
    this.rows += node.rows;
    // Every sum from the head on was the sum of all when its last request came, so only the newest has to be looked at.
    if (this.#settings.preferredBatchSize.includes(this.rows)) this.#preferred = true;
  }

  /** Takes a node out of the list, wherever it is, with the rows of it that still wait. */
  remove(node: QueueNode<Request>): void {
    if (node.previous) node.previous.next = node.next;
    else this.head = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.#tail = node.previous;
    node.previous = undefined;
    node.next = undefined;
    node.queued = false;
    this.requests--;
    this.rows -= node.waitingRows;
    if (node.due) this.dueRequests--;
  }

  markDue(node: QueueNode<Request>): void {
    if (node.due) return;
    node.due = true;
    this.dueRequests++;
  }

  /** To be called after nodes were removed or taken from: sums from the head on are others now. */
  rowsChanged(): void {
    if (this.#settings.preferredBatchSize.length > 0) this.#preferred = this.measure().preferred;
  }

  /**
   * What the next batch would take: the most rows, from the head on, that are exactly a preferred size, else the most that
   * fit. A request is divided only if it is larger than the maximum, and then it fills what room there is.
   */
  measure(): Take {
    const { maxBatchSize, preferredBatchSize } = this.#settings;
    if (maxBatchSize === 0) return { nodes: this.head ? 1 : 0, rows: this.head?.rows ?? 0, preferred: false };
    let nodes = 0;
    let rows = 0;
    let preferredNodes = 0;
    let preferredRows = 0;
    for (let node = this.head; node; node = node.next) {
      const taken = rowsThatFit(node, maxBatchSize - rows, maxBatchSize);
      if (taken < 0) break;
      nodes++;
      rows += taken;
      if (rows === maxBatchSize || preferredBatchSize.includes(rows)) {
        preferredNodes = nodes;
        preferredRows = rows;
      }
      // Rows of this one are left: nothing may overtake them, not even a request without rows.
      if (taken < node.waitingRows) break;
    }
    return preferredNodes > 0
      ? { nodes: preferredNodes, rows: preferredRows, preferred: true }
      : { nodes, rows, preferred: false };
  }
}

/** How many of the node's waiting rows go into `room` rows; -1 when it must wait for the next batch. */
function rowsThatFit<Request>(node: QueueNode<Request>, room: number, maxBatchSize: number): number {
  if (node.waitingRows <= room) return node.waitingRows;
  const divisible = node.rows > maxBatchSize;
  return divisible && room > 0 ? room : -1;
}
