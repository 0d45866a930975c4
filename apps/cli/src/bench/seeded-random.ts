/** Numbers in [0, 1) that a seed repeats, on every machine. Not for secrets. */
export class SeededRandom {
  #state: number;

  /** @param seed any whole number; its low 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next number, with 53 random bits. */
  uniform(): number {
    return ((this.#bits() >>> 5) * 0x400_0000 + (this.#bits() >>> 6)) / 2 ** 53;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** 32 bits: a counter through a mixer of MurmurHash3's kind, so that near seeds share nothing. */
  #bits(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0_aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}
