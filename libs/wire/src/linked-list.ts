/** An item's place in a list. Whoever added the item keeps it, to take it out again. */
export interface ListEntry<Item> {
  readonly item: Item;
  /** Only the list writes these. */
  list: LinkedList<Item> | undefined;
  older: ListEntry<Item> | undefined;
  newer: ListEntry<Item> | undefined;
}

/**
 * Items in the order in which they were added, for what comes and goes with every request: adding and removing take the
 * same short time however many there are.
 *
 * It takes the place of a Set, which keeps all garbage of a busy process alive. Whenever a Set or Map of V8 has taken as many
 * entries as its table has room for, it moves to a new table; the old one keeps its entries and points to the new one.
 * Once a major collection has met one of them, that dead table is old: minor collections take it for alive, and with it
 * every later table, and every request that was in one of them (docs/performance.md has what that costs). A removed entry
 * of this list points to nothing but its item.
 */
export class LinkedList<Item> {
  #size = 0;
  #first: ListEntry<Item> | undefined;
  #last: ListEntry<Item> | undefined;

  get size(): number {
    return this.#size;
  }
  /** The one that was added first. */
  get first(): Item | undefined {
    return this.#first?.item;
  }

  add(item: Item): ListEntry<Item> {
    const entry: ListEntry<Item> = { item, list: this, older: this.#last, newer: undefined };
    if (this.#last === undefined) this.#first = entry;
    else this.#last.newer = entry;
    this.#last = entry;
    this.#size++;
    return entry;
  }

  /** @returns false when it is not in this list, or not any more */
  remove(entry: ListEntry<Item> | undefined): boolean {
    if (entry?.list !== this) return false;
    const { older, newer } = entry;
    if (older === undefined) this.#first = newer;
    else older.newer = newer;
    if (newer === undefined) this.#last = older;
    else newer.older = older;
    entry.list = undefined;
    entry.older = undefined;
    entry.newer = undefined;
    this.#size--;
    return true;
  }

  clear(): void {
    while (this.#first !== undefined) this.remove(this.#first);
  }

  /** The oldest first. Nothing may be removed meanwhile but the item at hand. */
  *[Symbol.iterator](): Iterator<Item> {
    for (let entry = this.#first; entry !== undefined;) {
      const { newer } = entry;
      yield entry.item;
      entry = newer;
    }
  }
}
