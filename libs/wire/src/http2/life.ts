import { ConnectionError } from '../errors.ts';
import type { ConnectionLimits } from './limits.ts';

/** What a connection looks like when its times are looked at. All times are of the monotonic clock, in milliseconds. */
export interface LifeSigns {
  /** The first SETTINGS of the peer has come. */
  readonly begun: boolean;
  readonly streams: number;
  /** The peer is read. While it is not it cannot go on, and what it reads is a sign of life. */
  readonly isRead: boolean;
  readonly blockSinceMs: number | undefined;
  /** The number of the frame of which a part has come, of those that are taken only whole. */
  readonly unfinishedFrame: number | undefined;
  /** Since when the socket has what it was given last; undefined when it has nothing. */
  readonly writingSinceMs: number | undefined;
}

/** What is to be done. `close` ends the connection without fault of anybody. */
export type LifeStep = 'nothing' | 'ping' | 'close';

/** How long a connection may take for what, and when it is asked whether it is still there. */
export class Life {
  readonly #limits: ConnectionLimits;
  readonly #startedMs: number;
  #heardMs: number;
  /** When it had its last stream. */
  #busyMs: number;
  /** A stream was opened since this looked last; it may be over already. */
  #opened = false;
  #settingsAcknowledged = false;
  #pingedMs: number | undefined;
  /** The frame that was unfinished when this looked last, and since when it was. */
  #frame: number | undefined;
  #frameSinceMs: number;
  /** Since when it was read, as far as it is known: when this looked last and it was not. */
  #readSinceMs: number;

  constructor(limits: ConnectionLimits, nowMs: number) {
    this.#limits = limits;
    this.#startedMs = this.#heardMs = this.#busyMs = this.#frameSinceMs = this.#readSinceMs = nowMs;
  }

  /** The peer has acknowledged our settings. */
  get settingsAreKnown(): boolean {
    return this.#settingsAcknowledged;
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  opened(): void {
    this.#opened = true;
  }

  settingsAcknowledged(): void {
    this.#settingsAcknowledged = true;
  }

  pong(): void {
    this.#pingedMs = undefined;
  }

  /** @throws ConnectionError for what took too long */
  check(nowMs: number, signs: LifeSigns): LifeStep {
    const limits = this.#limits;
    if (signs.streams > 0 || this.#opened) this.#busyMs = nowMs;
    this.#opened = false;
    if (!signs.isRead) this.#readSinceMs = this.#heardMs = nowMs;
    if ((!signs.begun || !this.#settingsAcknowledged) && nowMs - this.#startedMs >= limits.settingsTimeoutMs) {
      const what = signs.begun ? 'no acknowledgement of SETTINGS' : 'no SETTINGS';
      throw new ConnectionError('SETTINGS_TIMEOUT', `${what} within ${limits.settingsTimeoutMs} ms`);
    }
    if (
      signs.blockSinceMs !== undefined &&
      nowMs - Math.max(signs.blockSinceMs, this.#readSinceMs) >= limits.headersTimeoutMs
    )
      throw new ConnectionError('ENHANCE_YOUR_CALM', `a header block that took over ${limits.headersTimeoutMs} ms`);
    if (!signs.isRead || signs.unfinishedFrame === undefined || signs.unfinishedFrame !== this.#frame)
      this.#frameSinceMs = nowMs;
    this.#frame = signs.unfinishedFrame;
    if (nowMs - this.#frameSinceMs >= limits.headersTimeoutMs)
      throw new ConnectionError('ENHANCE_YOUR_CALM', `a frame that took over ${limits.headersTimeoutMs} ms`);
    if (signs.writingSinceMs !== undefined && nowMs - signs.writingSinceMs >= limits.writeTimeoutMs)
      throw new ConnectionError('ENHANCE_YOUR_CALM', `nothing was read for ${limits.writeTimeoutMs} ms`);
    if (this.#pingedMs !== undefined) {
      // Whatever it sends is a sign of life. The ping may be behind much that it reads, if slowly.
      if (this.#heardMs > this.#pingedMs) this.#pingedMs = undefined;
      else if (nowMs - Math.max(this.#pingedMs, signs.writingSinceMs ?? 0) >= limits.keepaliveTimeoutMs)
        throw new ConnectionError('NO_ERROR', `no answer to a ping within ${limits.keepaliveTimeoutMs} ms`);
      else return 'nothing';
    }
    if (nowMs - this.#busyMs >= limits.idleTimeoutMs) return 'close';
    if (nowMs - this.#heardMs < limits.keepaliveMs || (signs.streams === 0 && !limits.keepaliveIdle)) return 'nothing';
    this.#pingedMs = nowMs;
    return 'ping';
  }
}
