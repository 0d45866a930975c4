/** Where an item stands in its heap: -1 for nowhere. Kept on the item, so that it can be found again in no time. */
export interface HeapPlace<T> {
  get(item: T): number;
  set(item: T, index: number): void;
}

/** A binary heap with the first item on top, from which any item can be taken out. An item is in it at most once. */
export class IndexedHeap<T> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;
  readonly #place: HeapPlace<T>;

  /** @param before whether `a` must come out before `b` */
  constructor(before: (a: T, b: T) => boolean, place: HeapPlace<T>) {
    this.#before = before;
    this.#place = place;
  }

  get size(): number {
    return this.#items.length;
  }

  /** All items, the first one first and the others in no order. */
  get items(): readonly T[] {
    return this.#items;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#place.get(item) >= 0;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#up(item, this.#items.length - 1);
  }

  /** Finds the item's new place after what it is compared by has changed. */
  moved(item: T): void {
    this.#up(item, this.#place.get(item));
    this.#down(item, this.#place.get(item));
  }

  /** Does nothing when the item is not in the heap. */
  remove(item: T): void {
    const index = this.#place.get(item);
    if (index < 0) return;
    const last = this.#items.pop()!;
    this.#place.set(item, -1);
    if (last === item) return;
    this.#put(last, index);
    this.moved(last);
  }

  #put(item: T, index: number): void {
    this.#items[index] = item;
    this.#place.set(item, index);
  }

  #up(item: T, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex]!;
      if (!this.#before(item, parent)) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(item, index);
  }

  #down(item: T, from: number): void {
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= this.#items.length) break;
      const right = this.#items[childIndex + 1];
      if (right !== undefined && this.#before(right, this.#items[childIndex]!)) childIndex++;
      const child = this.#items[childIndex]!;
      if (!this.#before(child, item)) break;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(item, index);
  }
}
