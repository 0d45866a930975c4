import type { ErrorName } from '../errors.ts';
import type { frameTypes } from './frame-types.ts';
import type { StreamFault } from './reset-streams.ts';

/**
 * States of a stream (RFC 9113, section 5.1). Nothing is ever pushed here, so that no stream is reserved. `closed` is one that both sides have
 * ended, or that the peer has reset; `skipped` one whose number was left out, which closes it; `reset` one that was reset here, of which the peer
 * may not know yet.
 */
export const streamStates = [
  'idle',
  'open',
  'half-closed (local)',
  'half-closed (remote)',
  'closed',
  'skipped',
  'reset',
] as const;
export type StreamState = (typeof streamStates)[number];

export type FrameName = keyof typeof frameTypes;

/** What becomes of a frame that arrives. */
export type Verdict =
  /** It is for the stream. */
  | 'take'
  /** It is read as far as the connection needs (compression, windows), and dropped. */
  | 'drop'
  | { readonly stream: StreamFault }
  | { readonly connection: ErrorName };

const protocolError = { connection: 'PROTOCOL_ERROR' } as const;

/**
 * Frames by the state of their stream when they arrive. CONTINUATION belongs to its HEADERS: one that does not follow any is a fault in every
 * state. SETTINGS, PING and GOAWAY have no stream.
 */
export const received: Readonly<
  Record<StreamState, Readonly<Record<Exclude<FrameName, 'SETTINGS' | 'PING' | 'GOAWAY'>, Verdict>>>
> = {
  idle: {
    DATA: protocolError,
    // Of a client; a server opens no streams (`Connection` knows who is who).
    HEADERS: 'take',
    PRIORITY: 'drop',
    RST_STREAM: protocolError,
    PUSH_PROMISE: protocolError,
    WINDOW_UPDATE: protocolError,
    CONTINUATION: protocolError,
  },
  open: {
    DATA: 'take',
    HEADERS: 'take',
    PRIORITY: 'drop',
    RST_STREAM: 'take',
    PUSH_PROMISE: protocolError,
    WINDOW_UPDATE: 'take',
    CONTINUATION: protocolError,
  },
  'half-closed (local)': {
    DATA: 'take',
    HEADERS: 'take',
    PRIORITY: 'drop',
    RST_STREAM: 'take',
    PUSH_PROMISE: protocolError,
    // Nothing more is sent that it could allow; its increment must be lawful all the same.
    WINDOW_UPDATE: 'take',
    CONTINUATION: protocolError,
  },
  'half-closed (remote)': {
    DATA: { stream: 'STREAM_CLOSED' },
    HEADERS: { stream: 'STREAM_CLOSED' },
    PRIORITY: 'drop',
    RST_STREAM: 'take',
    PUSH_PROMISE: protocolError,
    WINDOW_UPDATE: 'take',
    CONTINUATION: protocolError,
  },
  closed: {
    DATA: { connection: 'STREAM_CLOSED' },
    HEADERS: { connection: 'STREAM_CLOSED' },
    PRIORITY: 'drop',
    // Sent before the peer knew that it was over.
    RST_STREAM: 'drop',
    PUSH_PROMISE: protocolError,
    WINDOW_UPDATE: 'drop',
    CONTINUATION: protocolError,
  },
  skipped: {
    DATA: { connection: 'STREAM_CLOSED' },
    // It would open a stream behind a higher one (section 5.1.1).
    HEADERS: protocolError,
    PRIORITY: 'drop',
    RST_STREAM: 'drop',
    PUSH_PROMISE: protocolError,
    WINDOW_UPDATE: 'drop',
    CONTINUATION: protocolError,
  },
  reset: {
    DATA: 'drop',
    HEADERS: 'drop',
    PRIORITY: 'drop',
    RST_STREAM: 'drop',
    PUSH_PROMISE: protocolError,
    WINDOW_UPDATE: 'drop',
    CONTINUATION: protocolError,
  },
};

/**
 * Frames that may be sent in a state. A client opens a stream by HEADERS. Nothing looks here before it sends: what is sent follows from what
 * `Connection` and `Sending` do in each state, and it is the tests that hold them to this.
 */
export const sendable: Readonly<Record<StreamState, ReadonlySet<FrameName>>> = {
  idle: new Set(['HEADERS']),
  open: new Set(['DATA', 'HEADERS', 'RST_STREAM', 'WINDOW_UPDATE']),
  'half-closed (local)': new Set(['RST_STREAM', 'WINDOW_UPDATE']),
  'half-closed (remote)': new Set(['DATA', 'HEADERS', 'RST_STREAM']),
  closed: new Set(),
  skipped: new Set(),
  reset: new Set(),
};
