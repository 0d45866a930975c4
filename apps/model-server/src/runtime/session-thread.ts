import { SluiceError, unavailable } from '@sluice/domain/errors';
import { capacityFor, type BatchPlan } from './batch-plan.ts';
import { BatchSlot } from './batch-slot.ts';
import { ControlBlock, nextNumber, slotsPerSession, type BatchTiming } from './control-block.ts';
import { Handed } from './handed-batch.ts';
import type { Fill, HandedBatch } from './handed-batch.ts';
import { loadError } from './load-error.ts';
import type { FromWorker, LoadedTensor, OpenOutput, SessionSettings, ToWorker } from './messages.ts';
import { batchError, type BatchOutputs } from './outputs.ts';
import { WorkerHost, type HostedSession } from './worker-host.ts';

/** A run of a batch in its session. */
export interface SessionRun {
  readonly timing: BatchTiming;
  /** Intra-op threads of the session. */
  readonly threads: number;
}

/** What a batch came to: its outputs, to be read before the callback returns, or why it failed. */
export type BatchOutcome =
  | ({ readonly ok: true; readonly outputs: BatchOutputs } & SessionRun)
  /**
   * `sessionLost`: the thread ended under it, so running its requests again could end another. `ran`: the run that failed;
   * absent where there was none, or nobody knows how long it took.
   */
  | {
      readonly ok: false;
      readonly error: SluiceError;
      readonly sessionLost: boolean;
      readonly ran?: SessionRun | undefined;
    };

/** A batch to run. */
export interface BatchJob {
  readonly plan: BatchPlan;
  readonly rows: number;
  /** The most rows that batches of this plan ever have: buffers are sized for it where that is small. */
  readonly maxRows: number;
  /** By input, the bytes of BYTES inputs; anything for the others. */
  readonly stringBytes: readonly number[];
  /** Writes the rows. Called once, at once. */
  readonly fill: Fill;
  /** The end of the batch. Views of its outputs are good until this returns. Not called when it was withdrawn. */
  readonly done: (outcome: BatchOutcome) => void;
  /** Called after `done`, or after the batch was withdrawn: the thread can take another batch. */
  readonly freed?: () => void;
}

interface Running {
  readonly batch: number;
  readonly job: BatchJob;
  readonly slot: BatchSlot;
  readonly capacity: number;
  readonly targets: readonly Uint8Array[];
  readonly startedMs: number;
  rows: number;
  withdrawn: boolean;
  /** Why it could be written anew only in part, and so does not run. */
  spoilt: SluiceError | undefined;
}

/** When a version whose session was lost may be there again, in milliseconds. */
export const retryAfterMs = 100;

/** Plans that a worker keeps; the least recently used goes first. Always more than it can have in flight. */
const keptPlans = 64;

/**
 * One ONNX Runtime session, seen from the main thread. It runs in a worker thread, its own or one that it shares. Takes
 * up to `slotsPerSession` batches at once and runs them one after the other.
 */
