/** Bytes that may be held at once. Whoever wants more waits for its turn; alone, something larger than all of it may be held too. */
export class ByteBudget {
  readonly #limit: number;
  #held = 0;
  #waiting: { readonly size: number; readonly go: () => void }[] = [];

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** Resolves when `size` bytes are held; give them back afterwards. */
  async take(size: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(size)) {
      this.#held += size;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#waiting.push({ size, go: () => resolve(undefined) });
    await promise;
  }

  give(size: number): void {
    this.#held -= size;
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0]!.size)) {
      const next = this.#waiting.shift()!;
      this.#held += next.size;
      next.go();
    }
  }

  #fits(size: number): boolean {
    return this.#held === 0 || this.#held + size <= this.#limit;
  }
}
