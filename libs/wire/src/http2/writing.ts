import type { Clock } from '@sluice/domain/clock';
import type { Backlog } from './backlog.ts';
import type { ConnectionLimits } from './limits.ts';
import type { OutQueue } from './out-queue.ts';
import type { ConnectionPort } from './port.ts';

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

  /** Writes what has come together, unless the socket has something still or more is coming together. */
  flush(): void {
    this.#due = false;
    const { port, limits, clock, out, backlog } = this.#parts;
    if (!this.gathers && this.#sinceMs === undefined && out.octets > 0) {
      this.#sinceMs = clock.monotonic();
      backlog.lent();
      port.send(out.take());
    }
    if (!this.#paused && out.octets > limits.maxUnsent) {
      this.#paused = true;
      port.pause();
    }
  }

  /** Writes at the end of the turn what comes together in it. */
  schedule(): void {
    if (this.#due || this.gathers || this.#sinceMs !== undefined) return;
    this.#due = true;
    setImmediate(() => {
      if (this.#due) this.flush();
    });
  }

  /** The socket has taken what it was given last. */
  taken(): void {
    this.#sinceMs = undefined;
    this.#parts.out.done();
    this.#parts.backlog.gone();
  }

  /** Reads the peer again, if it was not and has read enough. */
  goOn(): void {
    const { port, limits, out } = this.#parts;
    if (!this.#paused || out.octets >= limits.maxUnsent) return;
    this.#paused = false;
    port.resume();
  }

  /** Ends the socket behind what was written; `taken` does it where the socket has something still. */
  end(): void {
    const { port, clock, limits } = this.#parts;
    // Who reads nothing would keep the socket for ever.
    if (this.#sinceMs === undefined) port.end();
    else port.destroyAfter(limits.writeTimeoutMs - (clock.monotonic() - this.#sinceMs));
  }
}
