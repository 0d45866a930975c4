import { fieldOverhead } from './header-block.ts';

/** The dynamic table of a decoder (RFC 7541, section 2.3.2): the newest field has index 0 here. */
export class DynamicTable {
  #names: string[] = [];
  #values: string[] = [];
  /** Where the oldest is in the rings. */
  #oldest = 0;
  #count = 0;
  #size = 0;
  #maxSize: number;
  /** Rises with every change: blocks that were decoded under the same number mean the same. */
  generation = 0;

  /** @param maxSize octets, as section 4.1 counts them */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get count(): number {
    return this.#count;
  }
  get size(): number {
    return this.#size;
  }

  /** @param index less than `count` */
  name(index: number): string {
    return this.#names[this.#place(index)]!;
  }

  value(index: number): string {
    return this.#values[this.#place(index)]!;
  }

  /** Adds a field; one that is larger than the whole table leaves it empty (section 4.4). */
  add(name: string, value: string): void {
    this.generation++;
    const size = name.length + value.length + fieldOverhead;
    this.#shrink(this.#maxSize - size);
    if (size > this.#maxSize) return;
    if (this.#count === this.#names.length) this.#grow();
    const place = (this.#oldest + this.#count) % this.#names.length;
    this.#names[place] = name;
    this.#values[place] = value;
    this.#count++;
    this.#size += size;
  }

  /** Names and values, the newest first. */
  entries(): [name: string, value: string][] {
    return Array.from({ length: this.#count }, (_, index) => [this.name(index), this.value(index)]);
  }

  resize(maxSize: number): void {
    this.generation++;
    this.#maxSize = maxSize;
    this.#shrink(maxSize);
  }

  #place(index: number): number {
    return (this.#oldest + this.#count - 1 - index) % this.#names.length;
  }

  /** Takes out the oldest until what is left fits. */
  #shrink(room: number): void {
    while (this.#count > 0 && this.#size > room) {
      const place = this.#oldest;
      this.#size -= this.#names[place]!.length + this.#values[place]!.length + fieldOverhead;
      this.#names[place] = '';
      this.#values[place] = '';
      this.#oldest = (place + 1) % this.#names.length;
      this.#count--;
    }
  }

  #grow(): void {
    const names = new Array<string>(Math.max(8, 2 * this.#count)).fill('');
    const values = [...names];
    for (let index = 0; index < this.#count; index++) {
      names[this.#count - 1 - index] = this.name(index);
      values[this.#count - 1 - index] = this.value(index);
    }
    this.#names = names;
    this.#values = values;
    this.#oldest = 0;
  }
}
