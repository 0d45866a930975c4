import { HpackEncoder } from '../hpack/encoder.ts';
import { LinkedList } from '../linked-list.ts';
import { largestWindow, defaultWindow } from './frame-types.ts';
import { writeData, writeDataHeader, writeHeaders } from './frame-writer.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { OutQueue } from './out-queue.ts';
import type { PeerSettings } from './settings.ts';

/** Data stays with its stream while so much waits for the socket: others are to have their turn. */
const mostQueued = 256 * 1024;

/**
 * Small frames that a client may send beyond its limits for each header block, message, and frame of more than a few octets
 * that it gets: C core opens both windows by as few octets as it has read, and grpc-go opens one and pings, to measure what
 * the connection can carry.
 */
const answersEach = 3;
/** Of frames that a client has cut out of a message by its window. */
const fewOctets = 1024;

export interface SendingPorts {
  readonly out: OutQueue;
  readonly settings: PeerSettings;
  /** Names and values of fields that most header blocks have. */
  readonly repeated: readonly string[];
  /** All of a stream has been handed over. */
  readonly ended: (stream: Http2Stream) => void;
  readonly now: () => number;
}

/** What a connection sends on its streams: header blocks, and data as far as both windows of the peer allow. */
export class Sending {
  readonly encoder: HpackEncoder;
  readonly #ports: SendingPorts;
  /** Streams with data that may be sent as far as their own window goes. */
  readonly #ready = new LinkedList<Http2Stream>();
  #window = defaultWindow;
  /** Small frames of the peer that are the answer to what was sent. */
  #expected = 0;

  constructor(ports: SendingPorts) {
    this.#ports = ports;
    this.encoder = new HpackEncoder(ports.repeated);
  }

  /** Streams that have data and room for it wait for the socket. */
  get waits(): boolean {
    return this.#ready.size > 0;
  }

  /** A small frame has come. @returns whether it may be the answer to something that was sent */
  expects(): boolean {
    if (this.#expected === 0) return false;
    this.#expected--;
    return true;
  }

  /** Octets that the connection's window has left. */
  get window(): number {
    return this.#window;
  }

  /**
   * @param fields never changed when `constant`
   * @param endStream these are trailers, or an answer without any data
   */
  headers(stream: Http2Stream, fields: readonly string[], constant: boolean, endStream: boolean): void {
    if (stream.localEnded || stream.finishing) return;
    stream.finishing = endStream;
    if (stream.waiting !== undefined) {
      stream.trailers = fields;
      return;
    }
    this.#expected += answersEach;
    const block = constant ? this.encoder.encodeConstant(fields) : this.encoder.encode(fields);
    writeHeaders(this.#ports.out, stream.id, block, endStream, this.#ports.settings.maxFrameSize);
    if (endStream) this.#ports.ended(stream);
  }

  /**
   * Sends `head` and `octets` as one, now or when the peer allows it.
   * @param head a few octets, or none
   */
  data(stream: Http2Stream, head: Uint8Array | undefined, octets: Uint8Array, endStream: boolean): void {
    if (stream.localEnded || stream.finishing) return;
    stream.finishing = endStream;
    this.#expected += answersEach;
    const { out, settings } = this.#ports;
    const headOctets = head === undefined ? 0 : head.length;
    const total = headOctets + octets.length;
    const fits = total <= stream.sendWindow && total <= this.#window && total <= settings.maxFrameSize;
    if (stream.waiting === undefined && (total === 0 || (fits && out.octets < mostQueued))) {
      this.#take(stream, total);
      writeOne(out, stream.id, { head, octets, endStream });
      if (endStream) this.#ports.ended(stream);
      return;
    }
    stream.waiting ??= [];
    if (head !== undefined) stream.waiting.push({ octets: head, at: 0 });
    if (octets.length > 0) stream.waiting.push({ octets, at: 0 });
    stream.waitingOctets += total;
    if (stream.place === undefined) this.#pump(stream);
  }

  /** There is room again, in the socket or in the connection's window: streams go on, a frame each in turn. */
  resume(): void {
    while (this.#ready.size > 0 && this.#window > 0 && this.#ports.out.octets < mostQueued) {
      const stream = this.#ready.first!;
      this.#unqueue(stream);
      this.#pump(stream);
    }
  }

  /** The peer allows more on the connection. @returns false: more than there can be */
  allow(increment: number): boolean {
    this.#window += increment;
    return this.#window <= largestWindow;
  }

  /** The peer allows more on a stream, or less. @returns false: more than there can be */
  allowStream(stream: Http2Stream, increment: number): boolean {
    stream.sendWindow += increment;
    if (stream.sendWindow > largestWindow) return false;
    if (stream.waiting !== undefined && stream.place === undefined) this.#pump(stream);
    return true;
  }

  /** Forgets what a stream that is over had to send. */
  drop(stream: Http2Stream): void {
    this.#unqueue(stream);
    stream.waiting = undefined;
    stream.waitingOctets = 0;
    stream.trailers = undefined;
  }

  #take(stream: Http2Stream, octets: number): void {
    stream.sendWindow -= octets;
    this.#window -= octets;
  }

  #unqueue(stream: Http2Stream): void {
    this.#ready.remove(stream.place);
    stream.place = undefined;
  }

