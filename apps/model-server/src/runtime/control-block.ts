/**
 * The words that the main thread and a worker share for one session. The main thread describes a batch in a slot, then rings the
 * thread's doorbell; the worker runs slots in the order of their numbers and marks them done. Everything rare (loading, plans, buffers,
 * results whose size is not known before the run, failures) goes through a message port beside it.
 */

/** Batches that a session holds at once: one runs while the next is already in place. A power of two. */
export const slotsPerSession = 2;

/**
 * The number after a batch's, a plan's or a buffer's. They are shared in 32-bit words, and a busy session comes to the
 * end of those within days: after the largest comes the smallest.
 */
export const nextNumber = (number: number): number => (number + 1) | 0;

const headWords = 16;
const slotWords = 16;
const timingBytes = 32;
const timingsAt = 4 * (headWords + slotsPerSession * slotWords);

const submitted = 0;
const finished = 1;
/** From here: which slot each of the last batches is in. A batch that gets a new entry has long been read. */
const orderAt = 8;

const slotPlan = 0;
/** How many rows a batch has, while they may change, or one of the states below. Whoever changes it compares first. */
const slotRows = 1;
const slotCapacity = 2;
const slotBuffer = 3;
const slotDone = 4;

/** The worker runs it: its rows are final. */
const begun = -1;
/** The main thread writes its rows anew; the worker waits for that. */
const beingWritten = -2;
/** It is not to run. */
const withdrawn = -3;

export const controlBlockBytes = timingsAt + slotsPerSession * timingBytes;

/** What a worker must know to run a batch. */
export interface BatchCommand {
  readonly plan: number;
  readonly rows: number;
  readonly capacity: number;
  readonly buffer: number;
}

/** How long a batch took in the worker, in microseconds. */
export interface BatchTiming {
  readonly inputUs: number;
  readonly inferUs: number;
  readonly outputUs: number;
}

const slotAt = (slot: number): number => headWords + slot * slotWords;

/** What wakes a worker thread: one word that counts, shared by all sessions of the thread; and one that says what it does. */
export class Doorbell {
  readonly memory: SharedArrayBuffer;
  readonly #word: Int32Array<SharedArrayBuffer>;

  constructor(memory = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#word = new Int32Array(memory);
  }

