import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { capacityFor, type BatchPlan } from './batch-plan.ts';
import { BatchSlot } from './batch-slot.ts';
import { ControlBlock, slotsPerWorker, type BatchTiming } from './control-block.ts';
import type { FromWorker, LoadedTensor, OpenOutput, SessionSettings, ToWorker, WorkerStart } from './messages.ts';
import { batchError, type BatchOutputs } from './outputs.ts';

/** What a batch came to: its outputs, to be read before the callback returns, or why it failed. */
export type BatchOutcome =
  | { readonly ok: true; readonly outputs: BatchOutputs; readonly timing: BatchTiming }
  /** `sessionLost`: the thread ended under it, so running its requests again could end another. */
  | { readonly ok: false; readonly error: SluiceError; readonly sessionLost: boolean };

/** A batch to run. */
export interface BatchJob {
  readonly plan: BatchPlan;
  readonly rows: number;
  /** The most rows that batches of this plan ever have: buffers are sized for it where that is small. */
  readonly maxRows: number;
  /** By input, the bytes of BYTES inputs; anything for the others. */
  readonly stringBytes: readonly number[];
  /** Writes the rows; `targets` has, by input, the bytes that are the input's in the batch. Called once, at once. */
  readonly fill: (targets: readonly Uint8Array[]) => void;
  /** The end of the batch. Views of its outputs are good until this returns. */
  readonly done: (outcome: BatchOutcome) => void;
  /** Called after `done`: the thread can take another batch. */
  readonly freed?: () => void;
}

interface Running {
  readonly batch: number;
  readonly job: BatchJob;
  readonly slot: BatchSlot;
  readonly startedMs: number;
}