  /** Sends what may be sent of a stream; after each frame those that are ready have their turn. */
  #pump(stream: Http2Stream): void {
    while (stream.waiting !== undefined && stream.waiting.length > 0) {
      if (stream.sendWindow <= 0 || this.#window <= 0) {
        stream.blockedSinceMs ??= this.#ports.now();
        // Without a window of its own it is for the peer to wake it.
        if (stream.sendWindow > 0) stream.place = this.#ready.add(stream);
        return;
      }
      if (this.#ports.out.octets >= mostQueued) {
        stream.place = this.#ready.add(stream);
        return;
      }
      this.#sendPiece(stream);
      if (this.#ready.size > 0 && stream.waiting.length > 0) {
        stream.place = this.#ready.add(stream);
        return;
      }
    }
    this.#sentAll(stream);
  }

  #sendPiece(stream: Http2Stream): void {
    const piece = stream.waiting![0]!;
    const room = Math.min(stream.sendWindow, this.#window, this.#ports.settings.maxFrameSize);
    const count = Math.min(room, piece.octets.length - piece.at);
    const whole = piece.at + count === piece.octets.length;
    const last = whole && stream.waiting!.length === 1;
    const endStream = last && stream.finishing && stream.trailers === undefined;
    writeData(this.#ports.out, stream.id, piece.octets, piece.at, piece.at + count, endStream);
    if (count > fewOctets) this.#expected += answersEach;
    piece.at += count;
    this.#take(stream, count);
    stream.waitingOctets -= count;
    stream.blockedSinceMs = undefined;
    if (whole) stream.waiting!.shift();
  }

  #sentAll(stream: Http2Stream): void {
    stream.waiting = undefined;
    const { trailers } = stream;
    stream.trailers = undefined;
    if (trailers !== undefined) {
      const block = this.encoder.encode(trailers);
      writeHeaders(this.#ports.out, stream.id, block, true, this.#ports.settings.maxFrameSize);
    }
    if (stream.finishing) this.#ports.ended(stream);
    else stream.sink.drained();
  }
}

function writeOne(
  out: OutQueue,
  streamId: number,
  { head, octets, endStream }: { head: Uint8Array | undefined; octets: Uint8Array; endStream: boolean },
): void {
  if (head === undefined) {
    writeData(out, streamId, octets, 0, octets.length, endStream);
    return;
  }
  writeDataHeader(out, head.length + octets.length, streamId, endStream);
  out.append(head);
  out.append(octets);
}
