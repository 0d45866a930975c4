import { SluiceError, unavailable } from '@sluice/domain/errors';
import { handOver, tellFailure, tellSuccess } from './answers.ts';
import type {
  Batch,
  BatchRequest,
  BatchRunner,
  DrainReport,
  LossReason,
  RequestPart,
  Scheduler,
  SchedulerStats,
} from './contract.ts';

/** The hooks through which a puppet's batch reports. */
interface Strings<Request extends { readonly rows: number }, Result> {
  answered(request: Request): boolean;
  freed(): void;
  completed(batch: PuppetBatch<Request, Result>, result: Result, rows: number): void;
  failed(batch: PuppetBatch<Request, Result>, error: SluiceError): void;
}

class PuppetBatch<Request extends { readonly rows: number }, Result> implements Batch<Request, Result> {
  readonly id: number;
  readonly instance: number;
  readonly bucket: string | number;
  readonly rows: number;
  readonly paddedRows: number;
  readonly parts: readonly RequestPart<Request>[];
  readonly formedAtMs = 0;
  #freed = false;
  #answered = false;
  readonly #strings: Strings<Request, Result>;

  constructor(
    strings: Strings<Request, Result>,
    id: number,
    instance: number,
    bucket: string | number,
    requests: readonly Request[],
    paddedRows: number | undefined,
  ) {
    this.#strings = strings;
    this.id = id;
    this.instance = instance;
    this.bucket = bucket;
    let batchRow = 0;
    this.parts = requests.map((request) => {
      const part = { request, requestRow: 0, batchRow, rows: request.rows };
      batchRow += request.rows;
      return part;
    });
    this.rows = batchRow;
    this.paddedRows = paddedRows ?? batchRow;
  }

  get over(): boolean {
    return this.#freed && this.#answered;
  }

  get holdsInstance(): boolean {
    return !this.#freed;
  }

  wanted(part: RequestPart<Request>): boolean {
    return !this.#strings.answered(part.request);
  }

  /** A puppet's batches begin at once. */
  place(): void {
    return undefined;
  }

  free(): void {
    if (this.#freed) throw new SluiceError('internal', `batch ${this.id} was freed already`);
    this.#freed = true;
    this.#strings.freed();
  }

  complete(result: Result, rows: number): void {
    this.#answer();
    this.#strings.completed(this, result, rows);
  }

  fail(error: SluiceError): void {
    this.#answer();
    this.#strings.failed(this, error);
  }

  #answer(): void {
    if (this.#answered) throw new SluiceError('internal', `batch ${this.id} was answered already`);
    this.#answered = true;
  }
}

/**
 * A scheduler without time, limits or levels, for the tests of whoever uses one: it takes every request and does nothing until the
 * test says which of them form a batch, which is refused and which fails. It never splits. Ownership, answers, cancelling
 * and stopping are the real scheduler's; one contract suite holds both to them.
 */
export class PuppetScheduler<Request extends BatchRequest<Result>, Result> implements Scheduler<Request> {
  /** Accepted and in no batch, in the order of arrival. */
  readonly waiting: Request[] = [];
  readonly batches: Batch<Request, Result>[] = [];
  /** What a callback threw where no answer could carry it. */
  readonly defects: unknown[] = [];
  readonly #own: PuppetBatch<Request, Result>[] = [];
  readonly #answered = new Set<Request>();
  readonly #run: BatchRunner<Request, Result>;
  readonly #lost: Record<LossReason, number> = { refused: 0, expired: 0, cancelled: 0, stopped: 0, 'batch-failed': 0 };
  #accepted = 0;
  #succeeded = 0;
  #refusal: SluiceError | undefined = undefined;
  #stopped = false;
  #drainFailed = 0;
  #drains: ((report: DrainReport) => void)[] = [];

  constructor(run: BatchRunner<Request, Result>) {
    this.#run = run;
  }

  /** The next `enqueue` returns this error. */
  refuseNext(error: SluiceError): void {
    this.#refusal = error;
  }

