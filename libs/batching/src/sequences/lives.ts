import type { SequenceKey, SequenceRequest } from './contract.ts';
import { isLast, takeOrphans, Sequence, type Step } from './sequence.ts';
import type { Slots } from './slots.ts';

/**
 * Which sequences there are, and who has a slot, waits for one, or is idle: what becomes of a sequence when a request of it
 * comes, ends or leaves. Answers nobody; who cannot run any more is given back.
 */
export class Lives<Request extends SequenceRequest<never>> {
  readonly #slots: Slots<Request>;
  readonly #idleMs: number;
  readonly #byKey = new Map<SequenceKey, Sequence<Request>>();
  /** Without a slot, in the order in which they get one. */
  readonly #backlog = new Set<Sequence<Request>>();
  /** Without a request, those first that are over first: all have the same time. */
  readonly #idle = new Set<Sequence<Request>>();
  /** Nobody is idle: who has no request is over. */
  #endIdle = false;
  idledOut = 0;

  constructor(slots: Slots<Request>, idleMs: number) {
    this.#slots = slots;
    this.#idleMs = idleMs;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get backlog(): number {
    return this.#backlog.size;
  }

  get nextIdleAtMs(): number {
    for (const { idleAtMs } of this.#idle) return idleAtMs;
    return Infinity;
  }

  all(): Iterable<Sequence<Request>> {
    return this.#byKey.values();
  }

  /** Whether a request that starts none could follow. */
  has(key: SequenceKey, nowMs: number): boolean {
    const sequence = this.#byKey.get(key);
    if (!sequence || sequence.idleAtMs <= nowMs) return false;
    return !sequence.last || !isLast(sequence.last);
  }

  /** The sequence that a request goes to; a new one where there is none. */
  of(key: SequenceKey): Sequence<Request> {
    const known = this.#byKey.get(key);
    if (known) return known;
    const made = new Sequence<Request>(key);
    this.#byKey.set(key, made);
    this.#backlog.add(made);
    return made;
  }

  /** A request came. */
  add(step: Step<Request>): void {
    const { sequence } = step;
    this.#idle.delete(sequence);
    sequence.idleAtMs = Infinity;
    sequence.waiting.push(step);
    this.#slots.noteReady(sequence);
  }

  /** Gives slots to those that wait for one. */
  place(): void {
    for (const sequence of this.#backlog) {
      if (!this.#slots.place(sequence)) return;
      this.#backlog.delete(sequence);
    }
  }

  /** A request runs. */
  begin(step: Step<Request>): void {
    step.sequence.running = step;
    step.sequence.waiting.shift();
    this.#slots.noteReady(step.sequence);
  }

  /**
   * A request that ran is over.
   * @param counted it is a step of its sequence: false when it failed
   * @returns those that cannot run without what is gone
   */
  ended(step: Step<Request>, counted: boolean, nowMs: number): readonly Step<Request>[] {
    const { sequence, request } = step;
    sequence.running = undefined;
    const over = step.closes || (counted ? request.end : request.start);
    return over ? this.#over(sequence) : this.#goOn(sequence, nowMs);
  }

  /** As `ended`, for a request that leaves before it runs. */
  left(step: Step<Request>, nowMs: number): readonly Step<Request>[] {
    const { sequence, request } = step;
    const at = sequence.waiting.indexOf(step);
    sequence.waiting.splice(at, 1);
    if (!request.start) {
      // Its end by a start that left holds for the one before it.
      if (step.closes) return this.#closeBefore(sequence, at);
      return this.#goOn(sequence, nowMs);
    }
    const orphans = takeOrphans(sequence, at);
    return [...orphans, ...this.#closeBefore(sequence, at)];
  }

  /** What came before row `at` is the last of its sequence. */
  #closeBefore(sequence: Sequence<Request>, at: number): readonly Step<Request>[] {
    const before = sequence.waiting[at - 1] ?? sequence.running;
    if (!before) return this.#over(sequence);
    before.closes = true;
    this.#slots.noteReady(sequence);
    return [];
  }

  /** Ends a sequence after the requests that it has. */
  end(key: SequenceKey): void {
    const sequence = this.#byKey.get(key);
    if (!sequence) return;
    if (sequence.last) sequence.last.closes = true;
    else this.#over(sequence);
  }

  /** Ends those that have been idle for long enough. */
  idleOut(nowMs: number): void {
    for (const sequence of this.#idle) {
      if (sequence.idleAtMs > nowMs) return;
      this.idledOut += 1;
      this.#over(sequence);
    }
  }

  endIdle(): void {
    this.#endIdle = true;
    for (const sequence of this.#idle) this.#over(sequence);
  }

  #goOn(sequence: Sequence<Request>, nowMs: number): readonly Step<Request>[] {
    this.#slots.noteReady(sequence);
    if (sequence.last) return [];
    if (this.#endIdle) return this.#over(sequence);
    sequence.idleAtMs = nowMs + this.#idleMs;
    this.#idle.add(sequence);
    return [];
  }

  /** What its requests from now on begin with is a start; without any, it is gone. */
  #over(sequence: Sequence<Request>): readonly Step<Request>[] {
    const orphans = takeOrphans(sequence, 0);
    this.#idle.delete(sequence);
    const starts = sequence.waiting.length > 0;
    // Another sequence under the same key waits for its slot like all others.
    if (sequence.slot >= 0 && !(starts && this.#backlog.size === 0)) this.#slots.release(sequence);
    else this.#slots.noteReady(sequence);
    if (!starts) {
      this.#byKey.delete(sequence.key);
      this.#backlog.delete(sequence);
    } else if (sequence.slot < 0) this.#backlog.add(sequence);
    return orphans;
  }
}
