/** Requests at once when a run begins. */
const firstLimit = 1;
/** A request that takes so many times the quickest one has waited behind others. */
const waitFactor = 2;
/** And by so many milliseconds more, lest small differences count. */
const waitMs = 5;
/** After so many answers it looks again how quick one request alone is, and forgets what was before. */
const windowAnswers = 200;
/** Answers to one request at a time that this takes: the first ones still stood behind others. */
const lookAnswers = 8;

const backoff = { firstMs: 100, mostMs: 5_000 };

/**
 * How many requests of a batch run are under way, so that it takes what others leave. It grows while answers come as quickly as
 * they can, shrinks as soon as they wait behind other work, and is halved when the platform is full or away.
 */
export class Throttle {
  readonly #most: number;
  #limit = firstLimit;
  #answers = 0;
  #bestMs = Number.POSITIVE_INFINITY;
  /** The limit to go back to, while it looks. */
  #held: number | undefined;
  #refusals = 0;

  /** @param most requests at once, whatever happens */
  constructor(most: number) {
    this.#most = most;
  }

  /** Requests that may be under way now: 1 or more. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** A full request was answered after so many milliseconds. */
  answered(ms: number): void {
    this.#refusals = 0;
    this.#bestMs = Math.min(this.#bestMs, ms);
    this.#answers += 1;
    if (this.#held !== undefined) {
      if (this.#answers < lookAnswers) return;
      this.#limit = this.#held;
      this.#held = undefined;
    }
    const waits = ms > this.#bestMs * waitFactor + waitMs;
    this.#limit = waits ? Math.max(1, this.#limit - 0.5) : Math.min(this.#most, this.#limit + 1 / this.#limit);
    if (this.#answers >= windowAnswers) this.#look();
  }

  #look(): void {
    this.#answers = 0;
    this.#bestMs = Number.POSITIVE_INFINITY;
    this.#held = this.#limit;
    this.#limit = 1;
  }

  /**
   * A request was refused, or nobody was there. Gives how long to wait before the next, in milliseconds.
   *
   * @param askedMs what the other side asked for
   */
  refused(askedMs: number | undefined): number {
    this.#limit = Math.max(1, (this.#held ?? this.#limit) / 2);
    this.#held = undefined;
    const own = Math.min(backoff.mostMs, backoff.firstMs * 2 ** Math.min(this.#refusals, 10));
    this.#refusals += 1;
    return Math.max(own, askedMs ?? 0);
  }
}
