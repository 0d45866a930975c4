import { clientPreface, defaultMaxFrameSize, flags, frameHeaderOctets, frameTypes } from '../src/http2/frame-types.ts';

/** What was fed on one stream. */
export interface FedStream {
  readonly data: Buffer[];
  /** END_STREAM has come. */
  ended: boolean;
  /** RST_STREAM has come; nothing may be sent on it from the next chunk on. */
  reset: boolean;
  /** Credits of WINDOW_UPDATE. */
  credit: number;
  /** A header block that begins it was whole. */
  opened: boolean;
}

/**
 * Reads what is fed to a connection as far as a judge of its answers needs to know, with as little as it takes: it does not ask whether a frame may
 * come where it does. What the connection under test makes of the same octets is always less than this.
 */
export class FedFrames {
  readonly #streams = new Map<number, FedStream>();
  /** Payloads of SETTINGS that were not acknowledged yet. */
  readonly settings: Buffer[] = [];
  /** Payloads of PING that were not answered yet. */
  readonly pings: Buffer[] = [];
  connectionCredit = 0;
  highestOpened = 0;
  /** Of the last stream that is taken up, as GOAWAY says. */
  lastTaken = Infinity;
  #preface: number;
  #rest: Buffer = Buffer.alloc(0);
  /** Nothing that comes can be told apart any more. */
  #broken = false;
  #block: { readonly streamId: number; readonly ended: boolean } | undefined;

  /** @param fromClient it begins with the preface */
  constructor(fromClient: boolean) {
    this.#preface = fromClient ? 0 : clientPreface.length;
  }

  stream(id: number): FedStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      stream = { data: [], ended: false, reset: false, credit: 0, opened: false };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  /** Data of a stream without padding, with what has come of a frame that is not whole. */
  dataOf(id: number): Buffer {
    const { data: pieces, ended } = this.stream(id);
    const rest = this.#rest;
    const cut =
      !ended &&
      rest.length > frameHeaderOctets &&
      rest[3] === frameTypes.DATA &&
      (rest[4]! & flags.PADDED) === 0 &&
      streamOf(rest, 0) === id;
    return Buffer.concat(cut ? [...pieces, rest.subarray(frameHeaderOctets)] : pieces);
  }

  add(chunk: Buffer): void {
    if (this.#broken) return;
    let octets = chunk;
    if (this.#preface < clientPreface.length) {
      const count = Math.min(chunk.length, clientPreface.length - this.#preface);
      if (!chunk.subarray(0, count).equals(clientPreface.subarray(this.#preface, this.#preface + count))) {
        this.#broken = true;
        return;
      }
      this.#preface += count;
      octets = chunk.subarray(count);
    }
    this.#rest = this.#rest.length === 0 ? octets : Buffer.concat([this.#rest, octets]);
    let at = 0;
    while (this.#rest.length - at >= frameHeaderOctets) {
      const length = this.#rest.readUIntBE(at, 3);
      if (length > defaultMaxFrameSize) {
        this.#broken = true;
        return;
      }
      const end = at + frameHeaderOctets + length;
      if (end > this.#rest.length) break;
      const payload = this.#rest.subarray(at + frameHeaderOctets, end);
      this.#frame(this.#rest[at + 3]!, this.#rest[at + 4]!, streamOf(this.#rest, at), payload);
      at = end;
    }
    this.#rest = this.#rest.subarray(at);
  }

  #frame(type: number, flag: number, id: number, payload: Buffer): void {
    const ends = (flag & flags.END_STREAM) !== 0;
    switch (type) {
      case frameTypes.DATA:
        this.#data(flag, id, payload);
        if (ends) this.stream(id).ended = true;
        return;
      case frameTypes.HEADERS:
        if (flag & flags.END_HEADERS) this.#opened(id, ends);
        else this.#block = { streamId: id, ended: ends };
        return;
      case frameTypes.CONTINUATION:
        if (this.#block !== undefined && flag & flags.END_HEADERS)
          this.#opened(this.#block.streamId, this.#block.ended);
        return;
      case frameTypes.RST_STREAM:
        this.stream(id).reset = true;
        return;
      case frameTypes.SETTINGS:
        if ((flag & flags.ACK) === 0) this.settings.push(Buffer.from(payload));
        return;
      case frameTypes.PING:
        if ((flag & flags.ACK) === 0) this.pings.push(Buffer.from(payload));
        return;
      case frameTypes.GOAWAY:
        if (payload.length >= 8) this.lastTaken = payload.readUInt32BE(0) & 0x7fff_ffff;
        return;
      case frameTypes.WINDOW_UPDATE:
        this.#windowUpdate(id, payload);
        return;
      default:
    }
  }

  /** What comes behind the end is of no request. */
  #data(flag: number, id: number, payload: Buffer): void {
    if (this.stream(id).ended) return;
    const padded = (flag & flags.PADDED) !== 0;
    const end = padded ? payload.length - (payload[0] ?? 0) : payload.length;
    this.stream(id).data.push(payload.subarray(padded ? 1 : 0, Math.max(padded ? 1 : 0, end)));
  }

  #opened(id: number, ended: boolean): void {
    const stream = this.stream(id);
    stream.opened = true;
    if (ended) stream.ended = true;
    this.highestOpened = Math.max(this.highestOpened, id);
  }

  #windowUpdate(id: number, payload: Buffer): void {
    if (payload.length !== 4) return;
    const increment = payload.readUInt32BE(0) & 0x7fff_ffff;
    if (id === 0) this.connectionCredit += increment;
    else this.stream(id).credit += increment;
  }
}

const streamOf = (octets: Buffer, at: number): number => octets.readUInt32BE(at + 5) & 0x7fff_ffff;
