/**
 * The words that the main thread and a session worker share. The main thread describes a batch in a slot, then rings;
 * the worker runs slots in the order of their numbers and marks them done. Everything rare (loading, plans, buffers,
 * results whose size is not known before the run, failures) goes through a message port beside it.
 */

/** Batches that a worker holds at once: one runs while the next is already in place. */
export const slotsPerWorker = 2;

const headWords = 16;
const slotWords = 16;
const timingBytes = 32;
const timingsAt = 4 * (headWords + slotsPerWorker * slotWords);

const ring = 0;
const submitted = 1;
const finished = 2;
/** From here: which slot each of the last batches is in. A batch that gets a new entry has long been read. */
const orderAt = 8;

const slotPlan = 0;
const slotRows = 1;
const slotCapacity = 2;
const slotBuffer = 3;
const slotDone = 4;

export const controlBlockBytes = timingsAt + slotsPerWorker * timingBytes;

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

/** Both sides' view of the shared words. Numbers of batches count from 1. */
export class ControlBlock {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #timings: Float64Array;

  constructor(memory = new SharedArrayBuffer(controlBlockBytes)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#timings = new Float64Array(memory, timingsAt, (slotsPerWorker * timingBytes) / 8);
  }

  /** Main thread: hands a batch over in a slot that is free, and wakes the worker. */
  submit(batch: number, slot: number, command: BatchCommand): void {
    const at = slotAt(slot);
    this.#words[orderAt + (batch % slotsPerWorker)] = slot;
    this.#words[at + slotPlan] = command.plan;
    this.#words[at + slotRows] = command.rows;
    this.#words[at + slotCapacity] = command.capacity;
    this.#words[at + slotBuffer] = command.buffer;
    Atomics.store(this.#words, submitted, batch);
    this.ring();
  }

  /** Main thread: wakes the worker, which looks at its port and at its slots. */
  ring(): void {
    Atomics.add(this.#words, ring, 1);
    Atomics.notify(this.#words, ring, 1);
  }

  /** Worker: the doorbell's count; read it before looking for work, pass it to `sleep`. */
  rings(): number {
    return Atomics.load(this.#words, ring);
  }

  /** Worker: blocks until somebody rang since `rings`. */
  sleep(rings: number): void {
    Atomics.wait(this.#words, ring, rings);
  }

  /** Worker: the number of the last batch that was handed over. */
  lastSubmitted(): number {
    return Atomics.load(this.#words, submitted);
  }

  /** Worker: the slot of a batch that was handed over. */
  slotOf(batch: number): number {
    return this.#words[orderAt + (batch % slotsPerWorker)]!;
  }

  /** Worker: what is to be done in a slot. */
  command(slot: number): BatchCommand {
    const at = slotAt(slot);
    return {
      plan: this.#words[at + slotPlan]!,
      rows: this.#words[at + slotRows]!,
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

  /** Main thread: undefined when a batch finished since `finishes`, else a promise for the next one. */
  finishedAfter(finishes: number): Promise<unknown> | undefined {
    const waiting = Atomics.waitAsync(this.#words, finished, finishes);
    return waiting.async ? waiting.value : undefined;
  }
}