  /**
   * Runs a batch of these waiting requests (default: all), whatever their buckets, levels and rows are, padded to so many
   * rows (default: not at all). Returns the batch.
   */
  form(requests: readonly Request[] = [...this.waiting], paddedRows?: number): Batch<Request, Result> {
    const first = requests[0];
    if (!first) throw new Error('a batch needs at least one waiting request');
    for (const request of requests) this.#take(request);
    const used = new Set(this.#own.filter((batch) => batch.holdsInstance).map((batch) => batch.instance));
    let instance = 0;
    while (used.has(instance)) instance++;
    const strings: Strings<Request, Result> = {
      answered: (request) => this.#answered.has(request),
      freed: () => this.#endDrain(),
      completed: (batch, result, rows) => this.#completed(batch, result, rows),
      failed: (batch, error) => this.#failed(batch, error),
    };
    const batch = new PuppetBatch(strings, this.#own.length + 1, instance, first.bucket, requests, paddedRows);
    this.#own.push(batch);
    this.batches.push(batch);
    this.#run(batch);
    return batch;
  }

  /** Answers a waiting request with this error, as the real scheduler does one that has expired. */
  failWaiting(request: Request, error: SluiceError): void {
    this.#take(request);
    this.#lose(request, 'expired', error);
  }

  enqueue(request: Request): SluiceError | undefined {
    const refusal = this.#stopped ? unavailable('the puppet is stopping') : this.#refusal;
    this.#refusal = undefined;
    if (refusal) {
      this.#lost.refused++;
      return refusal;
    }
    if (request.ticket) return new SluiceError('internal', 'this request object was enqueued before');
    request.ticket = { enqueuedAtMs: 0 };
    this.#accepted++;
    this.waiting.push(request);
    return undefined;
  }

  cancel(request: Request): boolean {
    if (!request.ticket || this.#answered.has(request)) return false;
    if (this.waiting.includes(request)) this.#take(request);
    this.#lose(request, 'cancelled', new SluiceError('cancelled', 'the caller cancelled the request'));
    this.#endDrain();
    return true;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** As the real one, but that its time is up at once when `withinMs` is 0, and never otherwise. */
  drain(withinMs: number): Promise<DrainReport> {
    this.stop();
    const drained = new Promise<DrainReport>((resolve) => this.#drains.push(resolve));
    if (withinMs === 0) {
      for (const request of this.waiting.splice(0)) {
        this.#drainFailed++;
        this.#lose(request, 'stopped', unavailable('the puppet stopped'));
      }
    }
    this.#endDrain(withinMs === 0);
    return drained;
  }

  stats(): SchedulerStats {
    const running = this.#own.filter((batch) => !batch.over);
    const sum = (batches: readonly { rows: number }[]): number => batches.reduce((rows, batch) => rows + batch.rows, 0);
    return {
      queuedRequests: this.waiting.length,
      queuedRows: sum(this.waiting),
      levels: [{ requests: this.waiting.length, rows: sum(this.waiting) }],
      queuedBuckets: new Set(this.waiting.map((request) => request.bucket)).size,
      runningBatches: running.length,
      runningRows: sum(running),
      openBatches: 0,
      openRows: 0,
      openRequests: 0,
      freeInstances: 0,
      accepted: this.#accepted,
      succeeded: this.#succeeded,
      lost: { ...this.#lost },
      batches: this.#own.length,
      batchedRows: sum(this.#own),
      paddingRows: this.#own.reduce((rows, batch) => rows + batch.paddedRows - batch.rows, 0),
    };
  }

  #take(request: Request): void {
    const index = this.waiting.indexOf(request);
    if (index < 0) throw new Error('this request is not waiting');
    this.waiting.splice(index, 1);
  }

  #completed(batch: PuppetBatch<Request, Result>, result: Result, rows: number): void {
    if (rows !== batch.paddedRows) {
      const message = `the model answered ${rows} rows to a batch of ${batch.paddedRows}`;
      this.#failed(batch, new SluiceError('internal', message));
      return;
    }
    for (const part of batch.parts) {
      const { request } = part;
      if (this.#answered.has(request)) continue;
      const error = handOver<Request, Result>(part, result);
      if (this.#answered.has(request)) continue;
      if (error) this.#lose(request, 'batch-failed', error);
      else this.#succeed(request);
    }
    this.#endDrain();
  }

  #failed(batch: PuppetBatch<Request, Result>, error: SluiceError): void {
    for (const { request } of batch.parts) {
      if (!this.#answered.has(request)) this.#lose(request, 'batch-failed', error);
    }
    this.#endDrain();
  }

  #succeed(request: Request): void {
    this.#answered.add(request);
    this.#succeeded++;
    tellSuccess(request, (thrown) => this.defects.push(thrown));
  }

  #lose(request: Request, reason: LossReason, error: SluiceError): void {
    this.#answered.add(request);
    this.#lost[reason]++;
    tellFailure(request, error, (thrown) => this.defects.push(thrown));
  }

  #endDrain(timeIsUp = false): void {
    const runningBatches = this.#own.filter((batch) => !batch.over).length;
    if (!timeIsUp && (this.waiting.length > 0 || runningBatches > 0)) return;
    for (const resolve of this.#drains.splice(0)) resolve({ failed: this.#drainFailed, runningBatches });
  }
}
