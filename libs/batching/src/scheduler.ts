import { SluiceError, unavailable } from '@sluice/domain/errors';
import { Alarm } from './alarm.ts';
import { AnswerOrder, type Outcome } from './answer-order.ts';
import { allRowsDone, handOver, partOver, tellFailure, tellSuccess, wrongRowCount } from './answers.ts';
import type {
  BatchRequest,
  DrainReport,
  LossReason,
  Scheduler,
  SchedulerPorts,
  SchedulerStats,
  Ticket,
} from './contract.ts';
import { FormedBatch, type BatchOwner } from './formed-batch.ts';
import { OpenBatches } from './open-batches.ts';
import { compileOptions, type SchedulerOptions, type SchedulerSettings } from './options.ts';
import { Places } from './places.ts';
import { QueueNode, type QueueLevel } from './queue-node.ts';
import { expiredInQueue, queueFull, refuse } from './refusals.ts';
import { RequestQueue, type TakenRows } from './request-queue.ts';

/** How much the latest batch counts in the running mean of run times. */
const meanWeight = 0.2;

/**
 * The batch scheduler of one model version; its rules and their tests are in SPEC.md.
 *
 * All state changes happen between callbacks, never around them: what is decided inside a call is collected and told at
 * its end (`#settle`), so a callback may call the scheduler again.
 */
