import { SluiceError } from '@sluice/domain/errors';
import type { Batch, BucketKey, PlacedBatch, RequestPart } from './contract.ts';
import type { QueueNode } from './queue-node.ts';

/** A part that knows its place in the queue. */
export interface QueuedPart<Request> extends RequestPart<Request> {
  readonly node: QueueNode<Request>;
}

/** The scheduler's side of a batch: what a batch tells it. */
export interface BatchOwner<Request, Result> {
  batchPlaced(batch: FormedBatch<Request, Result>, placed: PlacedBatch<Request>): void;
  batchFreed(batch: FormedBatch<Request, Result>): void;
  batchCompleted(batch: FormedBatch<Request, Result>, result: Result, rows: number): void;
  batchFailed(batch: FormedBatch<Request, Result>, error: SluiceError): void;
}

/** A batch on its instance: guards that it is freed once and answered once. */
export class FormedBatch<Request, Result> implements Batch<Request, Result> {
  readonly id: number;
  readonly instance: number;
  readonly bucket: BucketKey;
  parts: readonly QueuedPart<Request>[];
  rows: number;
  paddedRows: number;
  readonly formedAtMs: number;
  #freed = false;
  #answered = false;
  readonly #owner: BatchOwner<Request, Result>;

  constructor(
    owner: BatchOwner<Request, Result>,
    what: Pick<
      FormedBatch<Request, Result>,
      'id' | 'instance' | 'bucket' | 'parts' | 'rows' | 'paddedRows' | 'formedAtMs'
    >,
  ) {
    this.#owner = owner;
    this.id = what.id;
    this.instance = what.instance;
    this.bucket = what.bucket;
    this.parts = what.parts;
    this.rows = what.rows;
    this.paddedRows = what.paddedRows;
    this.formedAtMs = what.formedAtMs;
  }

  get freed(): boolean {
    return this.#freed;
  }

  get answered(): boolean {
    return this.#answered;
  }

  /** Freed and answered: the scheduler has nothing more to do with it. */
  get over(): boolean {
    return this.#freed && this.#answered;
  }

  wanted(part: RequestPart<Request>): boolean {
    return !(part as QueuedPart<Request>).node.answered;
  }

  /** It has other parts now. Without any it is answered: nobody waits for what it comes to. */
  amend(parts: readonly QueuedPart<Request>[], rows: number, paddedRows: number): void {
    this.parts = parts;
    this.rows = rows;
    this.paddedRows = paddedRows;
    if (parts.length === 0) this.#answered = true;
  }

  place(placed: PlacedBatch<Request>): void {
    if (!this.#freed && !this.#answered) this.#owner.batchPlaced(this, placed);
  }

  free(): void {
    if (this.#freed) throw twice(this.id, 'free()', 'freed');
    this.#freed = true;
    this.#owner.batchFreed(this);
  }

  complete(result: Result, rows: number): void {
    this.#answer('complete()');
    this.#owner.batchCompleted(this, result, rows);
  }

  fail(error: SluiceError): void {
    this.#answer('fail()');
    this.#owner.batchFailed(this, error);
  }

  #answer(call: string): void {
    if (this.#answered) throw twice(this.id, call, 'answered');
    this.#answered = true;
  }
}

function twice(id: number, call: string, was: string): SluiceError {
  return new SluiceError(
    'internal',
    `batch ${id}: ${call} was called when it was ${was} already; a runner frees a batch once and answers it once`,
  );
}
