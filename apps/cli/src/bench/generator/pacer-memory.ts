/**
 * What a load thread and its pacer share. The pacer sleeps in the kernel, to a fraction of a millisecond, which no timer of the event
 * loop does: those are late by up to a millisecond, and that would be measured.
 */
export class PacerMemory {
  readonly shared: SharedArrayBuffer;
  /** [0] counts wakes, [1] counts requests for one; [2] is 1 when the pacer is to end. */
  readonly words: Int32Array;
  /** When to wake, in milliseconds of the machine's monotonic clock. */
  readonly due: Float64Array;

  constructor(shared = new SharedArrayBuffer(32)) {
    this.shared = shared;
    this.words = new Int32Array(shared, 0, 4);
    this.due = new Float64Array(shared, 16, 1);
  }
}

export const wakes = 0;
export const asked = 1;
export const ending = 2;

/** The machine's monotonic clock in milliseconds: the same in every thread, as `performance.now()` is not. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;