export class BatchScheduler<Request extends BatchRequest<Result>, Result> implements Scheduler<Request> {
  readonly #settings: SchedulerSettings;
  readonly #ports: SchedulerPorts<Request, Result>;
  readonly #queue: RequestQueue<Request>;
  readonly #alarm: Alarm;
  readonly #places: Places;
  readonly #open: OpenBatches<Request, Result>;
  readonly #owner: BatchOwner<Request, Result>;
  /** With `preserveOrdering`: the answers of requests that ran. */
  readonly #order: AnswerOrder<QueueNode<Request>> | undefined;
  /** Failures that are decided and not told yet. */
  #failures: { readonly request: Request; readonly error: SluiceError }[] = [];
  #settling = false;
  #formingLater = false;
  #stopped = false;
  #drainAtMs = Infinity;
  #drainFailed = 0;
  /** When batches were formed last. */
  #lookedAtMs = -Infinity;
  #drainWaiters: ((report: DrainReport) => void)[] = [];
  #meanRunMs = 0;
  readonly #counts = {
    runningBatches: 0,
    runningRows: 0,
    accepted: 0,
    succeeded: 0,
    batches: 0,
    batchedRows: 0,
    paddingRows: 0,
  };
  readonly #lost: Record<LossReason, number> = { refused: 0, expired: 0, cancelled: 0, stopped: 0, 'batch-failed': 0 };

  private constructor(settings: SchedulerSettings, ports: SchedulerPorts<Request, Result>) {
    this.#settings = settings;
    this.#ports = ports;
    this.#queue = new RequestQueue(settings);
    this.#order = settings.preserveOrdering ? new AnswerOrder() : undefined;
    this.#owner = {
      batchPlaced: (batch, placed) => {
        if (settings.ahead > 0) this.#open.add(batch, placed);
      },
      batchFreed: (batch) => this.#batchFreed(batch),
      batchCompleted: (batch, result, rows) => this.#batchCompleted(batch, result, rows),
      batchFailed: (batch, error) => this.#batchFailed(batch, error),
    };
    this.#alarm = new Alarm(ports.clock, () => this.#settle());
    this.#places = new Places(settings.instances, settings.ahead);
    this.#open = new OpenBatches(
      this.#queue,
      this.#places,
      (rows) => this.#padded(rows),
      (rows, padding) => this.#resized(rows, padding),
      ports.onDefect,
    );
  }

  /**
   * Makes a scheduler with all its instances free.
   * @throws SluiceError `invalid-argument` that names the knob of `options` that is wrong
   */
  static create<Request extends BatchRequest<Result>, Result>(
    options: SchedulerOptions,
    ports: SchedulerPorts<Request, Result>,
  ): BatchScheduler<Request, Result> {
    return new BatchScheduler(compileOptions(options), ports);
  }

  enqueue(request: Request): SluiceError | undefined {
    const nowMs = this.#ports.clock.monotonic();
    const refusal = this.#stopped
      ? unavailable(`${this.#settings.name} is stopping`)
      : (refuse(this.#settings, request, nowMs) ?? this.#noRoom(this.#queue.level(request.priority), nowMs));
    if (refusal) {
      this.#lost.refused++;
      return refusal;
    }
    const node = this.#queue.append(request, nowMs);
    request.ticket = node;
    this.#order?.accept(node);
    this.#counts.accepted++;
    if (this.#places.free === 0 && this.#open.size === 0) this.#setTimer();
    else if (this.#ports.defer) this.#formLater(this.#ports.defer);
    else this.#settle();
    return undefined;
  }

  cancel(request: Request): boolean {
    const node = this.#nodeOf(request.ticket);
    if (!node || (node.answered && !this.#order?.holds(node))) return false;
    this.#lose(node, 'cancelled', new SluiceError('cancelled', 'the caller cancelled the request'));
    // With a turn to come, those that leave in it leave together: each batch is written anew once.
    const { defer } = this.#ports;
    if (defer && this.#open.leaving && !this.#settling) {
      this.#tell();
      this.#formLater(defer);
    } else this.#settle();
    return true;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#queue.ripenAll();
    this.#settle();
  }

  drain(withinMs: number): Promise<DrainReport> {
    this.#drainAtMs = Math.min(this.#drainAtMs, this.#ports.clock.monotonic() + withinMs);
    const drained = new Promise<DrainReport>((resolve) => this.#drainWaiters.push(resolve));
    this.stop();
    this.#settle();
    return drained;
  }

  stats(): SchedulerStats {
    return {
      ...this.#counts,
      ...this.#queue.waiting(),
      ...this.#open.notBegun(),
      freeInstances: this.#places.idle,
      lost: { ...this.#lost },
    };
  }

  /** The level's bound, after what has expired or may leave at once has left. */
  #noRoom(level: QueueLevel, nowMs: number): SluiceError | undefined {
    if (level.requests < level.maxQueueSize) return undefined;
    if (this.#formingLater || this.#queue.nextExpiryMs <= nowMs) this.#settle();
    if (level.requests < level.maxQueueSize) return undefined;
    const { maxBatchSize, instances } = this.#settings;
    const { requests, rows } = this.#queue.waitingDownTo(level);
    const batches = maxBatchSize === 0 ? requests : Math.ceil(rows / maxBatchSize);
    return queueFull(this.#settings, level, Math.max(1, Math.ceil((this.#meanRunMs * batches) / instances)));
  }

  #nodeOf(ticket: Ticket | undefined): QueueNode<Request> | undefined {
    return ticket instanceof QueueNode ? (ticket as QueueNode<Request>) : undefined;
  }

  /** Forms batches at the end of this turn, but one that is full, and first in line, now. */
  #formLater(defer: (form: () => void) => void): void {
    if (this.#places.free > 0 && this.#queue.next()?.bucket.full) this.#settle(true);
    this.#setTimer();
    if (this.#formingLater) return;
    this.#formingLater = true;
    defer(() => {
      this.#formingLater = false;
      this.#settle();
    });
  }

  /** Does whatever can be done now: runs the batches that may leave, tells failures, and waits for the next moment. */
  #settle(onlyFull = false): void {
    if (this.#settling) return;
    this.#settling = true;
    try {
      do {
        this.#formBatches(onlyFull);
      } while (this.#tell());
    } finally {
      this.#settling = false;
    }
    this.#endDrain();
    this.#setTimer();
  }

  #formBatches(onlyFull: boolean): void {
    for (;;) {
      const nowMs = this.#ports.clock.monotonic();
      this.#expire(nowMs);
      this.#lookedAtMs = nowMs;
      if (this.#drainAtMs <= nowMs) this.#failQueue();
      this.#open.takeOutLeaving();
      if (this.#places.idle === 0) this.#open.join();
      if (this.#places.free === 0) return;
      const behind = this.#open.takeBack();
      if (behind) {
        this.#start(
          behind,
          this.#places.pick(() => false)!,
          nowMs,
        );
        continue;
      }
      this.#queue.ripen(nowMs);
      const first = this.#queue.next();
      if (!first || (onlyFull && !first.bucket.full)) return;
      const instance = this.#places.pick((behind) => this.#open.mayStandBehind(behind));
      if (instance === undefined) return;
      this.#start(this.#queue.take(first), instance, nowMs);
    }
  }

  #start({ bucket, parts, rows }: TakenRows<Request>, instance: number, formedAtMs: number): void {
    const paddedRows = this.#padded(rows);
    const id = ++this.#counts.batches;
    this.#counts.batchedRows += rows;
    this.#counts.paddingRows += paddedRows - rows;
    this.#counts.runningBatches++;
    this.#counts.runningRows += rows;
    this.#places.take(instance);
    const batch = new FormedBatch(this.#owner, { id, instance, bucket, parts, rows, paddedRows, formedAtMs });
    this.#places.put(batch);
    this.#run(batch);
  }

  /** How many rows a batch of so many runs with. */
  #padded(rows: number): number {
    const { allowedBatchSizes } = this.#settings;
    if (rows === 0 || allowedBatchSizes.length === 0) return rows;
    return allowedBatchSizes.find((size) => size >= rows) ?? rows;
  }

  #run(batch: FormedBatch<Request, Result>): void {
    this.#open.formed(batch);
    try {
      this.#ports.run(batch);
    } catch (thrown) {
      if (!batch.answered) batch.fail(SluiceError.from(thrown));
      else this.#ports.onDefect(thrown);
      if (!batch.freed) batch.free();
    }
  }

  #batchFreed(batch: FormedBatch<Request, Result>): void {
    this.#open.forget(batch);
    const runMs = this.#places.give(batch, this.#ports.clock.monotonic(), this.#counts.batches);
    if (batch.parts.length > 0)
      this.#meanRunMs = this.#meanRunMs === 0 ? runMs : this.#meanRunMs + meanWeight * (runMs - this.#meanRunMs);
    this.#batchOver(batch);
    this.#settle();
  }

  #resized(rows: number, padding: number): void {
    this.#counts.runningRows += rows;
    this.#counts.batchedRows += rows;
    this.#counts.paddingRows += padding;
  }

  #batchCompleted(batch: FormedBatch<Request, Result>, result: Result, rows: number): void {
    this.#open.forget(batch);
    this.#batchOver(batch);
    if (rows === batch.paddedRows) this.#deliver(batch, result);
    else this.#failParts(batch, wrongRowCount(this.#settings.name, batch, rows));
    this.#settle();
  }

  /** Hands out the rows. What the callbacks ask for meanwhile happens after the last of them. */
  #deliver(batch: FormedBatch<Request, Result>, result: Result): void {
    const settling = this.#settling;
    this.#settling = true;
    try {
      for (const part of batch.parts) {
        if (!partOver(part)) continue;
        const error = handOver<Request, Result>(part, result);
        // The callback may have cancelled its own request.
        if (part.node.answered) continue;
        if (error) this.#lose(part.node, 'batch-failed', error);
        else if (allRowsDone(part.node)) this.#succeed(part.node);
      }
    } finally {
      this.#settling = settling;
    }
  }

  #succeed(node: QueueNode<Request>): void {
    node.answered = true;
    if (this.#order) this.#order.hold(node, 'success');
    else this.#tellSuccess(node);
  }

  #tellSuccess(node: QueueNode<Request>): void {
    this.#counts.succeeded++;
    tellSuccess(node.request, this.#ports.onDefect);
  }

  #batchFailed(batch: FormedBatch<Request, Result>, error: SluiceError): void {
    this.#open.forget(batch);
    this.#batchOver(batch);
    this.#failParts(batch, error);
    this.#settle();
  }

  #failParts(batch: FormedBatch<Request, Result>, error: SluiceError): void {
    for (const part of batch.parts) if (partOver(part)) this.#lose(part.node, 'batch-failed', error);
  }

  #batchOver(batch: FormedBatch<Request, Result>): void {
    if (!batch.over) return;
    this.#counts.runningBatches--;
    this.#counts.runningRows -= batch.rows;
  }

  #expire(nowMs: number): void {
    for (let node = this.#queue.expired(nowMs); node; node = this.#queue.expired(nowMs)) {
      this.#lose(node, 'expired', expiredInQueue(this.#settings, node, nowMs));
    }
    for (const node of this.#open.expire(nowMs)) {
      this.#lose(node, 'expired', expiredInQueue(this.#settings, node, nowMs));
    }
  }

  #failQueue(): void {
    for (let node = this.#queue.any(); node; node = this.#queue.any()) {
      this.#drainFailed++;
      this.#lose(node, 'stopped', this.#stoppedFirst());
    }
    for (const node of this.#open.leave(() => true)) {
      this.#drainFailed++;
      this.#lose(node, 'stopped', this.#stoppedFirst());
    }
  }

  #stoppedFirst(): SluiceError {
    return unavailable(`${this.#settings.name} stopped before the request's turn came`);
  }

  /** Decides that a request fails: takes what still waits of it out of the queue, and notes whom to tell. */
  #lose(node: QueueNode<Request>, reason: LossReason, error: SluiceError): void {
    if (node.queued) this.#queue.remove(node);
    if (node.runningParts > 0 && this.#open.size > 0) this.#open.leaveLater(node);
    node.answered = true;
    // It ran, so it is answered in its turn; who leaves before is answered at once, and holds nobody up.
    if (this.#order && reason === 'batch-failed') {
      this.#order.hold(node, error);
      return;
    }
    this.#order?.leave(node);
    this.#lost[reason]++;
    this.#failures.push({ request: node.request, error });
  }

  /** True when there was anybody to tell, and hence something may have changed. */
  #tell(): boolean {
    const failures = this.#failures;
    if (failures.length > 0) this.#failures = [];
    for (const { request, error } of failures) tellFailure(request, error, this.#ports.onDefect);
    const released = this.#order?.release((node, outcome) => this.#tellOutcome(node, outcome));
    return released === true || failures.length > 0;
  }

  #tellOutcome(node: QueueNode<Request>, outcome: Outcome): void {
    if (outcome === 'success') {
      this.#tellSuccess(node);
      return;
    }
    this.#lost['batch-failed']++;
    tellFailure(node.request, outcome, this.#ports.onDefect);
  }

  /** Sees to it that the one timer fires no later than the next thing to do. One that fires too early does no harm. */
  #setTimer(): void {
    const dueMs = this.#places.free > 0 ? this.#queue.nextDueMs : Infinity;
    // Only a drain has to know how many wait: counting them takes longer the more levels there are.
    const drains = this.#drainAtMs < Infinity && (this.#drainWaiters.length > 0 || this.#queue.requests > 0);
    const drainMs = drains ? this.#drainAtMs : Infinity;
    const atMs = Math.min(this.#queue.nextExpiryMs, this.#open.nextExpiryMs, dueMs, drainMs);
    this.#alarm.set(atMs);
  }

  #endDrain(): void {
    if (this.#drainWaiters.length === 0) return;
    const { runningBatches } = this.#counts;
    // By the look at the clock that failed who waits: a moment that comes after it has not been acted on, and rings.
    const timeIsUp = this.#drainAtMs <= this.#lookedAtMs;
    if (!timeIsUp && (this.#queue.requests > 0 || runningBatches > 0)) return;
    this.#alarm.cancel();
    for (const resolve of this.#drainWaiters.splice(0)) resolve({ failed: this.#drainFailed, runningBatches });
  }
}