  /** Worker: the session whose batch runs from now on; 0 for none. Stays when the thread ends in the middle of it. */
  runs(session: number): void {
    Atomics.store(this.#word, 1, session);
  }

  /** Main thread: the session whose batch runs, or ran when the thread ended; 0 for none. */
  running(): number {
    return Atomics.load(this.#word, 1);
  }

  /** Main thread: wakes the worker, which looks at its port and at its sessions' slots. */
  ring(): void {
    Atomics.add(this.#word, 0, 1);
    Atomics.notify(this.#word, 0, 1);
  }

  /** Worker: the count; read it before looking for work, pass it to `sleep`. */
  rings(): number {
    return Atomics.load(this.#word, 0);
  }

  /** Worker: blocks until somebody rang since `rings`. */
  sleep(rings: number): void {
    Atomics.wait(this.#word, 0, rings);
  }
}

/** Both sides' view of a session's shared words. Batches are numbered one after the other, see `nextNumber`. */
export class ControlBlock {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #timings: Float64Array;

  /** @param memory of the other side; new unless given, and then the first batch follows the number `after` */
  constructor(memory?: SharedArrayBuffer, after = 0) {
    this.memory = memory ?? new SharedArrayBuffer(controlBlockBytes);
    this.#words = new Int32Array(this.memory);
    if (!memory) this.#words[submitted] = after;
    this.#timings = new Float64Array(this.memory, timingsAt, (slotsPerSession * timingBytes) / 8);
  }

  /** Main thread: hands a batch over in a slot that is free. The worker must be rung for. */
  submit(batch: number, slot: number, command: BatchCommand): void {
    const at = slotAt(slot);
    this.#words[orderAt + (batch & (slotsPerSession - 1))] = slot;
    // Whatever this slot held before, this batch is not done in it.
    this.#words[at + slotDone] = ~batch;
    this.#words[at + slotPlan] = command.plan;
    this.#words[at + slotCapacity] = command.capacity;
    this.#words[at + slotBuffer] = command.buffer;
    Atomics.store(this.#words, at + slotRows, command.rows);
    Atomics.store(this.#words, submitted, batch);
  }

  /** The number of the last batch that was handed over; before the first, the one that it follows. */
  lastSubmitted(): number {
    return Atomics.load(this.#words, submitted);
  }

  /** Worker: the slot of a batch that was handed over. */
  slotOf(batch: number): number {
    return this.#words[orderAt + (batch & (slotsPerSession - 1))]!;
  }

  /** Main thread: whether a slot's batch can still be changed. */
  isOpen(slot: number): boolean {
    return Atomics.load(this.#words, slotAt(slot) + slotRows) >= 0;
  }

  /** Main thread: keeps the worker from a batch of `rows` rows until `reopen`, which must follow at once. False: it has begun. */
  hold(slot: number, rows: number): boolean {
    return this.#change(slot, rows, beingWritten);
  }

  /** Main thread: a batch that was held has these rows now. */
  reopen(slot: number, rows: number): void {
    const at = slotAt(slot) + slotRows;
    Atomics.store(this.#words, at, rows);
    Atomics.notify(this.#words, at);
  }

  /** Main thread: a batch of `rows` rows is not to run. False: it has begun. */
  withdraw(slot: number, rows: number): boolean {
    return this.#change(slot, rows, withdrawn);
  }

  /** Main thread: a batch that was held is not to run. */
  drop(slot: number): void {
    this.reopen(slot, withdrawn);
  }

  #change(slot: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, slotAt(slot) + slotRows, from, to) === from;
  }

  /** Worker: begins a slot's batch. From now on it cannot be changed. Undefined: it was withdrawn. */
  begin(slot: number): BatchCommand | undefined {
    const at = slotAt(slot);
    for (;;) {
      const rows = Atomics.load(this.#words, at + slotRows);
      if (rows === withdrawn) return undefined;
      if (rows === beingWritten) Atomics.wait(this.#words, at + slotRows, beingWritten);
      else if (this.#change(slot, rows, begun)) return this.#command(at, rows);
    }
  }

  #command(at: number, rows: number): BatchCommand {
    return {
      plan: this.#words[at + slotPlan]!,
      rows,
      capacity: this.#words[at + slotCapacity]!,
      buffer: this.#words[at + slotBuffer]!,
    };
  }

  /** Worker: records how long a batch took, before it is marked done or its message is sent. */
  recordTiming(slot: number, inputUs: number, inferUs: number, outputUs: number): void {
    const at = slot * (timingBytes / 8);
    this.#timings[at] = inputUs;
    this.#timings[at + 1] = inferUs;
    this.#timings[at + 2] = outputUs;
  }

  timing(slot: number): BatchTiming {
    const at = slot * (timingBytes / 8);
    return { inputUs: this.#timings[at]!, inferUs: this.#timings[at + 1]!, outputUs: this.#timings[at + 2]! };
  }

  /** Worker: the outputs of a batch are in its buffer; wakes the main thread. */
  finish(batch: number, slot: number): void {
    Atomics.store(this.#words, slotAt(slot) + slotDone, batch);
    Atomics.add(this.#words, finished, 1);
    Atomics.notify(this.#words, finished);
  }

  /** Main thread: whether a batch was marked done. */
  isFinished(batch: number, slot: number): boolean {
    return Atomics.load(this.#words, slotAt(slot) + slotDone) === batch;
  }

  /** Main thread: the count of finished batches; read it before looking at slots, pass it to `finishedAfter`. */
  finishes(): number {
    return Atomics.load(this.#words, finished);
  }

  /** Main thread: ends what waits on `finishedAfter`. A wait that nothing ends would be kept for ever, and this with it. */
  endWaits(): void {
    Atomics.add(this.#words, finished, 1);
    Atomics.notify(this.#words, finished);
  }

  /** Main thread: undefined when a batch finished since `finishes`, else a promise for the next one. */
  finishedAfter(finishes: number): Promise<unknown> | undefined {
    const waiting = Atomics.waitAsync(this.#words, finished, finishes);
    return waiting.async ? waiting.value : undefined;
  }
}
