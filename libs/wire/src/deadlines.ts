import type { Clock, Timer } from '@sluice/domain/clock';
import { apart } from './apart.ts';

/** Something that ends at a time. */
export interface Dated {
  /** `Clock.monotonic()` of its end; Infinity for none. */
  readonly deadlineAt: number;
  /** Where it stands in the heap; only `Deadlines` writes it. -1 for nowhere. */
  heapIndex: number;
  /** Its time has come; it is out of the heap already. */
  expire(): void;
}

const longestTimerMs = 2 ** 31 - 1;

/**
 * Deadlines of many calls with one timer. The timer is not moved when a call ends before its time, as nearly all do: it
 * then wakes for nothing and is set to the next one.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #heap: Dated[] = [];
  #timer: Timer | undefined;
  #timerAt = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(item: Dated): void {
    if (item.deadlineAt === Infinity) return;
    this.#heap.push(item);
    this.#up(item, this.#heap.length - 1);
    if (item.deadlineAt < this.#timerAt) this.#wakeAt(item.deadlineAt);
  }

  /** Nothing happens when it is not there. */
  remove(item: Dated): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#up(last, index);
    this.#down(last, last.heapIndex);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timerAt = Infinity;
    for (const item of this.#heap.splice(0)) item.heapIndex = -1;
  }

  #wakeAt(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    const ms = Math.max(0, Math.ceil(at - this.#clock.monotonic()));
    // What is further away than a timer can be is looked at again then.
    this.#timer = this.#clock.schedule(Math.min(ms, longestTimerMs), () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    const now = this.#clock.monotonic();
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.deadlineAt > now) {
        this.#wakeAt(Math.min(first.deadlineAt, this.#timerAt));
        return;
      }
      this.remove(first);
      apart(() => first.expire());
    }
  }

  #put(item: Dated, index: number): void {
    this.#heap[index] = item;
    item.heapIndex = index;
  }

  #up(item: Dated, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = this.#heap[(index - 1) >> 1]!;
      if (parent.deadlineAt <= item.deadlineAt) break;
      this.#put(parent, index);
      index = (index - 1) >> 1;
    }
    this.#put(item, index);
  }

  #down(item: Dated, from: number): void {
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.#heap.length) break;
      const right = this.#heap[child + 1];
      if (right !== undefined && right.deadlineAt < this.#heap[child]!.deadlineAt) child++;
      if (item.deadlineAt <= this.#heap[child]!.deadlineAt) break;
      this.#put(this.#heap[child]!, index);
      index = child;
    }
    this.#put(item, index);
  }
}