/** Plans that a worker keeps; the least recently used goes first. Always more than it can have in flight. */
const keptPlans = 64;
const workerFile = new URL(`./session-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/**
 * One ONNX Runtime session in a thread of its own, seen from the main thread. Takes up to `slotsPerWorker` batches at
 * once and runs them one after the other.
 */
export class SessionThread {
  readonly inputs: readonly LoadedTensor[];
  readonly outputs: readonly LoadedTensor[];
  readonly #worker: Worker;
  readonly #control: ControlBlock;
  readonly #slots: readonly BatchSlot[];
  readonly #running: (Running | undefined)[];
  readonly #plans = new Map<number, true>();
  readonly #onExit: (error: SluiceError) => void;
  #lastBatch = 0;
  #inFlight = 0;
  #waiting = false;
  #dead: SluiceError | undefined;
  #thrown: unknown;
  #closed: (() => void) | undefined;

  private constructor(
    worker: Worker,
    control: ControlBlock,
    loaded: Extract<FromWorker, { kind: 'loaded' }>,
    onExit: (error: SluiceError) => void,
  ) {
    this.#worker = worker;
    this.#control = control;
    this.inputs = loaded.inputs;
    this.outputs = loaded.outputs;
    this.#onExit = onExit;
    this.#slots = Array.from({ length: slotsPerWorker }, (_, index) => new BatchSlot(index));
    this.#running = this.#slots.map(() => undefined);
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => (this.#thrown = error));
    worker.on('exit', (code) => this.#exited(code));
  }

  /**
   * Starts a thread and loads the graph in it.
   * @param onExit called once if the thread ends without having been closed; its batches have failed by then
   * @throws SluiceError failed-precondition with ONNX Runtime's reason when the graph does not load
   */
  static async start(settings: SessionSettings, onExit: (error: SluiceError) => void): Promise<SessionThread> {
    const control = new ControlBlock();
    const workerData: WorkerStart = { control: control.memory, settings };
    const worker = new Worker(workerFile, { workerData, name: 'session' });
    const first = await firstMessage(worker);
    if (first.kind === 'loaded') return new SessionThread(worker, control, first, onExit);
    await worker.terminate();
    const reason = first.kind === 'load-failed' ? first.message : `the worker sent "${first.kind}" first`;
    throw new SluiceError('failed-precondition', `ONNX Runtime could not load the model: ${reason}`);
  }

  /** Batches that it could take now. */
  get freeSlots(): number {
    return this.#dead || this.#closed ? 0 : slotsPerWorker - this.#inFlight;
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

  /** Hands a batch over. Needs a free slot. `job.done` is called exactly once, never before this returns. */
  submit(job: BatchJob): void {
    if (this.freeSlots === 0)
      throw new SluiceError('internal', 'a batch was submitted to a session without a free slot');
    const batch = this.#lastBatch + 1;
    const slot = this.#slots[this.#running.indexOf(undefined)]!;
    const { plan, rows } = job;
    const capacity = capacityFor(plan, rows, job.maxRows);
    this.#usePlan(plan);
    const targets = slot.prepare(plan, capacity, rows, job.stringBytes, (message) => this.#post(message));
    job.fill(targets);
    this.#lastBatch = batch;
    this.#inFlight += 1;
    this.#running[slot.index] = { batch, job, slot, startedMs: performance.now() };
    const finishes = this.#control.finishes();
    this.#control.submit(batch, slot.index, { plan: plan.id, rows, capacity, buffer: slot.bufferId });
    if (!this.#waiting) this.#await(finishes);
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #usePlan(plan: BatchPlan): void {
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

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'results':
      case 'batch-failed': {
        const running = this.#running.find((entry) => entry?.batch === message.batch);
        if (!running) return;
        if (message.kind === 'results') this.#settle(running, message.outputs);
        else this.#fail(running, batchError(message.message));
        return;
      }
      case 'closed':
        this.#closed?.();
        return;
      case 'loaded':
      case 'load-failed':
        return;
    }
  }

  #settle(running: Running, open: readonly (OpenOutput | undefined)[]): void {
    const { job, slot } = running;
    const timing = this.#control.timing(running.slot.index);
    const outputs = slot.outputs(job.plan, job.rows, open);
    if (outputs instanceof SluiceError) this.#fail(running, outputs);
    else this.#end(running, { ok: true, outputs, timing });
  }

  #fail(running: Running, error: SluiceError): void {
    this.#end(running, { ok: false, error, sessionLost: this.#dead !== undefined });
  }

  #end(running: Running, outcome: BatchOutcome): void {
    try {
      running.job.done(outcome);
    } finally {
      this.#running[running.slot.index] = undefined;
      this.#inFlight -= 1;
      running.job.freed?.();
    }
  }

  #exited(code: number): void {
    if (this.#closed) {
      this.#closed();
      return;
    }
    this.#dead = new SluiceError(
      'internal',
      `the model ended its session (exit code ${code}); the request may be the cause`,
      { cause: this.#thrown },
    );
    for (const running of this.#running) if (running) this.#fail(running, this.#dead);
    this.#onExit(this.#dead);
  }

  /** Lets batches in flight finish, then releases the session's memory and ends the thread. */
  async close(): Promise<void> {
    if (this.#dead) return;
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#post({ kind: 'close' });
      this.#control.ring();
    });
    await this.#worker.terminate();
    this.#collect();
    for (const running of this.#running) if (running) this.#fail(running, unavailable('the session was closed'));
  }
}

/** The first word of a worker; a worker that ends without one counts as a failed load. */
async function firstMessage(worker: Worker): Promise<FromWorker> {
  const listening = new AbortController();
  const options = { signal: listening.signal };
  const failed = (message: string): FromWorker => ({ kind: 'load-failed', message });
  const spoke = once(worker, 'message', options).then(([message]) => message as FromWorker);
  const ended = once(worker, 'exit', options).then(([code]) =>
    failed(`its thread ended with exit code ${String(code)}`),
  );
  // `once` rejects with what an 'error' event carries.
  const first = await Promise.race([spoke, ended]).catch((error: unknown) => failed(String(error)));
  listening.abort();
  await Promise.allSettled([spoke, ended]);
  return first;
}
