/** Lines of progress that any number of followers read from the beginning, until it ends with a value or an error. */
export class Progress<T> {
  readonly #lines: string[] = [];
  #wake: (() => void)[] = [];
  #end: { readonly value: T } | { readonly error: unknown } | undefined;

  add(line: string): void {
    this.#lines.push(line);
    this.#notify();
  }

  finish(value: T): void {
    this.#end ??= { value };
    this.#notify();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#notify();
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  /** Yields every line, then returns the value or throws the error. Ends early when `signal` is aborted. */
  async *follow(signal?: AbortSignal): AsyncGenerator<string, T, void> {
    for (let next = 0; ;) {
      while (next < this.#lines.length) yield this.#lines[next++]!;
      if (this.#end) {
        if ('error' in this.#end) throw this.#end.error;
        return this.#end.value;
      }
      signal?.throwIfAborted();
      await this.#change(signal);
    }
  }

  async #change(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#wake.push(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
