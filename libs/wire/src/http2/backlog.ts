/** Octets that wait for their readers, of all connections of a server: answers, and whatever else is queued for a socket. */
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
 * Octets that wait for the reader of a connection. Of messages they count from when they are given to be sent until the socket is done with
 * the last of them: a message is kept as a whole while any part of it is. Trailers that wait behind one are as a message. Of everything else, and
 * of messages that go out at once, what is queued for the socket counts, or is with it.
 */
export class Backlog {
  readonly #limit: number;
  readonly #shared: SharedBacklog;
  #octets = 0;
  #queued = 0;
  /** Of messages that were sent as far as they will be, and of which the socket may still have or get octets. */
  #leaving = 0;
  #lent = 0;
  #isLent = false;
  #isOver = false;

  constructor(limit = Infinity, shared = new SharedBacklog(Infinity)) {
    this.#limit = limit;
    this.#shared = shared;
  }

  /** Of messages. */
  get octets(): number {
    return this.#octets;
  }

  /** What may wait of this connection by what the others leave. */
  get room(): number {
    const { limit, octets } = this.#shared;
    return share * (limit - octets + this.#octets + this.#queued);
  }

  /** Whether a message may wait too. The limit of the connection is for several: of one alone it says nothing. */
  fits(octets: number): boolean {
    const mine = this.#octets + this.#queued + octets + overhead;
    return (this.#octets === 0 || mine <= this.#limit) && mine <= this.room;
  }

  /** @param octets that are queued for the socket, or with it, and are of no message that counts */
  queue(octets: number): void {
    if (octets === this.#queued || this.#isOver) return;
    this.#shared.octets += octets - this.#queued;
    this.#queued = octets;
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
    this.#shared.octets -= this.#octets + this.#queued;
    this.#octets = this.#queued = this.#leaving = this.#lent = 0;
  }
}
