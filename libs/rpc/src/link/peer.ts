import type { Pieces } from '../raw-client.ts';
import { LinkFault, frameTypes, linkVersion, numberFrame, encodeHello } from './frames.ts';
import type { Hello, MessageHead } from './frames.ts';
import { Outbox } from './outbox.ts';
import type { Outgoing } from './outbox.ts';
import { readFrames } from './read-frames.ts';
import type { FrameSink } from './read-frames.ts';

/** Bounds and sizes of one side of a link. */
export interface PeerLimits {
  /** Bytes that the other side may have on their way to this one; default 4 MiB. */
  readonly windowBytes: number;
  /** Payload bytes of one frame; default 128 KiB. */
  readonly chunkBytes: number;
  /** A gRPC message takes no further frame once it has so many bytes; default 256 KiB. */
  readonly batchBytes: number;
  /** Bytes of large messages that may be arriving here at once, where there are two or more; default 128 MiB. */
  readonly maxPartialBytes: number;
  /** No more credit is given to the other side while so many bytes wait to be sent to it; Infinity for never. */
  readonly stallBytes: number;
}
export const defaultLimits: PeerLimits = {
  windowBytes: 4 * 1024 * 1024,
  chunkBytes: 128 * 1024,
  batchBytes: 256 * 1024,
  maxPartialBytes: 128 * 1024 * 1024,
  stallBytes: Infinity,
};

/** Longest frame that both sides take, and longest gRPC message of a link. */
export const maxFrameBytes = 192 * 1024;
export const maxBatchBytes = 1024 * 1024;

/** What a side does with what arrives. */
export interface PeerOwner {
  /** The other side said what it is; nothing else arrives before. @throws LinkFault to refuse it */
  opened(hello: Hello): void;
  /** A message begins. @returns whether it is wanted; its bytes are thrown away otherwise */
  begins(head: MessageHead): boolean;
  /**
   * A message is whole. Its bytes may be views of what arrived: one piece, or those that it came in where the side keeps
   * pieces.
   */
  arrived(head: MessageHead, pieces: Pieces): void;
  cancelled(call: number, late: boolean): void;
  goaway(): void;
  heard(): void;
  /** What arrived is not of this protocol: end the link. */
  broken(fault: LinkFault): void;
}

export interface PeerOptions {
  readonly owner: PeerOwner;
  readonly limits: PeerLimits;
  readonly methods: readonly string[];
  /** This side takes facts of the calls that it makes. */
  readonly takesFacts?: boolean;
  /** Longest gRPC message that this side's transport takes. */
  readonly maxBatchBytes: number;
  /** Large messages are given in the pieces that they came in, and not put together: for a side that copies them itself. */
  readonly keepsPieces?: boolean;
  readonly monotonic: () => number;
  readonly defer: (fn: () => void) => void;
  readonly send: (message: Buffer, sent: () => void) => void;
}

/** A message whose chunks arrive. */
interface Partial {
  readonly head: MessageHead;
  /** One that is filled, or one for each frame. */
  readonly pieces: [Buffer, ...Buffer[]];
  /** Bytes of memory that kept pieces hold. */
  held: number;
  filled: number;
}

/** One side of a link: what both sides do alike. It knows calls by their numbers only. */
export class LinkPeer implements FrameSink {
  readonly outbox: Outbox;
  readonly #options: PeerOptions;
  readonly #partials = new Map<number, Partial>();
  #partialBytes = 0;
  /** Bytes of data frames that arrived and were not given back. */
  #taken = 0;
  #isOpen = false;
  #closed = false;

