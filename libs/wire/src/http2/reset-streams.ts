import { errorCodes } from '../errors.ts';
import type { ErrorName } from '../errors.ts';
import type { Floods } from './floods.ts';
import { writeReset } from './frame-writer.ts';
import type { OutQueue } from './out-queue.ts';

/** What a stream is reset with for something that its peer did. */
export type StreamFault = Extract<
  ErrorName,
  'PROTOCOL_ERROR' | 'FLOW_CONTROL_ERROR' | 'STREAM_CLOSED' | 'FRAME_SIZE_ERROR' | 'REFUSED_STREAM'
>;
/** What a stream is reset with where this side wants no more of it. */
export type OwnEnd = Extract<ErrorName, 'NO_ERROR' | 'CANCEL' | 'ENHANCE_YOUR_CALM'>;

/** Streams that were reset here and of which the peer may not know yet. */
const mostRemembered = 1024;
/** What a frame that is dropped costs at least of what may come late, in octets. */
const leastLate = 128;
/** Frames without data that may come late on each stream: header blocks, and its end. */
const lateFrames = 8;

export interface ResetStreamsPorts {
  readonly out: OutQueue;
  readonly floods: Floods;
  /** Whether this side has begun as many streams as were reset, so that one more is none too many. */
  readonly expectsReset: () => boolean;
  /** Octets that may be under way on the connection. */
  readonly connectionWindow: number;
}

/**
 * Streams that end before their answer. Whoever has them end, by a reset or by a fault that leads to one, is counted, and here alone: no
 * RST_STREAM is written elsewhere. Which of them were reset here is remembered: what still comes on them is no fault of the peer
 * (RFC 9113, section 5.1), as far as it may have sent that before it knew.
 */
export class ResetStreams {
  readonly #ports: ResetStreamsPorts;
  #ids: Set<number> | undefined;
  /** Up to here it was forgotten which. */
  #forgotten = 0;
  /** Octets that may still come on streams that were reset: of a peer that goes by its windows no more do. */
  #late = 0;

  constructor(ports: ResetStreamsPorts) {
    this.#ports = ports;
  }

  has(id: number): boolean {
    return id <= this.#forgotten || this.#ids?.has(id) === true;
  }

  /** The peer has had a stream end early. @throws ConnectionError ENHANCE_YOUR_CALM when it is one too many */
  count(): void {
    if (!this.#ports.expectsReset()) this.#ports.floods.count('resets');
  }

  /** Resets a stream for what the peer did. @param window what it may send on it. @throws as `count` */
  forFault(id: number, error: StreamFault, window: number): void {
    this.count();
    this.#reset(id, error, window);
  }

  /** Resets a stream for reasons of this side. @param window what the peer may send on it */
  forUs(id: number, error: OwnEnd, window: number): void {
    this.#reset(id, error, window);
  }

  #reset(id: number, error: ErrorName, window: number): void {
    writeReset(this.#ports.out, id, errorCodes[error]);
    this.remember(id, window);
  }

  /** It is over here, and the peer may not know. @param window what it may send on it */
  remember(id: number, window: number): void {
    const late = this.#late + Math.max(0, window) + lateFrames * leastLate;
    this.#late = Math.min(late, this.#ports.connectionWindow);
    this.#ids ??= new Set();
    this.#ids.add(id);
    if (this.#ids.size <= mostRemembered) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      this.#forgotten = Math.max(this.#forgotten, oldest);
      return;
    }
  }

  /** A frame was dropped. @throws ConnectionError ENHANCE_YOUR_CALM when it is one of too many that nobody could have sent unknowingly */
  dropped(octets: number): void {
    this.#late -= Math.max(leastLate, octets);
    if (this.#late >= 0) return;
    this.#late = 0;
    this.#ports.floods.count('empty');
  }
}
