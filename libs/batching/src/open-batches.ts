import type { PlacedBatch, SchedulerStats } from './contract.ts';
import type { FormedBatch, QueuedPart } from './formed-batch.ts';
import type { Places } from './places.ts';
import type { QueueNode, Queueable } from './queue-node.ts';
import type { RequestQueue, TakenRows } from './request-queue.ts';

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
  readonly #places: Places;
  readonly #padded: (rows: number) => number;
  readonly #resized: (rows: number, padding: number) => void;
  readonly #onDefect: (thrown: unknown) => void;
  /** In the order in which they were formed. */
  #open: OpenBatch<Request, Result>[] = [];
  /** Requests that have ended, and that may have rows here still. */
  readonly #leaving = new Set<QueueNode<Request>>();

  /**
   * @param padded how many rows a batch of so many runs with
   * @param resized told by how many rows, and rows of padding, a batch has grown
   */
  constructor(
    queue: RequestQueue<Request>,
    places: Places,
    padded: (rows: number) => number,
    resized: (rows: number, padding: number) => void,
    onDefect: (thrown: unknown) => void,
  ) {
    this.#queue = queue;
    this.#places = places;
    this.#padded = padded;
    this.#resized = resized;
    this.#onDefect = onDefect;
  }

  get size(): number {
    return this.#open.length;
  }

  /** What stands here and has not begun by now, for `SchedulerStats`. */
  notBegun(): Pick<SchedulerStats, 'openBatches' | 'openRows' | 'openRequests'> {
    const open = this.#open.filter(({ placed }) => placed.open).map(({ batch }) => batch);
    const inPlace = open.flatMap(({ parts }) => parts.map(({ node }) => node)).filter((node) => !node.queued);
    return {
      openBatches: open.length,
      openRows: open.reduce((sum, { rows }) => sum + rows, 0),
      openRequests: new Set(inPlace).size,
    };
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
    return this.leave((node) => limitOf(node) <= nowMs);
  }

  /**
   * Takes the rows of requests out of the open batches, each of which is written anew once.
   * @returns those that left one
   */
  leave(leaves: (node: QueueNode<Request>) => boolean): QueueNode<Request>[] {
    const left = new Set<QueueNode<Request>>();
    for (const entry of [...this.#open]) {
      const leaving = entry.batch.parts.filter(({ node }) => leaves(node));
      if (leaving.length === 0 || !this.#takeOut(entry, leaves)) continue;
      for (const { node } of leaving) left.add(node);
    }
    return [...left];
  }

  get leaving(): boolean {
    return this.#leaving.size > 0;
  }

  /** It has ended: its rows leave with those of others, at the next `takeOutLeaving`. */
  leaveLater(node: QueueNode<Request>): void {
    this.#leaving.add(node);
  }

  takeOutLeaving(): void {
    if (this.#leaving.size === 0) return;
    this.leave((node) => this.#leaving.has(node));
    this.#leaving.clear();
  }

  /**
   * Whether a new batch may stand behind what an instance runs. Not while something stands behind another that was there
   * before that run began: the new one would be served before what came first.
   */
  mayStandBehind(instance: number): boolean {
    const before = this.#places.formedAtFree(instance);
    return !this.#open.some(
      ({ batch, placed }) =>
        batch.instance !== instance && batch.id <= before && this.#places.standsBehind(batch) && placed.open,
    );
  }

  /**
   * While an instance is idle: takes back what is in the oldest open batch that stands behind another, to be started there.
   * Nobody who came later is to be served before.
   */
  takeBack(): TakenRows<Request> | undefined {
    if (this.#places.idle === 0 || this.#open.length === 0) return undefined;
    this.#dropBegun();
    const entry = this.#open.find(({ batch }) => this.#places.standsBehind(batch));
    if (!entry) return undefined;
    const { bucket, parts, rows } = entry.batch;
    if (!this.#takeOut(entry, () => true)) return undefined;
    for (const { node } of parts) node.runningParts++;
    return { bucket, parts, rows };
  }

  #takeOut(entry: OpenBatch<Request, Result>, leaves: (node: QueueNode<Request>) => boolean): boolean {
    const { batch, placed } = entry;
    const stay: QueuedPart<Request>[] = [];
    let rows = 0;
    for (const part of batch.parts) {
      if (leaves(part.node)) continue;
      stay.push(part.batchRow === rows ? part : { ...part, batchRow: rows });
      rows += part.rows;
    }
    if (!placed.open || !this.#asked(() => placed.leave(stay, this.#padded(rows)))) {
      this.forget(batch);
      return false;
    }
    for (const part of batch.parts) if (leaves(part.node)) part.node.runningParts--;
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
    if (!this.#asked(() => placed.join(more.parts, this.#padded(rows)))) {
      entry.takesNoMore = true;
      return;
    }
    this.#queue.taken(more.parts);
    this.#amend(entry, [...batch.parts, ...more.parts], rows);
  }

  /** What a runner answers; one that throws has not changed the batch. */
  #asked(change: () => boolean): boolean {
    try {
      return change();
    } catch (thrown) {
      this.#onDefect(thrown);
      return false;
    }
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