  constructor(options: PeerOptions) {
    this.#options = options;
    const { limits, monotonic, defer, send } = options;
    const { chunkBytes, batchBytes } = limits;
    this.outbox = new Outbox({ chunkBytes, batchBytes, monotonic, defer, send, onSent: () => this.#giveBack() });
  }

  /** Says HELLO: the first thing on a link. */
  greet(): void {
    const { limits, methods, takesFacts = false, maxBatchBytes: longest } = this.#options;
    const { windowBytes, maxPartialBytes } = limits;
    const hello = {
      version: linkVersion,
      windowBytes,
      maxFrameBytes,
      maxBatchBytes: longest,
      maxPartialBytes,
      methods,
      takesFacts,
    };
    this.outbox.control(encodeHello(hello));
  }

  /** Takes a gRPC message. Never throws: what is wrong with it goes to the owner. */
  receive(message: Buffer): void {
    if (this.#closed) return;
    this.#options.owner.heard();
    try {
      readFrames(message, maxFrameBytes, this);
    } catch (error) {
      this.#options.owner.broken(
        error instanceof LinkFault ? error : new LinkFault('what arrived could not be worked on', { cause: error }),
      );
      return;
    }
    this.#giveBack();
  }

  /** The bytes of a call that still arrive are not wanted any more. */
  forget(call: number): void {
    const partial = this.#partials.get(call);
    if (partial === undefined) return;
    this.#partials.delete(call);
    this.#partialBytes -= partial.head.total;
  }

  /** Nothing is taken or sent any more, and nothing is held. */
  close(): void {
    this.#closed = true;
    this.#partials.clear();
    this.#partialBytes = 0;
    this.outbox.close();
  }

  /** Adds a message to what is sent. */
  send(message: Outgoing): void {
    this.outbox.add(message);
  }

  // What readFrames tells of.
  hello(hello: Hello): void {
    if (this.#closed) return;
    if (this.#isOpen) throw new LinkFault('a second HELLO');
    this.#isOpen = true;
    this.#options.owner.opened(hello);
    // Nothing happens when the owner has closed it meanwhile.
    this.outbox.open(hello);
  }

  begin(head: MessageHead, bytes: Buffer, size: number): void {
    if (!this.#takes(size)) return;
    if (this.#partials.has(head.call)) throw new LinkFault(`call ${head.call} begins a second message`);
    if (!this.#options.owner.begins(head)) return;
    if (bytes.length === head.total) {
      this.#options.owner.arrived(head, [bytes]);
      return;
    }
    this.#partialBytes += head.total;
    if (this.#partials.size > 0 && this.#partialBytes > this.#options.limits.maxPartialBytes)
      throw new LinkFault(`messages of ${this.#partialBytes} bytes arrive at once`);
    const filled = bytes.length;
    if (this.#options.keepsPieces === true) {
      this.#partials.set(head.call, { head, pieces: [bytes], held: bytes.buffer.byteLength, filled });
      return;
    }
    // The one copy of a large message on this side: its chunks are put into one place.
    const whole = Buffer.allocUnsafeSlow(head.total);
    whole.set(bytes);
    this.#partials.set(head.call, { head, pieces: [whole], held: head.total, filled });
  }

  chunk(call: number, bytes: Buffer, size: number): void {
    if (!this.#takes(size)) return;
    const partial = this.#partials.get(call);
    // Of a call that was cancelled or refused meanwhile.
    if (partial === undefined) return;
    if (partial.filled + bytes.length > partial.head.total)
      throw new LinkFault(`the message of call ${call} is longer than the ${partial.head.total} bytes that it said`);
    if (this.#options.keepsPieces === true) keep(partial, bytes);
    else partial.pieces[0].set(bytes, partial.filled);
    partial.filled += bytes.length;
    if (partial.filled < partial.head.total) return;
    this.forget(call);
    this.#options.owner.arrived(partial.head, partial.pieces);
  }

  cancel(call: number, late: boolean): void {
    if (!this.#speaks()) return;
    this.forget(call);
    this.#options.owner.cancelled(call, late);
  }

  ping(id: number): void {
    if (this.#speaks()) this.outbox.control(numberFrame(frameTypes.PONG, id));
  }

  pong(): void {
    this.#speaks();
  }

  window(bytes: number): void {
    if (this.#speaks()) this.outbox.credit(bytes);
  }

  goaway(): void {
    if (this.#speaks()) this.#options.owner.goaway();
  }

  /** False when the link was closed by a frame before. @throws LinkFault when the peer did not say HELLO */
  #speaks(): boolean {
    if (this.#closed) return false;
    if (!this.#isOpen) throw new LinkFault('a link that does not begin with HELLO');
    return true;
  }

  #takes(size: number): boolean {
    if (!this.#speaks()) return false;
    this.#taken += size;
    if (this.#taken > this.#options.limits.windowBytes + maxFrameBytes)
      throw new LinkFault(`more than the window of ${this.#options.limits.windowBytes} bytes`);
    return true;
  }

  #giveBack(): void {
    const { windowBytes, stallBytes } = this.#options.limits;
    if (this.#taken < windowBytes / 4 || this.outbox.waitingBytes > stallBytes) return;
    this.outbox.giveBack(this.#taken);
    this.#taken = 0;
  }
}

/** What pieces may hold beyond twice their message. */
const pieceSlackBytes = 1024 * 1024;

/** Keeps a piece as it came, unless the pieces hold far more memory than they have bytes: a peer may send tiny ones. */
function keep(partial: Partial, bytes: Buffer): void {
  partial.held += bytes.buffer.byteLength;
  const holdsTooMuch = partial.held > 2 * partial.head.total + pieceSlackBytes;
  partial.pieces.push(holdsTooMuch ? Buffer.from(bytes) : bytes);
}

/** Memory up to this size may be held by any message in it, in bytes: more than what Node reads and pools at once. */
const heldBytes = 128 * 1024;

/** What may wait long must not hold a batch that is many times its size: it is copied out of it. */
export function alone(message: Buffer): Buffer {
  const held = message.buffer.byteLength;
  return held > heldBytes && held > 4 * message.length ? Buffer.from(message) : message;
}
