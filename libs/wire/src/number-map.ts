/** At the start; a power of two. */
const leastSlots = 64;

/**
 * A map from unsigned 32-bit numbers, for what comes and goes with every request: see `LinkedList` for why this is no Map.
 * Open addressing with linear probing; what follows a removed entry moves up, so that no marks are left behind.
 */
export class NumberMap<Value extends object> {
  #keys = new Uint32Array(leastSlots);
  /** `undefined` in an empty slot. */
  #values = emptySlots<Value>(leastSlots);
  #mask = leastSlots - 1;
  #shift = 32 - Math.log2(leastSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): Value | undefined {
    return this.#values[this.#find(key)];
  }

  has(key: number): boolean {
    return this.#values[this.#find(key)] !== undefined;
  }

  set(key: number, value: Value): void {
    let slot = this.#find(key);
    if (this.#values[slot] === undefined) {
      // Half full at most: probes stay short.
      if (2 * (this.#size + 1) > this.#keys.length) {
        this.#grow();
        slot = this.#find(key);
      }
      this.#keys[slot] = key;
      this.#size++;
    }
    this.#values[slot] = value;
  }

  /** @returns whether it was there */
  delete(key: number): boolean {
    let hole = this.#find(key);
    if (this.#values[hole] === undefined) return false;
    for (let slot = (hole + 1) & this.#mask; this.#values[slot] !== undefined; slot = (slot + 1) & this.#mask) {
      const home = this.#home(this.#keys[slot]!);
      // It may move up unless its own place lies behind the hole.
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#keys[hole] = this.#keys[slot]!;
      this.#values[hole] = this.#values[slot];
      hole = slot;
    }
    this.#values[hole] = undefined;
    this.#size--;
    return true;
  }

  clear(): void {
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /** Of those that are there now, in the order of their keys: `fn` may remove any. */
  forEach(fn: (value: Value) => void): void {
    for (const value of this.values()) fn(value);
  }

  /** A copy, in the order of their keys. */
  values(): Value[] {
    const keys = this.#keys.filter((_, slot) => this.#values[slot] !== undefined).sort();
    return Array.from(keys, (key) => this.get(key)!);
  }

  /** The slot of a key, or the empty one where it would be. */
  #find(key: number): number {
    let slot = this.#home(key);
    while (this.#values[slot] !== undefined && this.#keys[slot] !== key) slot = (slot + 1) & this.#mask;
    return slot;
  }

  /** Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): keys in a row, or every other one, are spread evenly. */
  #home(key: number): number {
    return Math.imul(key, 0x9e3779b1) >>> this.#shift;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    const slots = keys.length * 2;
    this.#keys = new Uint32Array(slots);
    this.#values = emptySlots(slots);
    this.#mask = slots - 1;
    this.#shift--;
    for (let slot = 0; slot < keys.length; slot++) {
      const value = values[slot];
      if (value === undefined) continue;
      const to = this.#find(keys[slot]!);
      this.#keys[to] = keys[slot]!;
      this.#values[to] = value;
    }
    // The old one may be old for the collector, and would keep what it points to.
    values.fill(undefined);
  }
}

function emptySlots<Value>(count: number): (Value | undefined)[] {
  return new Array<Value | undefined>(count).fill(undefined);
}
