import type { BucketKey } from './contract.ts';
import type { SchedulerSettings } from './options.ts';
import { segmentOf, type QueueNode } from './queue-node.ts';

/** What the next batch of a bucket would take: whole requests, and perhaps a piece of the one after. */
export interface Take {
  /** Nodes in the order in which they are served; the last may be taken in part. */
  readonly nodes: number;
  readonly rows: number;
  /** The rows are exactly a preferred size (or the maximum). */
  readonly preferred: boolean;
}

/**
 * The waiting requests of one shape, in the order in which they are served: by level, within a level those that are
 * delayed last, and otherwise as they came. One linked list, so that any of them can leave.
 */
export class Bucket<Request> {
  readonly key: BucketKey;
  head: QueueNode<Request> | undefined = undefined;
  requests = 0;
  rows = 0;
  /** Requests that have waited long enough. */
  dueRequests = 0;
  readyIndex = -1;
  /** The last node of each segment. */
  readonly #tails: (QueueNode<Request> | undefined)[];
  /** Some requests from the head on make exactly a preferred size. */
  #preferred = false;
  readonly #settings: SchedulerSettings;

  constructor(key: BucketKey, settings: SchedulerSettings) {
    this.key = key;
    this.#settings = settings;
    this.#tails = Array.from({ length: 2 * settings.policies.length }, () => undefined);
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
    this.#link(node);
    this.requests++;
    this.rows += node.rows;
    // Every sum from the head on was the sum of all when its last request came, so only the newest has to be looked at;
    // one that came in between has changed the sums behind it.
    if (node.next) this.rowsChanged();
    else if (this.#settings.preferredBatchSize.includes(this.rows)) this.#preferred = true;
  }

  /** Takes a node out of the list, wherever it is, with the rows of it that still wait. */
  remove(node: QueueNode<Request>): void {
    this.#unlink(node);
    node.queued = false;
    this.requests--;
    this.rows -= node.waitingRows;
    if (node.due) this.dueRequests--;
  }

  /**
   * Puts a node behind those of its level that are in time, and those that were delayed before it. Sums from the head on
   * need not be looked at: it has waited for company for half of its time-out at most, so a batch may leave anyway.
   */
  delay(node: QueueNode<Request>): void {
    this.#unlink(node);
    node.segment = segmentOf(node.level.number, true);
    this.#link(node);
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

  /** The lowest level of which anything waits here; 0 when nothing does. */
  get lowestLevel(): number {
    return this.#lastUpTo(this.#tails.length - 1)?.level.number ?? 0;
  }

  /** The request that came first of those that are the first of their level, of the levels lower than `level`. */
  firstBelow(level: number): QueueNode<Request> | undefined {
    let oldest: QueueNode<Request> | undefined;
    for (let lower = level + 1; lower <= this.#settings.policies.length; lower++) {
      const last = this.#lastUpTo(segmentOf(lower, false) - 1);
      const first = last ? last.next : this.head;
      if (first?.level.number === lower && (!oldest || first.arrival < oldest.arrival)) oldest = first;
    }
    return oldest;
  }

  /**
   * What a batch that begins with `first` would take: the most rows, from there on, that are exactly a preferred size, else
   * the most that fit. After the last request it goes on with those at the head, so that a batch whose first request was
   * put before them has no less in it. A request is divided only if it is larger than the maximum, and then it fills what
   * room there is. `behind`: the rows of a batch that they join; rows in the answer are without them.
   */
  measure(first: QueueNode<Request> | undefined = this.head, behind = 0): Take {
    const { maxBatchSize, preferredBatchSize } = this.#settings;
    if (!first) return { nodes: 0, rows: 0, preferred: false };
    if (maxBatchSize === 0) return { nodes: 1, rows: first.rows, preferred: false };
    let nodes = 0;
    let rows = behind;
    let preferredNodes = 0;
    // What is a preferred size already only becomes another one.
    let preferredRows = preferredBatchSize.includes(behind) ? behind : 0;
    let node = first;
    do {
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
      node = node.next ?? this.head!;
    } while (node !== first);
    return preferredRows > 0
      ? { nodes: preferredNodes, rows: preferredRows - behind, preferred: true }
      : { nodes, rows: rows - behind, preferred: false };
  }

  #link(node: QueueNode<Request>): void {
    node.previous = this.#lastUpTo(node.segment);
    node.next = node.previous ? node.previous.next : this.head;
    if (node.previous) node.previous.next = node;
    else this.head = node;
    if (node.next) node.next.previous = node;
    this.#tails[node.segment] = node;
  }

  #unlink(node: QueueNode<Request>): void {
    const { previous, next, segment } = node;
    if (previous) previous.next = next;
    else this.head = next;
    if (next) next.previous = previous;
    if (this.#tails[segment] === node) this.#tails[segment] = previous?.segment === segment ? previous : undefined;
    node.previous = undefined;
    node.next = undefined;
  }

  /** The last node of the segments 0 … segment. */
  #lastUpTo(segment: number): QueueNode<Request> | undefined {
    for (let i = segment; i >= 0; i--) if (this.#tails[i]) return this.#tails[i];
    return undefined;
  }
}

/** How many of the node's waiting rows go into `room` rows; -1 when it must wait for the next batch. */
function rowsThatFit<Request>(node: QueueNode<Request>, room: number, maxBatchSize: number): number {
  if (node.waitingRows <= room) return node.waitingRows;
  const divisible = node.rows > maxBatchSize;
  return divisible && room > 0 ? room : -1;
}
