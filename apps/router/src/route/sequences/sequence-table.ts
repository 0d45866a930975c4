/** What the table keeps. */
export interface Kept {
  readonly key: string;
  /** Whether there is anything to remember once nothing of it is under way. */
  readonly isWorthKeeping: boolean;
}

/**
 * The sequences that this router knows, by key. Those with requests under way stay, and requests are bounded elsewhere. Of
 * the others as many stay as the bound leaves room for, the most recently used ones: what is forgotten can be asked for.
 */
export class SequenceTable<Entry extends Kept> {
  readonly #bound: number;
  readonly #busy = new Map<string, Entry>();
  /** The least recently used first. */
  readonly #idle = new Map<string, Entry>();

  /** @param bound entries that are kept, unless more are busy; at least 1 */
  constructor(bound: number) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#busy.size + this.#idle.size;
  }

  *[Symbol.iterator](): IterableIterator<Entry> {
    yield* this.#busy.values();
    yield* this.#idle.values();
  }

  has(key: string): boolean {
    return this.#idle.has(key) || this.#busy.has(key);
  }

  /** The entry of a key; it is busy until `rest`. */
  take(key: string): Entry | undefined {
    const entry = this.#idle.get(key);
    if (entry === undefined) return this.#busy.get(key);
    this.#idle.delete(key);
    this.#busy.set(key, entry);
    return entry;
  }

  /** Takes a new entry in; it is busy until `rest`. */
  add(entry: Entry): void {
    this.#busy.set(entry.key, entry);
    this.#shrink();
  }

  /** Nothing of the entry is under way any more. */
  rest(entry: Entry): void {
    this.#busy.delete(entry.key);
    if (entry.isWorthKeeping) this.#idle.set(entry.key, entry);
    this.#shrink();
  }

  #shrink(): void {
    while (this.size > this.#bound) {
      const oldest = this.#idle.keys().next();
      if (oldest.done) return;
      this.#idle.delete(oldest.value);
    }
  }
}
