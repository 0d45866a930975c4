import { SluiceError, unavailable } from '@sluice/domain/errors';
import { Alarm } from '../alarm.ts';
import { handOver, tellFailure, tellSuccess } from '../answers.ts';
import type { BucketKey, DrainReport, LossReason, RequestPart, Ticket } from '../contract.ts';
import { IndexedHeap } from '../indexed-heap.ts';
import type { SequenceKey, SequencePorts, SequenceRequest, SequenceScheduling, SequenceStats } from './contract.ts';
import { FormedSequenceBatch, type SequenceBatchOwner } from './formed-sequence-batch.ts';
import { Lives } from './lives.ts';
import { compileSequenceOptions, type SequenceOptions, type SequenceSettings } from './options.ts';
import { refuseStep, sequenceLost, stepExpired, stepQueueFull } from './refusals.ts';
import { Step } from './sequence.ts';
import { type InstanceSlots, Slots } from './slots.ts';

/** How much the latest batch counts in the running mean of run times. */
const meanWeight = 0.2;

/**
 * The scheduler of one model version with sequences (Triton's strategy `direct`); its rules and their tests are in SPEC.md.
 * As in `BatchScheduler`, what is decided inside a call is told at its end, so a callback may call the scheduler again.
 */
export class SequenceScheduler<Request extends SequenceRequest<Result>, Result> implements SequenceScheduling<Request> {
  readonly #settings: SequenceSettings;
  readonly #ports: SequencePorts<Request, Result>;
  readonly #alarm: Alarm;
  readonly #slots: Slots<Request>;
  readonly #lives: Lives<Request>;
  /** Those that wait and end at a time, the first first. */
  readonly #expiring = new IndexedHeap<Step<Request>>((one, other) => one.expiresAtMs < other.expiresAtMs, {
    get: (step) => step.heapIndex,
    set: (step, index) => void (step.heapIndex = index),
  });
  readonly #owner: SequenceBatchOwner<Request, Result>;
  #failures: { readonly request: Request; readonly error: SluiceError }[] = [];
  #settling = false;
  #formingLater = false;
  #stopped = false;
  #drainAtMs = Infinity;
  #drainFailed = 0;
  #drainWaiters: ((report: DrainReport) => void)[] = [];
  #meanRunMs = 0;
  #waiting = 0;
  /** Requests that wait, by bucket: `stats` is called while requests run, and walks none of them. */
  readonly #waitingOf = new Map<BucketKey, number>();
  readonly #counts = { runningBatches: 0, runningRows: 0, accepted: 0, succeeded: 0, batches: 0, batchedRows: 0 };
  readonly #lost: Record<LossReason, number> = { refused: 0, expired: 0, cancelled: 0, stopped: 0, 'batch-failed': 0 };

  private constructor(settings: SequenceSettings, ports: SequencePorts<Request, Result>) {
    this.#settings = settings;
    this.#ports = ports;
    this.#slots = new Slots(settings.instances, settings.slots);
    this.#lives = new Lives(this.#slots, settings.maxSequenceIdleMs);
    this.#alarm = new Alarm(ports.clock, () => this.#settle());
    this.#owner = {
      partDone: (step, result, from) => this.#partDone(step, result, from),
      partFailed: (step, error) => this.#partFailed(step, error),
      batchFreed: (batch) => this.#batchFreed(batch),
    };
  }

  /**
   * Makes a scheduler without sequences.
   * @throws SluiceError `invalid-argument` that names the knob of `options` that is wrong
   */
  static create<Request extends SequenceRequest<Result>, Result>(
    options: SequenceOptions,
    ports: SequencePorts<Request, Result>,
  ): SequenceScheduler<Request, Result> {
    return new SequenceScheduler(compileSequenceOptions(options), ports);
  }

  enqueue(request: Request): SluiceError | undefined {
    const nowMs = this.#ports.clock.monotonic();
    if (this.#lives.nextIdleAtMs <= nowMs) this.#settle();
    const refusal = refuseStep(this.#settings, request, nowMs) ?? this.#notNow(request, nowMs);
    if (refusal) {
      this.#lost.refused++;
      // What was sent behind it must not meet the sequence before it.
      if (request.start) this.end(request.sequence);
      return refusal;
    }
    const step = new Step(request, this.#lives.of(request.sequence), this.#timesOf(request, nowMs));
    request.ticket = step satisfies Ticket;
    this.#lives.add(step);
    this.#queue(step);
    const { defer } = this.#ports;
    if (defer) this.#settleLater(defer);
    else this.#settle();
    return undefined;
  }

  /** Why it cannot be taken as things are. */
  #notNow({ sequence, start }: Request, nowMs: number): SluiceError | undefined {
    const { name } = this.#settings;
    if (this.#drainAtMs <= nowMs || (this.#stopped && start)) return unavailable(`${name} is stopping`);
    if (!start && !this.#lives.has(sequence, nowMs)) return sequenceLost(name, sequence);
    const { maxQueueSize, instances, slots } = this.#settings;
    if (this.#waiting < maxQueueSize) return undefined;
    this.#settle();
    if (this.#waiting < maxQueueSize) return undefined;
    const batches = Math.ceil(this.#waiting / (instances * slots));
    return stepQueueFull(this.#settings, Math.max(1, Math.ceil(this.#meanRunMs * batches)));
  }

  #timesOf({ deadlineMs, timeoutMicroseconds }: Request, nowMs: number) {
    const { defaultTimeoutMs, allowTimeoutOverride, maxQueueDelayMs } = this.#settings;
    const own = allowTimeoutOverride && timeoutMicroseconds ? timeoutMicroseconds / 1000 : Infinity;
    const expiresAtMs = Math.min(deadlineMs, nowMs + Math.min(defaultTimeoutMs, own));
    const dueAtMs = nowMs + Math.min(maxQueueDelayMs, (expiresAtMs - nowMs) / 2);
    return { enqueuedAtMs: nowMs, dueAtMs, expiresAtMs, order: ++this.#counts.accepted };
  }

  cancel(request: Request): boolean {
    const step = this.#stepOf(request.ticket);
    if (!step || step.answered) return false;
    const error = new SluiceError('cancelled', 'the caller cancelled the request');
    if (step.sequence.running === step) this.#lose(step, 'cancelled', error);
    else this.#leave(step, 'cancelled', error);
    this.#settle();
    return true;
  }

  #stepOf(ticket: Ticket | undefined): Step<Request> | undefined {
    return ticket instanceof Step ? (ticket as Step<Request>) : undefined;
  }

  lives(key: SequenceKey): boolean {
    const nowMs = this.#ports.clock.monotonic();
    return this.#drainAtMs > nowMs && this.#lives.has(key, nowMs);
  }

  end(key: SequenceKey): void {
    this.#lives.end(key);
    this.#settle();
  }

  endIdle(): void {
    this.#lives.endIdle();
    this.#settle();
  }

  drain(withinMs: number): Promise<DrainReport> {
    this.#stopped = true;
    this.#drainAtMs = Math.min(this.#drainAtMs, this.#ports.clock.monotonic() + withinMs);
    const drained = new Promise<DrainReport>((resolve) => this.#drainWaiters.push(resolve));
    this.#settle();
    return drained;
  }

  stats(): SequenceStats {
    const { count, free } = this.#slots;
    return {
      ...this.#counts,
      queuedRequests: this.#waiting,
      queuedRows: this.#waiting,
      levels: [{ requests: this.#waiting, rows: this.#waiting }],
      // Rows of sequences never join a batch that was handed over.
      openBatches: 0,
      openRows: 0,
      openRequests: 0,
      queuedBuckets: this.#waitingOf.size,
      freeInstances: this.#slots.instances.filter(({ idle }) => idle).length,
      paddingRows: 0,
      lost: { ...this.#lost },
      slots: count,
      sequences: count - free,
      backlog: this.#lives.backlog,
      idledOut: this.#lives.idledOut,
    };
  }

  *#waitingSteps(): Generator<Step<Request>, void, void> {
    for (const sequence of this.#lives.all()) yield* sequence.waiting;
  }

  /** Forms batches at the end of this turn, so that what comes in it rides together. */
  #settleLater(defer: (form: () => void) => void): void {
    if (this.#formingLater) return;
    this.#formingLater = true;
    defer(() => {
      this.#formingLater = false;
      this.#settle();
    });
  }

  /** Does whatever can be done now: lets go who is too late, gives slots, runs batches, tells failures, sets the alarm. */
  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    let nowMs: number;
    try {
      do {
        nowMs = this.#ports.clock.monotonic();
        this.#expire(nowMs);
        this.#lives.idleOut(nowMs);
        if (this.#drainAtMs <= nowMs) this.#failAll();
        this.#lives.place();
        for (const [index, instance] of this.#slots.instances.entries()) this.#form(index, instance, nowMs);
      } while (this.#tell());
    } finally {
      this.#settling = false;
    }
    // By the same look at the clock: a moment that comes meanwhile has not been acted on, and has to ring.
    this.#endDrain(nowMs);
    this.#alarm.set(this.#nextMs(nowMs));
  }

  #form(index: number, instance: InstanceSlots<Request>, nowMs: number): void {
    const { enoughSlots } = this.#settings;
    if (!instance.idle || instance.ready.size === 0) return;
    if (!this.#stopped && instance.ready.size < enoughSlots && instance.dueAtMs > nowMs) return;
    const { bucket } = instance.oldest()!.request;
    const steps = [...instance.ready]
      .map(({ waiting }) => waiting[0]!)
      .filter(({ request }) => request.bucket === bucket);
    steps.sort((one, other) => one.order - other.order);
    const parts = steps.map((step, batchRow) => {
      const { request, sequence } = step;
      return { request, requestRow: 0, batchRow, rows: 1, slot: sequence.slot, step };
    });
    for (const step of steps) {
      this.#lives.begin(step);
      this.#unqueue(step);
    }
    instance.idle = false;
    this.#counts.batches++;
    this.#counts.batchedRows += parts.length;
    this.#counts.runningBatches++;
    this.#counts.runningRows += parts.length;
    const what = { id: this.#counts.batches, instance: index, bucket, parts, formedAtMs: nowMs };
    this.#run(new FormedSequenceBatch(this.#owner, what));
  }

  #run(batch: FormedSequenceBatch<Request, Result>): void {
    try {
      this.#ports.run(batch);
    } catch (thrown) {
      batch.failRest(SluiceError.from(thrown));
      if (!batch.freed) batch.free();
    }
  }

  #partDone(step: Step<Request>, result: Result, from: RequestPart<Request>): boolean {
    const error = step.answered ? undefined : handOver<Request, Result>({ ...from, request: step.request }, result);
    if (error) {
      this.#partFailed(step, error);
      return false;
    }
    // The callback may have cancelled its own request.
    if (!step.answered) {
      step.answered = true;
      this.#counts.succeeded++;
      tellSuccess(step.request, this.#ports.onDefect);
    }
    this.#orphaned(this.#lives.ended(step, true, this.#ports.clock.monotonic()));
    return true;
  }

  #partFailed(step: Step<Request>, error: SluiceError): void {
    if (!step.answered) this.#lose(step, 'batch-failed', error);
    this.#orphaned(this.#lives.ended(step, false, this.#ports.clock.monotonic()));
  }

  #batchFreed(batch: FormedSequenceBatch<Request, Result>): void {
    this.#counts.runningBatches--;
    this.#counts.runningRows -= batch.parts.length;
    const runMs = this.#ports.clock.monotonic() - batch.formedAtMs;
    this.#meanRunMs = this.#meanRunMs === 0 ? runMs : this.#meanRunMs + meanWeight * (runMs - this.#meanRunMs);
    this.#slots.instances[batch.instance]!.idle = true;
    this.#settle();
  }

  #expire(nowMs: number): void {
    for (let step = this.#expiring.peek(); step && step.expiresAtMs <= nowMs; step = this.#expiring.peek()) {
      this.#leave(step, 'expired', stepExpired(this.#settings, step, nowMs));
    }
  }

  /** The time of the drain is over. */
  #failAll(): void {
    for (const step of [...this.#waitingSteps()]) {
      if (step.answered) continue;
      this.#drainFailed++;
      const error = unavailable(`${this.#settings.name} stopped before the request's turn came`);
      this.#leave(step, 'stopped', error);
    }
    this.#lives.endIdle();
  }

  /** A request that waits leaves; those that cannot run without it too. */
  #leave(step: Step<Request>, reason: LossReason, error: SluiceError): void {
    this.#unqueue(step);
    this.#lose(step, reason, error);
    this.#orphaned(this.#lives.left(step, this.#ports.clock.monotonic()));
  }

  #orphaned(steps: readonly Step<Request>[]): void {
    for (const step of steps) {
      this.#unqueue(step);
      this.#lose(step, 'batch-failed', sequenceLost(this.#settings.name, step.sequence.key));
    }
  }

  #queue(step: Step<Request>): void {
    const { bucket } = step.request;
    this.#waiting++;
    this.#waitingOf.set(bucket, (this.#waitingOf.get(bucket) ?? 0) + 1);
    if (step.expiresAtMs < Infinity) this.#expiring.push(step);
  }

  #unqueue(step: Step<Request>): void {
    const { bucket } = step.request;
    const left = this.#waitingOf.get(bucket)! - 1;
    this.#waiting--;
    if (left > 0) this.#waitingOf.set(bucket, left);
    else this.#waitingOf.delete(bucket);
    this.#expiring.remove(step);
  }

  #lose(step: Step<Request>, reason: LossReason, error: SluiceError): void {
    step.answered = true;
    this.#lost[reason]++;
    this.#failures.push({ request: step.request, error });
  }

  /** True when there was anybody to tell, and hence something may have changed. */
  #tell(): boolean {
    const failures = this.#failures;
    if (failures.length === 0) return false;
    this.#failures = [];
    for (const { request, error } of failures) tellFailure(request, error, this.#ports.onDefect);
    return true;
  }

  #nextMs(nowMs: number): number {
    let nextMs = Math.min(this.#expiring.peek()?.expiresAtMs ?? Infinity, this.#lives.nextIdleAtMs);
    for (const { idle, dueAtMs } of this.#slots.instances) if (idle) nextMs = Math.min(nextMs, dueAtMs);
    const drains = this.#lives.size > 0 && this.#drainAtMs > nowMs;
    return drains ? Math.min(nextMs, this.#drainAtMs) : nextMs;
  }

  #endDrain(nowMs: number): void {
    if (this.#drainWaiters.length === 0) return;
    const { runningBatches } = this.#counts;
    const timeIsUp = this.#drainAtMs <= nowMs;
    if (!timeIsUp && (this.#lives.size > 0 || runningBatches > 0)) return;
    this.#alarm.cancel();
    for (const resolve of this.#drainWaiters.splice(0)) resolve({ failed: this.#drainFailed, runningBatches });
  }
}
