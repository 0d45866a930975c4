/** A bound on octets that are held, within a larger one that others share. */
export class Memory {
  readonly #limit: number;
  readonly #parent: Memory | undefined;
  #used = 0;
  #announced = 0;

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

  /**
   * So many octets are on their way. They take memory only as they come, so that of lengths alone there may be as many again
   * as of octets, and none of what others share.
   * @returns false when there are too many
   */
  announce(octets: number): boolean {
    if (this.#announced + octets > this.#limit) return false;
    this.#announced += octets;
    return true;
  }

  /** They have come, or never will. */
  retract(octets: number): void {
    this.#announced -= octets;
  }

  give(octets: number): void {
    this.#used -= octets;
    this.#parent?.give(octets);
  }
}
