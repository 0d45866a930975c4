import type { SeededRandom } from '../seeded-random.ts';

/** How stateful models are driven. */
export interface SequenceSettings {
  /** Requests of a sequence, its first and last included. */
  readonly length: number;
  /** How far lengths are spread at random, in percent of the length to both sides. */
  readonly variationPercent: number;
  /** Id of the first sequence; those after it count up. */
  readonly firstId: number;
  /** Sequences that are alive at once in an open loop; a closed loop has one for each request in flight. */
  readonly alive: number;
}

/** What a request of a sequence says of itself. */
export interface Step {
  readonly id: number;
  readonly start: boolean;
  readonly end: boolean;
}

/** Hands out ids and lengths. @param every distance between two ids of this thread, so that threads never share one */
export class SequenceBook {
  readonly #settings: SequenceSettings;
  readonly #random: SeededRandom;
  readonly #every: number;
  #nextId: number;

  constructor(settings: SequenceSettings, random: SeededRandom, index = 0, every = 1) {
    this.#settings = settings;
    this.#random = random;
    this.#every = every;
    this.#nextId = settings.firstId + index;
  }

  id(): number {
    const id = this.#nextId;
    this.#nextId += this.#every;
    return id;
  }

  length(): number {
    const { length, variationPercent } = this.#settings;
    const spread = Math.round((length * variationPercent) / 100);
    return Math.max(1, length - spread + this.#random.below(2 * spread + 1));
  }
}

/** A row of sequences, one after the other. */
export class Sequence {
  readonly #book: SequenceBook;
  #id = 0;
  #left = 0;
  #isOpen = false;

  constructor(book: SequenceBook) {
    this.#book = book;
  }

  /** The next request: of the sequence under way, or the first of a new one. */
  next(): Step {
    const start = !this.#isOpen;
    if (start) [this.#id, this.#left] = [this.#book.id(), this.#book.length()];
    this.#left -= 1;
    this.#isOpen = this.#left > 0;
    return { id: this.#id, start, end: !this.#isOpen };
  }

  /** A request of sequence `id` failed: what follows begins anew. */
  lost(id: number): void {
    if (id === this.#id) this.#isOpen = false;
  }

  /** What ends the sequence under way; undefined when there is none. */
  finish(): Step | undefined {
    if (!this.#isOpen) return undefined;
    this.#isOpen = false;
    return { id: this.#id, start: false, end: true };
  }
}
