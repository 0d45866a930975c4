/** Holds answers back until those of earlier requests under the same key are there. Requests without a key are not its. */
export class OrderedAnswers<Request> {
  /** By key, requests whose answers have not left, in their order. */
  readonly #byKey = new Map<string, Request[]>();
  readonly #keys = new Map<Request, string>();
  readonly #held = new Map<Request, Uint8Array>();
  /** Bytes that are held. */
  bytes = 0;

  /** The request's answer leaves after those of all that were added under this key before. Its first key counts. */
  add(request: Request, key: string): void {
    if (this.#keys.has(request)) return;
    this.#keys.set(request, key);
    const others = this.#byKey.get(key);
    if (others) others.push(request);
    else this.#byKey.set(key, [request]);
  }

  /** @returns what can leave now that this request is answered, in its order: the answer itself, if no other must go first */
  answered(request: Request, message: Uint8Array): readonly (readonly [Request, Uint8Array])[] {
    const key = this.#keys.get(request);
    if (key === undefined) return [[request, message]];
    this.#held.set(request, message);
    this.bytes += message.byteLength;
    const line = this.#byKey.get(key)!;
    const leaving: (readonly [Request, Uint8Array])[] = [];
    for (let held = this.#held.get(line[0]!); held; held = line[0] && this.#held.get(line[0])) {
      const first = line.shift()!;
      this.#held.delete(first);
      this.#keys.delete(first);
      this.bytes -= held.byteLength;
      leaving.push([first, held]);
    }
    if (line.length === 0) this.#byKey.delete(key);
    return leaving;
  }
}
