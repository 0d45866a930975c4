import { Socket } from 'node:net';
import type { SocketConstructorOpts } from 'node:net';
import { kept, mostShared } from './kept-octets.ts';

/** What a socket gives at once. */
export const pieceOctets = 64 * 1024;
/** The same of one that gives much of what costs little. */
const largePieceOctets = 4 * pieceOctets;

/** All sockets of a thread are read into it, one after the other: what was read last is gone when the next is. */
const largePiece = Buffer.allocUnsafeSlow(largePieceOctets);
const piece = largePiece.subarray(0, pieceOctets);

/** Who reads a socket. */
export interface DirectReader {
  /** @param octets nobody's to keep */
  received: (octets: Buffer) => void;
  /** The next piece may be a large one. */
  takesMuch: boolean;
}

/**
 * A socket that is read into memory that is there. Any other gets new memory for each read, outside V8's heap, and V8 collects all of the heap
 * for every 64 MB of that. It has no `data`.
 */
export class DirectSocket extends Socket {
  /** To be set up in the turn in which the socket comes. */
  readonly reader: DirectReader;

  constructor(options: SocketConstructorOpts = {}) {
    const reader: DirectReader = { received: () => undefined, takesMuch: false };
    const onread = {
      buffer: () => (reader.takesMuch ? largePiece : piece),
      callback: (octets: number) => {
        // Of what is little, which is small messages for the most part, there is one copy and not one of each.
        reader.received(octets <= mostShared ? kept(largePiece, 0, octets) : largePiece.subarray(0, octets));
        return true;
      },
    };
    super({ ...options, onread });
    this.reader = reader;
  }
}

/** What is below a socket that was accepted. It is documented nowhere, so that nothing of it is taken for granted. */
interface Accepted {
  _handle?: { readonly useUserBuffer?: unknown } | null;
}

/**
 * The same connection as a direct socket, where that can be had: a server of node:net has no option for it (ADR 92).
 * @param accepted by a server that pauses what it accepts; not to be used any more when another socket is returned
 */
export function asDirect(accepted: Socket): Socket {
  const { _handle: handle } = accepted as Accepted;
  if (typeof handle?.useUserBuffer !== 'function') return accepted.resume();
  const direct = new DirectSocket({ handle, allowHalfOpen: true } as unknown as SocketConstructorOpts);
  // It is not to close what it has no more.
  (accepted as Accepted)._handle = null;
  accepted.destroy();
  return direct;
}
