/** A bag of sizes that knows its largest one, without an entry for each: by powers of two. */
export class Sizes {
  readonly #counts = new Int32Array(32);
  /** Of each power of two that has some, the largest since it had none. */
  readonly #largest = new Float64Array(32);
  /** A bit for each power of two that has some. */
  #present = 0;

  /** No size is larger: the largest one, or another of the same power of two that was there a moment ago. 0 without any. */
  get largest(): number {
    return this.#present === 0 ? 0 : this.#largest[31 - Math.clz32(this.#present)]!;
  }

  /** @param size a whole number from 1 to 2^31 - 1 */
  add(size: number): void {
    const power = 31 - Math.clz32(size);
    this.#counts[power]! += 1;
    this.#present |= 1 << power;
    if (size > this.#largest[power]!) this.#largest[power] = size;
  }

  /** @param size one that was added */
  remove(size: number): void {
    const power = 31 - Math.clz32(size);
    this.#counts[power]! -= 1;
    if (this.#counts[power]! > 0) return;
    this.#present &= ~(1 << power);
    this.#largest[power] = 0;
  }
}
