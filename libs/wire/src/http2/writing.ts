import type { Clock } from '@sluice/domain/clock';
import type { Backlog } from './backlog.ts';
import type { ConnectionLimits } from './limits.ts';
import type { OutQueue } from './out-queue.ts';
import type { ConnectionPort } from './port.ts';

/** What the socket gets at once: when it has taken that the peer has gone on to read. Data alone are hardly ever more in a turn. */
const mostAtOnce = 320 * 1024;
/** So much may wait of each connection, however little room others leave. */
const leastUnsent = 64 * 1024;

export interface WritingParts {
  readonly port: ConnectionPort;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly out: OutQueue;
  readonly backlog: Backlog;
}

/** When what a connection has to say goes to its socket: what comes together in a turn is one write, and the next waits until that is taken. */
export class Writing {
  readonly #parts: WritingParts;
  /** More is coming together: who says so flushes at its end. */
  gathers = false;
  #sinceMs: number | undefined;
  #due = false;
  #paused = false;
  #ending = false;
  /** What was taken of the queue together, and up to where the socket has got it: a piece, and octets of that. */
  #batch: readonly Buffer[] = [];
  #piece = 0;
  #octet = 0;
  /** Octets that the socket has now, those of the batch that it is not done with, and all of it: it is kept as a whole. */
  #given = 0;
  #left = 0;
  #taken = 0;
  /** Those that count nowhere else. */
  #uncounted = 0;

  constructor(parts: WritingParts) {
    this.#parts = parts;
  }

  /** Since when the socket has what it was given last, on the monotonic clock; undefined when it has nothing. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }
  /** The peer is not read, since it does not read. */
  get isPaused(): boolean {
    return this.#paused;
  }
  /** Octets that are kept until the peer has read, as far as the socket says. */
  get unsent(): number {
    return this.#parts.out.octets + this.#taken;
  }
  /** As much waits for the peer as may: what would lead to more is not to be read. */
  get isFull(): boolean {
    const { limits, backlog } = this.#parts;
    const { unsent } = this;
    if (unsent <= leastUnsent && unsent <= limits.maxUnsent) return false;
    return unsent > Math.min(limits.maxUnsent, Math.max(leastUnsent, backlog.room));
  }

  /** Writes what has come together, unless the socket has something still or more is coming together. */
  flush(): void {
    this.#due = false;
    const { port, out, backlog } = this.#parts;
    if (!this.gathers && this.#sinceMs === undefined && out.octets > 0) {
      this.#taken = this.#left = out.octets;
      this.#uncounted = out.uncounted;
      this.#batch = out.take();
      backlog.lent();
      this.#send();
    }
    this.#count();
    if (!this.#paused && this.isFull) {
      this.#paused = true;
      port.pause();
    }
  }

  /** Writes at the end of the turn what comes together in it. */
  schedule(): void {
    if (this.#sinceMs !== undefined) this.#count();
    if (this.#due || this.gathers || this.#sinceMs !== undefined) return;
    this.#due = true;
    setImmediate(() => {
      if (this.#due) this.flush();
    });
  }

  /** The socket has taken what it was given last. @returns whether that was all that it is to get together */
  taken(): boolean {
    const { port, limits, out, backlog } = this.#parts;
    this.#left -= this.#given;
    this.#given = 0;
    if (this.#piece < this.#batch.length) {
      this.#send();
      if (this.#ending) port.destroyAfter(limits.writeTimeoutMs);
      return false;
    }
    this.#sinceMs = undefined;
    this.#batch = [];
    this.#piece = this.#octet = this.#taken = this.#uncounted = 0;
    out.done();
    backlog.gone();
    this.#count();
    return true;
  }

  /** Reads the peer again, if it was not and has read enough. */
  goOn(): void {
    if (!this.#paused || this.isFull) return;
    this.#paused = false;
    this.#parts.port.resume();
  }

  /** Ends the socket behind what was written; `taken` does it where the socket has something still. */
  end(): void {
    const { port, clock, limits } = this.#parts;
    this.#ending = true;
    // Who reads nothing would keep the socket for ever.
    if (this.#sinceMs === undefined) port.end();
    else port.destroyAfter(limits.writeTimeoutMs - (clock.monotonic() - this.#sinceMs));
  }

  #count(): void {
    this.#parts.backlog.queue(this.#parts.out.uncounted + this.#uncounted);
  }

  #send(): void {
    const { port, clock } = this.#parts;
    this.#sinceMs = clock.monotonic();
    const pieces = this.#left <= mostAtOnce && this.#piece + this.#octet === 0 ? this.#batch : this.#next();
    if (pieces === this.#batch) {
      this.#piece = pieces.length;
      this.#given = this.#left;
    }
    port.send(pieces);
  }

  /** The next pieces of a batch that is too much at once. */
  #next(): Buffer[] {
    const pieces: Buffer[] = [];
    while (this.#given < mostAtOnce && this.#piece < this.#batch.length) {
      const piece = this.#batch[this.#piece]!;
      const end = Math.min(piece.length, this.#octet + mostAtOnce - this.#given);
      pieces.push(piece.subarray(this.#octet, end));
      this.#given += end - this.#octet;
      this.#octet = end === piece.length ? 0 : end;
      if (end === piece.length) this.#piece++;
    }
    return pieces;
  }
}
