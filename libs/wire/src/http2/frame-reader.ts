import { ConnectionError } from '../errors.ts';
import { defaultMaxFrameSize, flags as flag, frameHeaderOctets, frameTypes } from './frame-types.ts';

/** Who gets the frames of a connection. Whatever it throws ends the reading. */
export interface FrameSink {
  /** A DATA frame begins. @param length octets of its payload, padding included */
  dataBegins(streamId: number, flags: number, length: number): void;
  /** Octets of its data, without padding, from `start` to `end`; `chunk` is what the socket gave, and not the sink's to keep. */
  dataPiece(chunk: Buffer, start: number, end: number): void;
  dataEnds(): void;
  /** Any other frame, whole. `from` is not the sink's to keep. */
  frame(type: number, flags: number, streamId: number, from: Buffer, start: number, end: number): void;
}

const nothing = Buffer.alloc(0);

/**
 * Finds the frames in what a socket gives (RFC 9113, section 4.1). Payloads are read where they lie; what is cut between two chunks is put together,
 * but for DATA, of which each piece is passed on as it comes.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The header, or the payload, of a frame of which a part has come. */
  #partial = Buffer.allocUnsafeSlow(frameHeaderOctets);
  #have = 0;
  /** A header was read: these are of the frame that it begins. */
  #inFrame = false;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Octets of the payload that have not come; of a frame that is put together all of them. */
  #left = 0;
  #payload = nothing;
  /** Frames that have begun. */
  #count = 0;
  #stopped = false;
  /** What is left of a chunk, where it is not read on for now. */
  #rest: Buffer | undefined;
  readonly #isFull: () => boolean;

  /** @param isFull asked before each frame, and within its header: it is read when there is room for what it leads to, by `goOn` */
  constructor(sink: FrameSink, isFull: () => boolean) {
    this.#sink = sink;
    this.#isFull = isFull;
  }

  /** It has octets that it does not read on until `goOn`. */
  get isHalted(): boolean {
    return this.#rest !== undefined;
  }

  /** Whether a frame has begun and not ended. */
  get midFrame(): boolean {
    return this.#inFrame || this.#have > 0;
  }

  /** The number of the frame of which a part is kept until it is whole; undefined for none. */
  get unfinished(): number | undefined {
    if (this.#inFrame) return this.#passesOn() ? undefined : this.#count;
    return this.#have > 0 ? this.#count + 1 : undefined;
  }

  /**
   * @param chunk not the reader's to keep
   * @throws ConnectionError what the sink throws, and FRAME_SIZE_ERROR
   */
  read(chunk: Buffer): void {
    if (this.#rest !== undefined) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      return;
    }
    const at = this.#readUntilFull(chunk);
    // What is left of it has to outlast it.
    if (at < chunk.length) this.#rest = Buffer.from(chunk.subarray(at));
  }

  /** @returns up to where it has read: to the end, unless it is full before */
  #readUntilFull(chunk: Buffer): number {
    let at = 0;
    const end = chunk.length;
    while (at < end && !this.#stopped) {
      if (this.#inFrame) {
        at = this.#readPayload(chunk, at, end);
      } else if (this.#isFull()) {
        return at;
      } else if (this.#have === 0 && end - at >= frameHeaderOctets) {
        this.#begin(chunk, at);
        at += frameHeaderOctets;
        // An empty payload ends with its header.
        if (this.#left === 0) at = this.#readPayload(chunk, at, end);
      } else {
        const count = Math.min(frameHeaderOctets - this.#have, end - at);
        chunk.copy(this.#partial, this.#have, at, at + count);
        at += count;
        this.#have += count;
        if (this.#have < frameHeaderOctets) return end;
        this.#have = 0;
        this.#begin(this.#partial, 0);
        if (this.#left === 0) at = this.#readPayload(chunk, at, end);
      }
    }
    return end;
  }

  /** Reads what is left, as far as there is room. @throws as `read` */
  goOn(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest === undefined) return;
    const at = this.#readUntilFull(rest);
    if (at < rest.length) this.#rest = rest.subarray(at);
  }

  /** Reads no more, also of what it is reading now: the connection is over. */
  stop(): void {
    this.#stopped = true;
    this.#rest = undefined;
  }

  #begin(from: Buffer, at: number): void {
    const length = (from[at]! << 16) | (from[at + 1]! << 8) | from[at + 2]!;
    this.#type = from[at + 3]!;
    this.#flags = from[at + 4]!;
    this.#streamId = ((from[at + 5]! & 0x7f) << 24) | (from[at + 6]! << 16) | (from[at + 7]! << 8) | from[at + 8]!;
    // The size that we announce is the smallest there is. A frame of a kind that carries no connection state may be refused for its
    // stream alone, but nobody who keeps to the protocol sends one (section 4.2).
    if (length > defaultMaxFrameSize)
      throw new ConnectionError('FRAME_SIZE_ERROR', `a frame of ${length} octets, of ${defaultMaxFrameSize} allowed`);
    this.#left = length;
    this.#inFrame = true;
    this.#count++;
    if (this.#passesOn()) this.#sink.dataBegins(this.#streamId, this.#flags, length);
  }

  /** DATA without padding is passed on in pieces. */
  #passesOn(): boolean {
    return this.#type === frameTypes.DATA && (this.#flags & flag.PADDED) === 0;
  }

  /** @returns up to where it has read */
  #readPayload(chunk: Buffer, at: number, end: number): number {
    if (this.#passesOn()) {
      const upTo = Math.min(end, at + this.#left);
      this.#left -= upTo - at;
      if (upTo > at) this.#sink.dataPiece(chunk, at, upTo);
      if (this.#left === 0) {
        this.#inFrame = false;
        this.#sink.dataEnds();
      }
      return upTo;
    }
    if (this.#have === 0 && end - at >= this.#left) {
      this.#inFrame = false;
      this.#give(chunk, at, at + this.#left);
      return at + this.#left;
    }
    return this.#putTogether(chunk, at, end);
  }

  #putTogether(chunk: Buffer, at: number, end: number): number {
    if (this.#have === 0) this.#payload = Buffer.allocUnsafe(this.#left);
    const upTo = Math.min(end, at + this.#left - this.#have);
    chunk.copy(this.#payload, this.#have, at, upTo);
    this.#have += upTo - at;
    if (this.#have === this.#left) {
      const payload = this.#payload;
      this.#payload = nothing;
      this.#have = 0;
      this.#inFrame = false;
      this.#give(payload, 0, payload.length);
    }
    return upTo;
  }

  #give(from: Buffer, start: number, end: number): void {
    if (this.#type === frameTypes.DATA) this.#givePadded(from, start, end);
    else this.#sink.frame(this.#type, this.#flags, this.#streamId, from, start, end);
  }

  #givePadded(from: Buffer, start: number, end: number): void {
    const dataEnd = unpadded(from, start, end);
    this.#sink.dataBegins(this.#streamId, this.#flags, end - start);
    if (dataEnd > start + 1) this.#sink.dataPiece(from, start + 1, dataEnd);
    this.#sink.dataEnds();
  }
}

/**
 * Where what is padded ends. It begins behind the octet at `start`, which says how long the padding is.
 * @throws ConnectionError where the padding leaves no room for itself (sections 6.1 and 6.2)
 */
export function unpadded(from: Buffer, start: number, end: number): number {
  if (start >= end) throw new ConnectionError('FRAME_SIZE_ERROR', 'a padded frame without the length of its padding');
  const dataEnd = end - from[start]!;
  if (dataEnd <= start) throw new ConnectionError('PROTOCOL_ERROR', 'padding as long as the payload, or longer');
  return dataEnd;
}
