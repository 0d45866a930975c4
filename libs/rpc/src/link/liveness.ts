import type { Clock, Timer } from '@sluice/domain/clock';

export interface LivenessOptions {
  readonly clock: Clock;
  /** Milliseconds between pings. */
  readonly pingMs: number;
  /** A peer that says nothing for so long is gone, in milliseconds. */
  readonly silenceMs: number;
  readonly ping: () => void;
  readonly silent: () => void;
}

/**
 * Finds out that a peer is gone, whether or not anything is in flight. Silence is counted in ticks that this process lived through: one that was held
 * up itself takes nobody else for dead, since what arrived meanwhile is read between two ticks.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  /** Ticks with a question out and nothing heard, after which the peer is gone: the first tick only asks. */
  readonly #limit: number;
  #timer: Timer | undefined;
  #asked = false;
  #missed = 0;
  #stopped = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    this.#limit = Math.max(1, Math.floor(options.silenceMs / options.pingMs) - 1);
  }

  start(): void {
    if (this.#stopped) return;
    const { clock, pingMs } = this.#options;
    this.#timer = clock.schedule(pingMs, () => this.#tick());
  }

  /** Anything arrived. */
  heard(): void {
    this.#asked = false;
    this.#missed = 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #tick(): void {
    if (this.#asked && ++this.#missed >= this.#limit) {
      this.#options.silent();
      return;
    }
    this.#asked = true;
    this.#options.ping();
    this.start();
  }
}
