/**
 * The addresses of a service's replicas, one of which is used at a time. Clients that share such a list turn to the next
 * one together, and what one of them learns of a replica ends the streams that the others have there.
 */
export class Replicas {
  readonly addresses: readonly string[];
  #current = 0;
  /** What to call when the replica at an address does not answer. */
  readonly #watchers = new Map<string, Set<() => void>>();

  constructor(addresses: readonly string[]) {
    if (addresses.length === 0) throw new RangeError('a client needs at least one address');
    this.addresses = addresses;
  }

  get count(): number {
    return this.addresses.length;
  }

  /** The one to use now. */
  get address(): string {
    return this.addresses[this.#current]!;
  }

  /** After a failure of the connection to `address`: the next call goes to the next one. */
  turnFrom(address: string): void {
    if (this.address === address) this.#current = (this.#current + 1) % this.count;
  }

  /**
   * A call to `address` was not answered in its time: a process that hangs keeps its connections, so no error will tell.
   * Streams there end, if there is another replica for them.
   */
  silent(address: string): void {
    if (this.count === 1) return;
    this.turnFrom(address);
    for (const tell of this.#watchers.get(address) ?? []) tell();
  }

  /** Calls `tell` when the replica at `address` is found to be silent. @returns how to stop that */
  whenSilent(address: string, tell: () => void): () => void {
    const watchers = this.#watchers.get(address) ?? new Set();
    this.#watchers.set(address, watchers.add(tell));
    return () => watchers.delete(tell);
  }
}
