import type { PlacedBatch } from './contract.ts';
import type { FormedBatch, QueuedPart } from './formed-batch.ts';
import type { QueueNode, Queueable } from './queue-node.ts';
import type { RequestQueue } from './request-queue.ts';

interface OpenBatch<Request, Result> {
  readonly batch: FormedBatch<Request, Result>;
  readonly placed: PlacedBatch<Request>;
  /** Nothing may join it: the runner has no room, or a later batch of its bucket has rows that came before. */
  takesNoMore: boolean;
  /** When the first of its requests is too late. */
  expiresAtMs: number;
}

/**
 * Batches that were handed over and have not begun, as far as is known: they stand behind others. Rows join the last of
 * their bucket, and requests that end before their turn leave. That a batch has begun shows when it is asked to change.
 */
export class OpenBatches<Request extends Queueable, Result> {
  readonly #queue: RequestQueue<Request>;
  readonly #padded: (rows: number) => number;
  readonly #resized: (rows: number, padding: number) => void;
  /** In the order in which they were formed. */
  #open: OpenBatch<Request, Result>[] = [];

  /**
   * @param padded how many rows a batch of so many runs with
   * @param resized told by how many rows, and rows of padding, a batch has grown
   */
  constructor(
    queue: RequestQueue<Request>,
    padded: (rows: number) => number,
    resized: (rows: number, padding: number) => void,
  ) {
    this.#queue = queue;
    this.#padded = padded;
    this.#resized = resized;
  }

  get size(): number {
    return this.#open.length;
  }

  /** A batch was formed: nothing joins an earlier one of its bucket any more, or it would overtake this one's rows. */
  formed(batch: FormedBatch<Request, Result>): void {
    for (const entry of this.#open) if (entry.batch.bucket === batch.bucket) entry.takesNoMore = true;
  }

  add(batch: FormedBatch<Request, Result>, placed: PlacedBatch<Request>): void {
    this.#open.push({ batch, placed, takesNoMore: false, expiresAtMs: earliest(batch.parts) });
  }

  /** It has ended, so it is not open any more. */
  forget(batch: FormedBatch<Request, Result>): void {
    const index = this.#open.findIndex((entry) => entry.batch === batch);
    if (index >= 0) this.#open.splice(index, 1);
  }

  /** When the next request of an open batch is too late; `Infinity` when none will be. */
  get nextExpiryMs(): number {
    let next = Infinity;
    for (const { expiresAtMs } of this.#open) next = Math.min(next, expiresAtMs);
    return next;
  }

  /** Requests of open batches that are too late by now, and that left them. What has begun goes on. */
  expire(nowMs: number): QueueNode<Request>[] {
    if (this.#open.length === 0 || this.nextExpiryMs > nowMs) return [];
    this.#dropBegun();
    const late = this.#open.flatMap(({ batch }) => batch.parts.filter(({ node }) => limitOf(node) <= nowMs));
    return [...new Set(late.map(({ node }) => node))].filter((node) => this.leave(node));
  }

  /** Requests of open batches, which left them. */
  leaveAll(): QueueNode<Request>[] {
    const nodes = new Set(this.#open.flatMap(({ batch }) => batch.parts.map(({ node }) => node)));
    return [...nodes].filter((node) => this.leave(node));
  }

  /** Takes a request's rows out of the open batches. False when it has none there (any more). */
  leave(node: QueueNode<Request>): boolean {
    let left = false;
    for (const entry of [...this.#open]) {
      if (entry.batch.parts.some((part) => part.node === node)) left = this.#takeOut(entry, node) || left;
    }
    return left;
  }

  #takeOut(entry: OpenBatch<Request, Result>, node: QueueNode<Request>): boolean {
    const { batch, placed } = entry;
    const stay: QueuedPart<Request>[] = [];
    let rows = 0;
    for (const part of batch.parts) {
      if (part.node === node) continue;
      stay.push(part.batchRow === rows ? part : { ...part, batchRow: rows });
      rows += part.rows;
    }
    if (!placed.open || !placed.leave(stay, this.#padded(rows))) {
      this.forget(batch);
      return false;
    }
    node.runningParts -= batch.parts.length - stay.length;
    this.#amend(entry, stay, rows);
    if (stay.length === 0) this.forget(batch);
    return true;
  }

  #dropBegun(): void {
    this.#open = this.#open.filter(({ placed }) => placed.open);
  }

  /** Waiting rows join the open batches of their buckets. */
  join(): void {
    if (this.#open.length === 0 || this.#queue.requests === 0) return;
    this.#dropBegun();
    for (const entry of this.#open) if (!entry.takesNoMore) this.#joinOne(entry);
  }

  #joinOne(entry: OpenBatch<Request, Result>): void {
    const { batch, placed } = entry;
    const more = this.#queue.more(batch.bucket, batch.rows);
    if (!more) return;
    const rows = batch.rows + more.rows;
    if (!placed.join(more.parts, this.#padded(rows))) {
      entry.takesNoMore = true;
      return;
    }
    this.#queue.taken(more.parts);
    this.#amend(entry, [...batch.parts, ...more.parts], rows);
  }

  #amend(entry: OpenBatch<Request, Result>, parts: readonly QueuedPart<Request>[], rows: number): void {
    const { batch } = entry;
    const padded = this.#padded(rows);
    this.#resized(rows - batch.rows, padded - rows - (batch.paddedRows - batch.rows));
    batch.amend(parts, rows, padded);
    entry.expiresAtMs = earliest(parts);
  }
}

/** When a request that is in place is too late: its deadline or, where that refuses, its time-out. */
function limitOf<Request extends Queueable>(node: QueueNode<Request>): number {
  if (node.answered) return Infinity;
  return node.delays ? node.request.deadlineMs : node.expiresAtMs;
}

function earliest<Request extends Queueable>(parts: readonly QueuedPart<Request>[]): number {
  let first = Infinity;
  for (const { node } of parts) first = Math.min(first, limitOf(node));
  return first;
}
