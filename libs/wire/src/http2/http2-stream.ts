import type { HeaderBlock } from '../hpack/header-block.ts';
import type { ListEntry } from '../linked-list.ts';
import type { Owed } from './slow-streams.ts';
import type { StreamState } from './stream-states.ts';

/** Why a stream was over before both sides had ended it. */
export type AbortedBy = 'peer' | 'here' | 'connection';

/** Who gets what a stream receives. None of these may throw but a ConnectionError. */
export interface StreamSink {
  /** Header fields, or trailers. @param ended nothing more comes */
  headers(block: HeaderBlock, ended: boolean): void;
  /** Data, from `start` to `end`. The octets are gone when this returns: what is to stay is copied. Say `consume` for them sooner or later. */
  data(chunk: Buffer, start: number, end: number): void;
  /** The peer has ended its side behind data. */
  ended(): void;
  /** @param code of RFC 9113, section 7 */
  aborted(code: number, by: AbortedBy): void;
  /** All that was given to be sent has been handed over, and there may be more. */
  drained(): void;
  /** This side has sent its end, and the other side has not. */
  sentEnd(): void;
  /** What has come, where the peer has to go on to send; undefined where it has not, or where it cannot. */
  owed?(): { readonly octets: number; readonly messages: number } | undefined;
  /** The peer does not. */
  tooSlow?(): void;
}

/** Octets that wait until the peer allows them. */
export interface Outgoing {
  readonly octets: Uint8Array;
  at: number;
  /** Frames of few octets that were cut of it. */
  cuts: number;
  /** Octets of the message that ends with these; undefined where none does. */
  readonly message: number | undefined;
}

/** Until a stream has its sink. */
const nobody: StreamSink = {
  headers: () => undefined,
  data: () => undefined,
  ended: () => undefined,
  aborted: () => undefined,
  drained: () => undefined,
  sentEnd: () => undefined,
};

/** A stream as its connection keeps it. All that is done to it is done by way of the connection. */
export class Http2Stream {
  readonly id: number;
  state: StreamState;
  /** Set by who takes the stream up. */
  sink = nobody;
  /** Octets that may be sent before the peer allows more; negative after it has taken some back. */
  sendWindow: number;
  /** Octets that the peer may send before it is allowed more. */
  receiveWindow: number;
  /** Header blocks of the peer behind which others came, or may come; not the one that began the stream. */
  heads = 0;
  /** Octets that were consumed and not given back to the peer. */
  unreturned = 0;
  /** Data that waits for windows, in order. */
  waiting: Outgoing[] | undefined;
  /** Octets of it. */
  waitingOctets = 0;
  /** The trailers behind that data. */
  trailers: readonly string[] | undefined;
  /** Nothing more is given to be sent. */
  finishing = false;
  /** Its place among those that wait for the socket; only `Sending` writes it. */
  place: ListEntry<Http2Stream> | undefined;
  /** What had come when it was first found to be owed something; only `SlowStreams` writes it. */
  owed: Owed | undefined;
  /** Since when it waits for the peer to open a window, on the monotonic clock. */
  blockedSinceMs: number | undefined;
  /** Octets that were sent since then. */
  sentBlocked = 0;

  constructor(id: number, remoteEnded: boolean, windows: { readonly send: number; readonly receive: number }) {
    this.id = id;
    this.state = remoteEnded ? 'half-closed (remote)' : 'open';
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
  }

  /** Over, for whatever reason. */
  get isOver(): boolean {
    return this.state === 'closed' || this.state === 'reset';
  }
  /** The peer sends nothing more. */
  get remoteEnded(): boolean {
    return this.state === 'half-closed (remote)' || this.isOver;
  }
  /** All of it was sent. */
  get localEnded(): boolean {
    return this.state === 'half-closed (local)' || this.isOver;
  }
}
