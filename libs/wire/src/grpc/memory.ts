/** A bound on octets that are held, within a larger one that others share. */
export class Memory {
  readonly #limit: number;
  readonly #parent: Memory | undefined;
  #used = 0;

  constructor(limit: number, parent?: Memory) {
    this.#limit = limit;
    this.#parent = parent;
  }

  get used(): number {
    return this.#used;
  }

  /** @returns false when there is no room, and nothing is taken */
  take(octets: number): boolean {
    if (this.#used + octets > this.#limit || this.#parent?.take(octets) === false) return false;
    this.#used += octets;
    return true;
  }

  give(octets: number): void {
    this.#used -= octets;
    this.#parent?.give(octets);
  }
}
