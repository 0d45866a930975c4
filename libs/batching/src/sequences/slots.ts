import type { Sequence, Step } from './sequence.ts';

/** The slots of one instance, and which of its sequences could run now. */
export class InstanceSlots<Request> {
  /** It has no batch. */
  idle = true;
  /** Sequences of its slots that have a request which waits: while it is idle they have none that runs. */
  readonly ready = new Set<Sequence<Request>>();
  /** Slots without a sequence, the lowest last. */
  readonly #free: number[];

  constructor(instance: number, slots: number) {
    this.#free = Array.from({ length: slots }, (_, index) => (instance + 1) * slots - 1 - index);
  }

  get free(): number {
    return this.#free.length;
  }

  take(): number {
    return this.#free.pop()!;
  }

  give(slot: number): void {
    this.#free.push(slot);
  }

  /** When the first of those that could run has waited long enough for company; `Infinity` for none. */
  get dueAtMs(): number {
    let due = Infinity;
    for (const { waiting } of this.ready) due = Math.min(due, waiting[0]!.dueAtMs);
    return due;
  }

  /** The request that came first of those that could run. */
  oldest(): Step<Request> | undefined {
    let oldest: Step<Request> | undefined;
    for (const { waiting } of this.ready) if (!oldest || waiting[0]!.order < oldest.order) oldest = waiting[0]!;
    return oldest;
  }
}

/** Slots of all instances. */
export class Slots<Request> {
  readonly instances: readonly InstanceSlots<Request>[];
  readonly #perInstance: number;

  constructor(instances: number, perInstance: number) {
    this.#perInstance = perInstance;
    this.instances = Array.from({ length: instances }, (_, index) => new InstanceSlots<Request>(index, perInstance));
  }

  get count(): number {
    return this.instances.length * this.#perInstance;
  }

  get free(): number {
    return this.instances.reduce((sum, { free }) => sum + free, 0);
  }

  /** Gives the sequence a slot of the instance that has the most free ones; false when there is none. */
  place(sequence: Sequence<Request>): boolean {
    let best = this.instances[0]!;
    for (const instance of this.instances) if (instance.free > best.free) best = instance;
    if (best.free === 0) return false;
    sequence.slot = best.take();
    this.noteReady(sequence);
    return true;
  }

  release(sequence: Sequence<Request>): void {
    const instance = this.#instanceOf(sequence);
    instance.ready.delete(sequence);
    instance.give(sequence.slot);
    sequence.slot = -1;
  }

  /** Notes whether the sequence has a request to run. */
  noteReady(sequence: Sequence<Request>): void {
    if (sequence.slot < 0) return;
    const { ready } = this.#instanceOf(sequence);
    if (sequence.waiting.length > 0) ready.add(sequence);
    else ready.delete(sequence);
  }

  #instanceOf({ slot }: Sequence<Request>): InstanceSlots<Request> {
    return this.instances[Math.floor(slot / this.#perInstance)]!;
  }
}
