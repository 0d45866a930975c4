/** Octets of answers that wait for their readers, of all connections of a server. */
export class SharedBacklog {
  readonly limit: number;
  octets = 0;

  constructor(limit: number) {
    this.limit = limit;
  }
}

/** What a message that waits costs beside its octets. */
const overhead = 128;

/** The part of what the others leave that one connection may have: several that read nothing leave room for the next. */
const share = 1 / 4;

/**
 * Octets of messages that wait for the reader of a connection, from when they are given to be sent until the socket is done with
 * the last of them: a message is kept as a whole while any part of it is.
 */
export class Backlog {
  readonly #limit: number;
  readonly #shared: SharedBacklog;
  #octets = 0;
  /** Of messages that were sent as far as they will be, and of which the socket may still have or get octets. */
  #leaving = 0;
  #lent = 0;
  #isLent = false;
  #isOver = false;

  constructor(limit = Infinity, shared = new SharedBacklog(Infinity)) {
    this.#limit = limit;
    this.#shared = shared;
  }

  get octets(): number {
    return this.#octets;
  }

  /** Whether a message may wait too. The limit of the connection is for several: of one alone it says nothing. */
  fits(octets: number): boolean {
    const mine = this.#octets + octets + overhead;
    const { limit, octets: all } = this.#shared;
    return (this.#octets === 0 || mine <= this.#limit) && mine <= share * (limit - all + this.#octets);
  }

  /** A message waits. Whoever must not be refused need not ask before. */
  add(octets: number): void {
    if (this.#isOver) return;
    this.#octets += octets + overhead;
    this.#shared.octets += octets + overhead;
  }

  /** It waits no more, and nothing of it is on its way. */
  remove(octets: number): void {
    if (this.#isOver) return;
    this.#octets -= octets + overhead;
    this.#shared.octets -= octets + overhead;
  }

  /** It waits no more: what was sent of it may still be on its way. @param queued octets that the socket has not got yet */
  leave(octets: number, queued: number): void {
    if (queued > 0) this.#leaving += octets + overhead;
    else if (this.#isLent) this.#lent += octets + overhead;
    else this.remove(octets);
  }

  /** The socket has got all that was sent. */
  lent(): void {
    this.#isLent = true;
    this.#lent = this.#leaving;
    this.#leaving = 0;
  }

  /** The socket is done with it. */
  gone(): void {
    this.#isLent = false;
    if (this.#lent === 0) return;
    this.#octets -= this.#lent;
    this.#shared.octets -= this.#lent;
    this.#lent = 0;
  }

  /** There is no socket any more. */
  clear(): void {
    this.#isOver = true;
    this.#shared.octets -= this.#octets;
    this.#octets = this.#leaving = this.#lent = 0;
  }
}
