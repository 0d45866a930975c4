import { HpackEncoder } from '../hpack/encoder.ts';
import { LinkedList } from '../linked-list.ts';
import type { Backlog } from './backlog.ts';
import { largestWindow, defaultWindow } from './frame-types.ts';
import { writeData, writeDataHeader, writeHeaders } from './frame-writer.ts';
import type { Http2Stream, Outgoing } from './http2-stream.ts';
import type { OutQueue } from './out-queue.ts';
import type { PeerSettings } from './settings.ts';

/** Data stays with its stream while so much waits for the socket: others are to have their turn. */
const mostQueued = 256 * 1024;
/** Of a DATA frame, whatever the peer would take: others are to have their turn behind each. */
const mostOfFrame = 64 * 1024;

/**
 * Small frames that a client may send beyond its limits for each frame that it gets: C core opens both windows by as few octets
 * as it has read, and grpc-go opens one and pings, to measure what the connection can carry.
 */
const answersEach = 3;
/** Of frames of so few octets, or fewer, not all count: a client that opens its windows octet by octet cuts them to its liking. */
const fewOctets = 1024;
/** But as many of each message: one of so few octets may be cut in whatever way. Longer frames have longer answers. */
const mostCuts = 64;

export interface SendingPorts {
  readonly out: OutQueue;
  readonly backlog: Backlog;
  readonly settings: PeerSettings;
  /** Names and values of fields that most header blocks have. */
  readonly repeated: readonly string[];
  /** All of a stream has been handed over. */
  readonly ended: (stream: Http2Stream) => void;
  readonly now: () => number;
  /** A stream with so much to send and without a window for it goes on only when so many octets have been sent of it. */
  readonly leastOctets: number;
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
      this.#ports.backlog.add(octetsOf(fields));
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
    const { out } = this.#ports;
    const headOctets = head === undefined ? 0 : head.length;
    const total = headOctets + octets.length;
    if (total === 0 ? stream.waiting === undefined : this.goesOut(stream, total)) {
      this.#take(stream, total);
      writeOne(out, stream.id, { head, octets, endStream });
      if (endStream) this.#ports.ended(stream);
      return;
    }
    stream.waiting ??= [];
    if (head !== undefined)
      stream.waiting.push({ octets: head, at: 0, cuts: 0, message: octets.length === 0 ? 0 : undefined });
    if (octets.length > 0) stream.waiting.push({ octets, at: 0, cuts: 0, message: octets.length });
    if (total > 0) this.#ports.backlog.add(octets.length);
    stream.waitingOctets += total;
    if (stream.place === undefined) this.#pump(stream);
  }

  /** Whether so many octets of a stream would go out now, in one frame; else they wait. */
  goesOut(stream: Http2Stream, octets: number): boolean {
    const { out } = this.#ports;
    const fits = octets <= stream.sendWindow && octets <= this.#window && octets <= this.#mostOfFrame;
    return fits && stream.waiting === undefined && out.octets < mostQueued;
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
    for (const piece of stream.waiting ?? []) this.#leave(piece);
    stream.waiting = undefined;
    stream.waitingOctets = 0;
    this.#takeTrailers(stream);
  }

  get #mostOfFrame(): number {
    return Math.min(this.#ports.settings.maxFrameSize, mostOfFrame);
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
        if (stream.blockedSinceMs === undefined) {
          stream.blockedSinceMs = this.#ports.now();
          stream.sentBlocked = 0;
        }
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
    const room = Math.min(stream.sendWindow, this.#window, this.#mostOfFrame);
    const count = Math.min(room, piece.octets.length - piece.at);
    const whole = piece.at + count === piece.octets.length;
    const last = whole && stream.waiting!.length === 1;
    const endStream = last && stream.finishing && stream.trailers === undefined;
    writeData(this.#ports.out, stream.id, piece.octets, piece.at, piece.at + count, endStream);
    this.#ports.out.count(count);
    if (count > fewOctets || ++piece.cuts <= mostCuts) this.#expected += answersEach;
    piece.at += count;
    this.#take(stream, count);
    stream.waitingOctets -= count;
    stream.sentBlocked += count;
    if (stream.sentBlocked >= this.#ports.leastOctets) stream.blockedSinceMs = undefined;
    if (!whole) return;
    stream.waiting!.shift();
    this.#leave(piece);
  }

  #leave({ message }: Outgoing): void {
    const { out, backlog } = this.#ports;
    if (message !== undefined) backlog.leave(message, out.octets);
  }

  #takeTrailers(stream: Http2Stream): readonly string[] | undefined {
    const { trailers } = stream;
    stream.trailers = undefined;
    if (trailers !== undefined) this.#ports.backlog.remove(octetsOf(trailers));
    return trailers;
  }

  #sentAll(stream: Http2Stream): void {
    stream.waiting = undefined;
    stream.blockedSinceMs = undefined;
    const trailers = this.#takeTrailers(stream);
    if (trailers !== undefined) {
      const block = this.encoder.encode(trailers);
      writeHeaders(this.#ports.out, stream.id, block, true, this.#ports.settings.maxFrameSize);
    }
    if (stream.finishing) this.#ports.ended(stream);
    else stream.sink.drained();
  }
}

const octetsOf = (fields: readonly string[]): number => fields.reduce((sum, { length }) => sum + length, 0);

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
