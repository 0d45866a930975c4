/** PEM texts: a certificate with its chain, its key, and authorities. */
export interface TlsMaterial {
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
  readonly ca?: Buffer | undefined;
}

/** PEM texts that change under those who use them. */
export class TlsSource {
  #current: TlsMaterial;
  readonly #listeners = new Set<() => void>();

  constructor(current: TlsMaterial) {
    this.#current = current;
  }

  get current(): TlsMaterial {
    return this.#current;
  }

  /** @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  change(current: TlsMaterial): void {
    this.#current = current;
    for (const listener of this.#listeners) listener();
  }
}
