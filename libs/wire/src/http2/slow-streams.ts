import type { NumberMap } from '../number-map.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { ConnectionLimits } from './limits.ts';

/** What the peer had sent when a stream was first found to be owed something, or when that was last found to go on. */
export interface Owed {
  readonly sinceMs: number;
  /** On the stream, and on the connection. */
  readonly octets: number;
  readonly received: number;
  readonly messages: number;
}

export interface StreamsNow {
  /** On the monotonic clock. */
  readonly nowMs: number;
  /** Octets of data that have come on the connection. */
  readonly received: number;
  /** The connection is read, so that the peer can send. */
  readonly isRead: boolean;
}

const none: readonly Http2Stream[] = [];

/** Finds the streams of a connection for which its peer takes too long: that it does not read, or does not go on to send. */
export class SlowStreams {
  readonly #limits: ConnectionLimits;
  /** Streams that were owed something when this looked last. */
  #owed = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** @returns those that wait in vain for their window; others that are too slow were told so themselves */
  look(streams: NumberMap<Http2Stream>, now: StreamsNow): readonly Http2Stream[] {
    if (streams.size === 0) return none;
    const blocked: Http2Stream[] = [];
    const slow: Http2Stream[] = [];
    let owed = 0;
    streams.forEach((stream) => {
      const { blockedSinceMs } = stream;
      if (blockedSinceMs !== undefined && now.nowMs - blockedSinceMs >= this.#limits.windowTimeoutMs)
        blocked.push(stream);
      else if (now.isRead && stream.sink.owed?.() !== undefined) {
        owed++;
        if (this.#isSlow(stream, now)) slow.push(stream);
      } else stream.owed = undefined;
    });
    this.#owed = owed;
    for (const stream of slow) stream.sink.tooSlow?.();
    return blocked;
  }

  #isSlow(stream: Http2Stream, { nowMs, received }: StreamsNow): boolean {
    const { messageTimeoutMs, leastOctets } = this.#limits;
    const { octets, messages } = stream.sink.owed!()!;
    const { owed } = stream;
    // Who sends one request after the other is as quick as who sends a bit of each in turn.
    const goesOn =
      owed === undefined ||
      messages > owed.messages ||
      octets - owed.octets >= leastOctets ||
      received - owed.received >= leastOctets * Math.max(1, this.#owed);
    if (goesOn) stream.owed = { sinceMs: nowMs, octets, received, messages };
    else return nowMs - owed.sinceMs >= messageTimeoutMs;
    return false;
  }
}
