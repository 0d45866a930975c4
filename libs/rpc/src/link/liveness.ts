import type { Clock, Timer } from '@sluice/domain/clock';

export interface LivenessOptions {
  readonly clock: Clock;
  /** Milliseconds between pings while something is in flight. */
  readonly pingMs: number;
  /** Milliseconds between pings of an idle link. */
  readonly idlePingMs: number;
  /** A peer that says nothing for so long is gone, in milliseconds. */
  readonly silenceMs: number;
  readonly isBusy: () => boolean;
  readonly ping: () => void;
  readonly silent: () => void;
}

/**
 * Finds out that a peer is gone. Silence is counted in ticks that this process lived through: one that was held up itself
 * takes nobody else for dead, since what arrived meanwhile is read between two ticks.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  /** Ticks with a question out and nothing heard, after which the peer is gone: the first tick only asks. */
  readonly #limit: number;
  #timer: Timer | undefined;
  #isSlow = false;
  #asked = false;
  #missed = 0;
  #stopped = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#limit = Math.max(1, Math.floor(options.silenceMs / options.pingMs) - 1);
  }

  start(): void {
    this.#schedule(false);
  }

  /** Anything arrived. */
  heard(): void {
    this.#asked = false;
    this.#missed = 0;
  }

  /** Something is in flight from now on. */
  busy(): void {
    if (!this.#isSlow) return;
    this.#timer?.cancel();
    this.#schedule(false);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(slow: boolean): void {
    if (this.#stopped) return;
    this.#isSlow = slow;
    const { clock, pingMs, idlePingMs } = this.#options;
    this.#timer = clock.schedule(slow ? idlePingMs : pingMs, () => this.#tick());
  }

  #tick(): void {
    const wasSlow = this.#isSlow;
    if (this.#asked && ++this.#missed >= this.#limit) {
      this.#options.silent();
      return;
    }
    if (!this.#asked && !wasSlow && !this.#options.isBusy()) {
      this.#schedule(true);
      return;
    }
    this.#asked = true;
    this.#options.ping();
    this.#schedule(false);
  }
}