export class SessionThread implements HostedSession {
  inputs: readonly LoadedTensor[] = [];
  outputs: readonly LoadedTensor[] = [];
  /** Milliseconds that opening the graph took. */
  openMs = 0;
  readonly #settings: SessionSettings;
  readonly #host: WorkerHost;
  readonly #crashNumber: number | undefined;
  readonly #id: number;
  readonly #control: ControlBlock;
  readonly #device: string;
  readonly #slots: readonly BatchSlot[];
  readonly #running: (Running | undefined)[];
  readonly #plans = new Map<number, true>();
  #newestPlan: number | undefined;
  readonly #onExit: (error: SluiceError) => void;
  readonly #loaded = Promise.withResolvers<undefined>();
  #lastBatch: number;
  #inFlight = 0;
  #waiting = false;
  #dead: SluiceError | undefined;
  #closed: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    settings: SessionSettings,
    onExit: (error: SluiceError) => void,
    host: WorkerHost,
    control: ControlBlock,
  ) {
    this.#settings = settings;
    this.#host = host;
    this.#crashNumber = settings.crashNumber;
    this.#device = settings.device?.name ?? 'cpu';
    this.#control = control;
    this.#lastBatch = control.lastSubmitted();
    this.#onExit = onExit;
    this.#slots = Array.from({ length: slotsPerSession }, (_, index) => new BatchSlot(index));
    this.#running = this.#slots.map(() => undefined);
    this.#id = host.open(this, this.#control.memory, settings);
  }

  /**
   * Loads a graph in a thread.
   * @param onExit called once if the thread ends without having been closed; its batches have failed by then
   * @param host the thread; a new one unless told otherwise
   * @param control a block that no other session has
   * @throws SluiceError with ONNX Runtime's reason when the graph does not load: see `loadError`
   */
  static async start(
    settings: SessionSettings,
    onExit: (error: SluiceError) => void,
    host: WorkerHost = new WorkerHost(),
    control = new ControlBlock(),
  ): Promise<SessionThread> {
    const session = new SessionThread(settings, onExit, host, control);
    await session.#loaded.promise;
    return session;
  }

  /** Opens the same graph once more in the same thread, and closes it. Gives the milliseconds that opening took. */
  async openAgainMs(): Promise<number> {
    const again = await SessionThread.start(this.#settings, () => undefined, this.#host);
    await again.close();
    return again.openMs;
  }

  /** Batches that it could take now. */
  get freeSlots(): number {
    return this.#dead || this.#closed ? 0 : slotsPerSession - this.#inFlight;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** How long its oldest batch has been in the thread, in milliseconds; 0 when it is idle. */
  oldestBatchMs(now = performance.now()): number {
    let oldest = now;
    for (const running of this.#running) if (running && running.startedMs < oldest) oldest = running.startedMs;
    return now - oldest;
  }

  /** Hands a batch over. Needs a free slot. `job.done` is called at most once, never before this returns. */
  submit(job: BatchJob): HandedBatch {
    if (this.freeSlots === 0)
      throw new SluiceError('internal', 'a batch was submitted to a session without a free slot');
    const batch = nextNumber(this.#lastBatch);
    const slot = this.#slots[this.#running.indexOf(undefined)]!;
    const { plan, rows } = job;
    const capacity = capacityFor(plan, rows, job.maxRows);
    this.#usePlan(plan);
    const targets = slot.prepare(plan, capacity, job.stringBytes, (message) => this.#post(message));
    job.fill(targets, slot.isZero);
    this.#lastBatch = batch;
    this.#inFlight += 1;
    const startedMs = performance.now();
    const running: Running = {
      batch,
      job,
      slot,
      capacity,
      targets,
      startedMs,
      rows,
      withdrawn: false,
      spoilt: undefined,
    };
    this.#running[slot.index] = running;
    const finishes = this.#control.finishes();
    this.#control.submit(batch, slot.index, { plan: plan.id, rows, capacity, buffer: slot.bufferId });
    this.#host.ring();
    if (!this.#waiting) this.#await(finishes);
    return new Handed({
      isOpen: () => this.#isOpen(running),
      grow: (more, fill) => this.#grow(running, more, fill),
      rewrite: (fewer, stringBytes, fill) => this.#rewrite(running, fewer, stringBytes, fill),
      withdraw: () => this.#withdraw(running),
    });
  }

  /** Whether a batch is here, and has not begun as far as can be seen: the worker may begin it at any moment. */
  #isOpen({ slot, ...running }: Running): boolean {
    const isHere = this.#running[slot.index]?.batch === running.batch;
    return isHere && !running.withdrawn && this.#control.isOpen(slot.index);
  }

  #grow(running: Running, rows: number, fill: Fill): boolean {
    const { slot, capacity, targets } = running;
    if (rows > capacity || !this.#isOpen(running) || !this.#control.hold(slot.index, running.rows)) return false;
    try {
      fill(targets);
      running.rows = rows;
    } finally {
      this.#control.reopen(slot.index, running.rows);
    }
    return true;
  }

  #rewrite(running: Running, rows: number, stringBytes: readonly number[], fill: Fill): boolean {
    const { slot, job, capacity } = running;
    if (!slot.fits(job.plan, capacity, stringBytes)) return false;
    if (!this.#isOpen(running) || !this.#control.hold(slot.index, running.rows)) return false;
    try {
      fill(slot.prepareAgain(job.plan, capacity, stringBytes));
    } catch (error) {
      // Half of it is written: nobody may run that, and its end says why.
      running.spoilt = SluiceError.from(error);
      this.#control.drop(slot.index);
      return false;
    }
    running.rows = rows;
    this.#control.reopen(slot.index, rows);
    return true;
  }

  #withdraw(running: Running): boolean {
    if (!this.#isOpen(running) || !this.#control.withdraw(running.slot.index, running.rows)) return false;
    running.withdrawn = true;
    return true;
  }

  #post(message: ToWorker): void {
    this.#host.post(this.#id, message);
  }

  #usePlan(plan: BatchPlan): void {
    // Most batches are of the plan of the one before, and a map that changes with each of them leaves garbage (ADR 84).
    if (plan.id === this.#newestPlan) return;
    this.#newestPlan = plan.id;
    const known = this.#plans.delete(plan.id);
    this.#plans.set(plan.id, true);
    if (known) return;
    this.#post({ kind: 'plan', plan });
    if (this.#plans.size <= keptPlans) return;
    const oldest = this.#plans.keys().next().value!;
    this.#plans.delete(oldest);
    this.#post({ kind: 'forget-plan', id: oldest });
  }

  /** Comes back, without blocking, when a batch has finished since `finishes` was read. */
  #await(finishes: number): void {
    this.#waiting = true;
    const next = this.#control.finishedAfter(finishes) ?? Promise.resolve();
    void next.then(() => this.#collect());
  }

  /** Answers the batches whose results are in shared memory, and waits for the rest. */
  #collect(): void {
    const finishes = this.#control.finishes();
    for (const running of this.#running) {
      if (running && this.#control.isFinished(running.batch, running.slot.index)) this.#settle(running, []);
    }
    if (this.#inFlight > 0 && !this.#dead) this.#await(finishes);
    else this.#waiting = false;
  }

  receive(message: FromWorker): void {
    switch (message.kind) {
      case 'results':
      case 'batch-failed': {
        const running = this.#running.find((entry) => entry?.batch === message.batch);
        if (!running) return;
        if (message.kind === 'results') this.#settle(running, message.outputs);
        else this.#fail(running, batchError(message.message), this.#runOf(running));
        return;
      }
      case 'closed':
        this.#closed?.();
        return;
      case 'loaded':
        this.inputs = message.inputs;
        this.outputs = message.outputs;
        this.openMs = message.openMs;
        this.#loaded.resolve(undefined);
        return;
      case 'load-failed':
        void this.#notLoaded(message.message);
    }
  }

  async #notLoaded(reason: string): Promise<void> {
    await this.#host.leave(this.#id);
    this.#loaded.reject(loadError(reason, this.#device));
  }

  #settle(running: Running, open: readonly (OpenOutput | undefined)[]): void {
    const { job, slot, withdrawn, spoilt } = running;
    if (withdrawn || spoilt) {
      // It has not run, so there are no outputs to look for.
      this.#fail(running, spoilt ?? unavailable('the batch was withdrawn'));
      return;
    }
    const { timing, threads } = this.#runOf(running);
    const outputs = slot.outputs(job.plan, running.rows, open);
    if (outputs instanceof SluiceError) this.#fail(running, outputs, { timing, threads });
    else this.#end(running, { ok: true, outputs, timing, threads });
  }

  /** The run of a batch that has ended, well or not. */
  #runOf({ slot }: Running): SessionRun {
    return { timing: this.#control.timing(slot.index), threads: this.#settings.intraOpThreads };
  }

  #fail(running: Running, error: SluiceError, ran?: SessionRun): void {
    this.#end(running, { ok: false, error, sessionLost: this.#dead !== undefined, ran });
  }

  #end(running: Running, outcome: BatchOutcome): void {
    try {
      if (!running.withdrawn) running.job.done(outcome);
    } finally {
      this.#running[running.slot.index] = undefined;
      this.#inFlight -= 1;
      running.job.freed?.();
    }
  }

  lost(code: number, cause: unknown, running: boolean): void {
    if (this.#closed) {
      this.#closed();
      return;
    }
    const message = `the model ended its session (exit code ${code}); the request may be the cause`;
    this.#dead = new SluiceError('internal', message, { cause, neverAgain: true });
    this.#loaded.reject(this.#dead);
    this.#failAll(this.#dead, running);
    this.#control.endWaits();
    if (this.inputs.length + this.outputs.length > 0) this.#onExit(this.#dead);
  }

  givenUp(crashNumber: number, error: SluiceError): void {
    // What only shares the thread never began.
    this.#dead =
      crashNumber === this.#crashNumber
        ? error
        : unavailable('the session ended before the request was run', { retryAfterMs, cause: error });
    this.#loaded.reject(this.#dead);
    this.#collect();
    for (const running of this.#running) if (running) this.#fail(running, this.#dead);
    this.#control.endWaits();
    if (this.inputs.length + this.outputs.length > 0) this.#onExit(this.#dead);
  }

  /** Warming up is over. */
  serves(): void {
    this.#post({ kind: 'serves' });
  }

  /**
   * Of what its thread had, what is done is answered, and what stood behind the batch that ran never began. Where the
   * thread ran another session's batch, none of this one's did.
   */
  #failAll(dead: SluiceError, ran: boolean): void {
    this.#collect();
    const left = this.#running.filter((running) => running !== undefined);
    left.sort((one, other) => (one.batch - other.batch) | 0);
    const waited = unavailable('the session ended before the request was run', { retryAfterMs, cause: dead });
    for (const [at, running] of left.entries()) this.#fail(running, ran && at === 0 ? dead : waited);
  }

  /** Lets batches in flight finish, then releases the session's memory; its thread ends with its last session. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#dead) return;
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#post({ kind: 'close' });
      this.#host.ring();
    });
    await this.#host.leave(this.#id);
    this.#collect();
    for (const running of this.#running) if (running) this.#fail(running, unavailable('the session was closed'));
    this.#control.endWaits();
  }
}
