import type { Clock } from '@sluice/domain/clock';
import type { Deadlines } from '../deadlines.ts';
import type { Compression } from './codings.ts';
import type { Inflater } from './inflater.ts';
import type { Memory } from './memory.ts';

/** What the calls of a connection share. */
export interface CallHost {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Octets of a message at most, when it is inflated; `inflater` has the same bound. */
  readonly maxRequestOctets: number;
  readonly inflater: Inflater;
  /** Of messages of which a part has come, or that wait to be read. */
  readonly memory: Memory;
  readonly peer: string;
  /** How answers are compressed where their caller takes that; undefined for not at all. */
  readonly compression?: Compression | undefined;
}

/** Memory for a message. */
export interface MessageRoom {
  /** Exactly as many as the message has. */
  readonly octets: Buffer;
  /** Pages of new memory are there, and count as held, only as octets come; those of memory that was used before are there at once. */
  readonly isNew: boolean;
}

/** Who answers a call. */
export interface CallSink {
  /** The call has one request, which is to come without delay; streams of requests may be silent between two. */
  readonly takesOne?: boolean;
  /** Memory for a message of so many octets, which does not come in one piece; undefined: it gets new memory. */
  room?(octets: number): MessageRoom | undefined;
  message(octets: Buffer): void;
  /** The caller has sent all. */
  halfClosed(): void;
  /** The call is over, and not by `finish`: nobody waits for an answer. @param code what its caller was told or sees */
  cancelled(code: number): void;
  /** What was written has been handed over. */
  drained(): void;
}

/** Who is told of answers that the transport gives by itself: a message is too large, or a deadline has passed. */
export interface CallObserver {
  /** Trailers of such an answer, names and values in turn. */
  trailers(): readonly string[];
  refused(code: number): void;
}
