/** Bounds of a connection. Each has a default that is safe to face the internet with; times are in milliseconds. */
export interface ConnectionLimits {
  /** Streams that the peer may have open at once; more are refused (REFUSED_STREAM). */
  readonly maxConcurrentStreams: number;
  /** Octets of a header list, as SETTINGS_MAX_HEADER_LIST_SIZE counts them; a longer one is answered by 431. */
  readonly maxHeaderListSize: number;
  /** Fields of a header list; each of the values that stand in one field of bytes ("-bin") counts as one. */
  readonly maxHeaderFields: number;
  /** Octets of a header block as it comes, compressed, with its CONTINUATION frames. */
  readonly maxHeaderBlock: number;
  /** CONTINUATION frames of a header block. */
  readonly maxContinuations: number;
  /** Settings in one SETTINGS frame. */
  readonly maxSettings: number;
  /** What a stream may receive before it is read. */
  readonly streamWindow: number;
  /** What a connection may have under way to here. */
  readonly connectionWindow: number;
  /** Octets that are queued for the socket, or with it; beyond that nothing more is read from the peer, nor of what came of it. */
  readonly maxUnsent: number;
  /** Octets of messages of the connection that were not worked on yet: whole ones, and parts of some. */
  readonly maxBuffered: number;
  /** Octets of answers that wait for the peer to read or to open its windows; a single one may be larger. */
  readonly maxWaiting: number;
  /** How long the preface and the first SETTINGS may take, and the acknowledgement of ours. */
  readonly settingsTimeoutMs: number;
  /** How long a header block may take from its first frame to its last, and any frame but DATA to its end. */
  readonly headersTimeoutMs: number;
  /** How long the socket may take for what it is given at once: 320 KiB, or what waits for the peer where that is less. */
  readonly writeTimeoutMs: number;
  /** How long a stream may wait for the peer to open its window by `leastOctets`, or by all that waits. */
  readonly windowTimeoutMs: number;
  /** How long a request that is coming, or a message of a stream of them, may bring fewer than `leastOctets`. */
  readonly messageTimeoutMs: number;
  /** Octets that have to come, or to be read, in the time that a message has to go on. */
  readonly leastOctets: number;
  /** A connection without streams is closed after that. */
  readonly idleTimeoutMs: number;
  /** After so long without a word from the peer it is pinged. */
  readonly keepaliveMs: number;
  /** Whether it is pinged while it has no streams, too. */
  readonly keepaliveIdle: boolean;
  /** What it may take to answer a ping. */
  readonly keepaliveTimeoutMs: number;
  /** Frames by kind that may come in a row, and how many are forgiven every second. */
  readonly floods: Readonly<Record<FloodKind, FloodLimit>>;
}

export interface FloodLimit {
  readonly burst: number;
  readonly perSecond: number;
}

/** What costs the sender next to nothing and the receiver something. PINGs and WINDOW_UPDATEs that answer what was sent do not count. */
export const floodKinds = [
  /** Streams that end before their answer, by the peer or for its fault: rapid reset. */
  'resets',
  'pings',
  'settings',
  'priorities',
  /** One says that the sender leaves, one or two more on which streams. */
  'goaways',
  /**
   * Frames that say nothing: DATA without data, frames of unknown kinds, WINDOW_UPDATEs of a few octets or of streams that are over, interim
   * header blocks beyond a few, and what comes on streams that were reset here beyond what their windows allowed.
   */
  'empty',
  /** Pieces of a few octets from the midst of a message. */
  'fragments',
] as const;
export type FloodKind = (typeof floodKinds)[number];

export const defaultLimits: ConnectionLimits = {
  maxConcurrentStreams: 1024,
  maxHeaderListSize: 16 * 1024,
  maxHeaderFields: 256,
  maxHeaderBlock: 16 * 1024,
  maxContinuations: 8,
  maxSettings: 32,
  streamWindow: 1024 * 1024,
  connectionWindow: 16 * 1024 * 1024,
  maxUnsent: 4 * 1024 * 1024,
  maxBuffered: 256 * 1024 * 1024,
  maxWaiting: 256 * 1024 * 1024,
  settingsTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  writeTimeoutMs: 20_000,
  windowTimeoutMs: 60_000,
  messageTimeoutMs: 60_000,
  leastOctets: 4096,
  idleTimeoutMs: 30 * 60_000,
  keepaliveMs: 60_000,
  keepaliveIdle: true,
  keepaliveTimeoutMs: 20_000,
  floods: {
    resets: { burst: 1000, perSecond: 100 },
    pings: { burst: 100, perSecond: 5 },
    settings: { burst: 50, perSecond: 2 },
    priorities: { burst: 2000, perSecond: 200 },
    goaways: { burst: 10, perSecond: 1 },
    empty: { burst: 2000, perSecond: 100 },
    fragments: { burst: 10_000, perSecond: 1000 },
  },
};
