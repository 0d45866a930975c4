import { createGunzip, createInflate, gunzipSync, inflateSync } from 'node:zlib';
import type { Compression } from './codings.ts';
import { MessageFault } from './message-reader.ts';

/** Up to so many octets a message is inflated where it stands, which costs less than another thread does. */
const mostInPlace = 1024;
/** What is inflated so in a turn of the event loop: a small message may become a thousand times as large, and a chunk has hundreds. */
const octetsPerTurn = 128 * 1024;
/** What it costs to begin with one, as octets that are inflated. */
const leastCost = 8 * 1024;
/** Messages that are inflated in other threads at once. Those have others to serve. */
const mostBeside = 4;

/** Makes room for octets. @throws MessageFault when there is none, or nobody wants them any more */
export type Reserve = (octets: number) => void;

const unbounded: Reserve = () => undefined;

/** Inflates the messages of one connection, so that it costs the others little whatever comes. Their order is for who asks. */
export class Inflater {
  readonly #maxOctets: number;
  /** Of what may be inflated in this turn. */
  #left = octetsPerTurn;
  #turning = false;
  readonly #forNextTurn: (() => void)[] = [];
  #beside = 0;
  readonly #forPlace: (() => void)[] = [];

  /** @param maxOctets of a message when it is inflated */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /**
   * The message that was compressed: at once where it is small, and little was inflated in this turn; else later. It ends at the limit, whatever
   * would come.
   * @param reserve room for what is inflated in another thread
   * @throws MessageFault, or rejects with it
   */
  inflate(octets: Buffer, coding: Compression, reserve = unbounded): Buffer | Promise<Buffer> {
    if (octets.length > mostInPlace) return this.#inflateBeside(octets, coding, reserve);
    if (this.#hasTurn && this.#forNextTurn.length === 0) return this.#inflateInPlace(octets, coding, reserve);
    return this.#nextTurn().then(() => this.#inflateInPlace(octets, coding, reserve));
  }

  get #hasTurn(): boolean {
    return this.#left >= leastCost;
  }

  #inflateInPlace(octets: Buffer, coding: Compression, reserve: Reserve): Buffer | Promise<Buffer> {
    // It may be over since it came.
    reserve(0);
    const most = Math.min(this.#maxOctets, this.#left);
    let cost = leastCost;
    try {
      const inflated = (coding === 'gzip' ? gunzipSync : inflateSync)(octets, { maxOutputLength: most });
      cost = Math.max(cost, inflated.length);
      return inflated;
    } catch (error) {
      if (!isTooLarge(error)) throw faultOf(error, coding, this.#maxOctets);
      cost = Math.max(cost, most);
      if (most === this.#maxOctets) throw tooLarge(most);
      return this.#inflateBeside(octets, coding, reserve);
    } finally {
      this.#spend(cost);
    }
  }

  #spend(octets: number): void {
    this.#left -= octets;
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => {
      this.#turning = false;
      this.#left = octetsPerTurn;
      this.#goOn();
    });
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.#forNextTurn.push(resolve));
  }

  /** One goes on, and the next when that is done with its part of the turn. */
  #goOn(): void {
    if (!this.#hasTurn) return;
    this.#forNextTurn.shift()?.();
    if (this.#forNextTurn.length > 0) queueMicrotask(() => this.#goOn());
  }

  async #inflateBeside(octets: Buffer, coding: Compression, reserve: Reserve): Promise<Buffer> {
    if (this.#beside < mostBeside) this.#beside++;
    else await new Promise<void>((resolve) => this.#forPlace.push(resolve));
    try {
      reserve(0);
      return await inflateBeside(octets, coding, this.#maxOctets, reserve);
    } finally {
      const next = this.#forPlace.shift();
      // It has the place of this one.
      if (next === undefined) this.#beside--;
      else next();
    }
  }
}

function inflateBeside(octets: Buffer, coding: Compression, maxOctets: number, reserve: Reserve): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = coding === 'gzip' ? createGunzip() : createInflate();
    const pieces: Buffer[] = [];
    let length = 0;
    stream.on('data', (piece: Buffer) => {
      length += piece.length;
      try {
        if (length > maxOctets) throw tooLarge(maxOctets);
        reserve(piece.length);
        pieces.push(piece);
      } catch (error) {
        stream.destroy(error as Error);
      }
    });
    stream.on('end', () => resolve(Buffer.concat(pieces, length)));
    stream.on('error', (error) => reject(faultOf(error, coding, maxOctets)));
    stream.end(octets);
  });
}

const isTooLarge = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';

const tooLarge = (maxOctets: number): MessageFault =>
  new MessageFault(
    'too-large',
    `the request has more bytes than the limit of ${maxOctets} when it is decompressed; send less at once`,
  );

function faultOf(error: unknown, coding: Compression, maxOctets: number): MessageFault {
  if (error instanceof MessageFault) return error;
  if (isTooLarge(error)) return tooLarge(maxOctets);
  return new MessageFault('malformed', `a message that does not decompress as ${coding}`);
}
