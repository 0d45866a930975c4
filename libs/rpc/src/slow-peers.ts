import type { Clock, Timer } from '@sluice/domain/clock';

/** A stream that may be waiting for its peer. */
export interface WaitingStream {
  /** Clock.monotonic() since when it waits for its peer to send or to read; undefined while it does not. */
  readonly waitingSinceMs: number | undefined;
  /** Ends it: the peer took too long. */
  giveUp(): void;
}

/**
 * Ends streams whose peer neither sends nor reads for too long. Time that a handler takes does not count. One timer for
 * all: it looks at least once per limit and next when the first is due, so a stream ends at exactly the limit.
 */
export class SlowPeers {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #streams = new Set<WaitingStream>();
  #timer: Timer | undefined;

  /** @param limitMs 0 for no limit */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  add(stream: WaitingStream): void {
    if (this.#limitMs === 0) return;
    this.#streams.add(stream);
    this.#timer ??= this.#clock.schedule(this.#limitMs, () => this.#look());
  }

  delete(stream: WaitingStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const now = this.#clock.monotonic();
    let next = this.#limitMs;
    for (const stream of [...this.#streams]) {
      if (stream.waitingSinceMs === undefined) continue;
      const left = stream.waitingSinceMs + this.#limitMs - now;
      if (left > 0) next = Math.min(next, left);
      else stream.giveUp();
    }
    this.#timer = this.#streams.size === 0 ? undefined : this.#clock.schedule(next, () => this.#look());
  }
}
