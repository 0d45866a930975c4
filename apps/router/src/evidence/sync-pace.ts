/** Part of the usual time of a sync that a block waits for more records, at most. */
const waitShare = 1 / 2;
/** Timers are not finer: who would wait for less does not wait. */
const leastWaitMs = 1;
/** After a disk that hung for seconds nobody waits for seconds. */
const mostWaitMs = 25;
/** Weight of what was measured last. */
const newest = 1 / 8;

/**
 * Says how long a block of durable records waits for others before it is written. Requests that were answered by one sync come back as a wave; where
 * their records come while the next sync is under way already, each of them waits for two. So where a sync takes longer than an answer, a block waits
 * for those that are expected: of requests that are under way since the last block but one at the earliest, for older ones are of a slow model.
 */
export class SyncPace {
  #syncMs = 0;
  #answerMs = 0;
  #generation = 0;
  /** Requests that are under way, by the generation of their start: this one's, and that of the one before. */
  #young = 0;
  #older = 0;

  /** A request begins whose answer will wait for its record. @returns its generation, for `left` */
  began(): number {
    this.#young++;
    return this.#generation;
  }

  /** The record of such a request is there, or none comes. */
  left(generation: number): void {
    if (generation === this.#generation) this.#young--;
    else if (generation === this.#generation - 1) this.#older--;
  }

  /** @param ms that a request took until its answer was there */
  answered(ms: number): void {
    this.#answerMs = usual(this.#answerMs, ms);
  }

  /** A block is handed over. */
  written(): void {
    this.#generation++;
    this.#older = this.#young;
    this.#young = 0;
  }

  /** @param ms from the handing over of a block until it was on disk */
  synced(ms: number): void {
    this.#syncMs = usual(this.#syncMs, ms);
  }

  /** Whether records are expected of requests that have begun lately. */
  get isExpecting(): boolean {
    return this.#young + this.#older > 0;
  }

  /** Milliseconds that a block waits at most for those that are expected; 0 where it is better written at once. */
  get waitMs(): number {
    if (!this.isExpecting || this.#syncMs <= this.#answerMs) return 0;
    const ms = Math.min(this.#syncMs * waitShare, mostWaitMs);
    return ms < leastWaitMs ? 0 : ms;
  }
}

/** A mean in which what is old counts less and less. */
const usual = (before: number, ms: number): number => (before === 0 ? ms : before + (ms - before) * newest);
