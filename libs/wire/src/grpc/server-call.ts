import type { Dated } from '../deadlines.ts';
import type { Connection } from '../http2/connection.ts';
import { readTrailers } from '../http2/fields.ts';
import type { AbortedBy, Http2Stream, StreamSink } from '../http2/http2-stream.ts';
import type { HeaderBlock } from '../hpack/header-block.ts';
import { kept, ownCopy } from '../kept-octets.ts';
import type { CallHost, CallObserver } from './call-parts.ts';
import { Answering } from './answering.ts';
import type { Compression } from './codings.ts';
import { Inflating } from './inflating.ts';
import { MessageQueue, byItself, isByItself } from './message-queue.ts';
import { MessageFault, MessageReader, prefixOctets } from './message-reader.ts';
import type { RequestHead } from './request-head.ts';
import { statusCodes, statusOfReset } from './status.ts';

export type { CallHost, CallObserver, CallSink, MessageRoom } from './call-parts.ts';

/** What a message that waits costs beside its octets. */
const messageOverhead = 128;
/** A head of so many octets costs no more than the call itself, and is not counted. */
const freeHeadOctets = 1024;
/** Pieces of a message with fewer octets have to be rare. */
const fragmentOctets = 64;

/** One call as the server has it, from its header fields to its trailers: messages in, messages out, and one end. */
export class ServerCall extends Answering implements StreamSink, Dated {
  readonly deadlineAt: number;
  heapIndex = -1;
  observer: CallObserver | undefined;
  #reader: MessageReader | undefined;
  #received = 0;
  #halfClosed = false;
  #paused = false;
  readonly #waiting = new MessageQueue();
  /** Octets that are given back when messages are read again. */
  #held = 0;
  /** Octets of memory that are taken: of a message of which a part has come, and of those that wait. */
  #reserved = 0;
  #reservedForPart = 0;
  /** All of the message of which a part has come is among these. */
  #reservedWhole = false;
  /** Octets of the message of which a part has come, all of it. */
  #announced = 0;
  /** Octets that the sink has before the caller has sent all. */
  #heldBySink = 0;
  /** Messages that did not come in one piece. */
  #messages = 0;
  #inflating: Inflating | undefined;

  constructor(host: CallHost, connection: Connection, stream: Http2Stream, head: RequestHead) {
    super(host, connection, stream, head);
    this.deadlineAt = head.timeoutMs === undefined ? Infinity : host.clock.monotonic() + head.timeoutMs;
    if (head.timeoutMs !== undefined) host.deadlines.add(this);
  }

  get peer(): string {
    return this.host.peer;
  }
  /** When its caller gives up, in milliseconds since the epoch; Infinity for never. */
  get deadlineMs(): number {
    if (this.deadlineAt === Infinity) return Infinity;
    const { clock } = this.host;
    return clock.now() + this.deadlineAt - clock.monotonic();
  }
  /** The caller has ended its side within a message, of which nothing is given. */
  get isCutOff(): boolean {
    return this.#reader?.midMessage === true;
  }

  /** Gives no more messages until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (let octets = this.#nextWaiting(); octets !== undefined; octets = this.#nextWaiting()) {
      this.#release(octets.length + messageOverhead);
      this.sink?.message(octets);
    }
    this.#endReading();
  }

  /** Undefined too when its sink has paused it again, by `message`. */
  #nextWaiting(): Buffer | undefined {
    return this.#paused || this.over ? undefined : this.#waiting.shift();
  }

  /** Long header fields count as held until it is over. @returns whether there is room for them */
  holdHead(): boolean {
    const octets = this.head.octets - freeHeadOctets;
    if (octets <= 0) return true;
    if (!this.host.memory.take(octets)) return false;
    this.#reserved += octets;
    return true;
  }

  /**
   * The sink keeps a message until the caller has sent all.
   * @returns what it is to keep
   * @throws MessageFault when there is no room for it
   */
  hold(octets: Buffer): Buffer {
    this.#reserve(octets.length);
    this.#heldBySink += octets.length;
    // Where the caller may take its time, memory that many messages share would wait with this one.
    const isShort = this.connection.givesLast(this.stream);
    return isShort || isByItself(octets) ? octets : ownCopy(octets, 0, octets.length);
  }

  /** Ends it without its handler, which is told. @param fields of the answer, names and values in turn */
  refuse(code: number, details: string, fields: readonly string[] = []): void {
    if (this.over) return;
    const { sink, observer } = this;
    // Where its handler has ended it, that is counted.
    if (!this.finishing) observer?.refused(code);
    this.finishNow(code, details, [...fields, ...(observer?.trailers() ?? [])]);
    sink?.cancelled(code);
  }

  /** What has come of a message that is not whole, or of the one request of a call, where nothing but its caller is waited for. */
  owed(): { readonly octets: number; readonly messages: number } | undefined {
    if (this.stream.remoteEnded || !(this.over ? this.stream.localEnded : this.#waitsForCaller)) return undefined;
    return { octets: this.#received, messages: this.#messages };
  }

  get #waitsForCaller(): boolean {
    return !this.#paused && !this.#isInflating && (this.isCutOff || this.sink?.takesOne === true);
  }

  tooSlow(): void {
    // It was told all within a frame that does not end.
    if (this.over) this.sentEnd();
    this.refuse(statusCodes.DEADLINE_EXCEEDED, 'the request takes too long to come; send it faster, or at once');
  }

  /** Ends a call whose requests were cut off. @returns whether they were */
  refuseCutOff(): boolean {
    const { isCutOff } = this;
    if (isCutOff) this.refuse(statusCodes.INVALID_ARGUMENT, 'the stream of requests ended within a message');
    return isCutOff;
  }

  /** Ends the stream without a status: for a caller who does not read. */
  abort(): void {
    this.end();
    this.connection.cancel(this.stream, 'CANCEL');
  }

  headers(block: HeaderBlock, ended: boolean): void {
    if (!ended || block.tooLong || readTrailers(block).malformed !== undefined) this.#malformed();
    else this.ended();
  }

  data(chunk: Buffer, start: number, end: number): void {
    const octets = end - start;
    this.#received += octets;
    if (this.over) {
      this.connection.consume(this.stream, octets);
      return;
    }
    try {
      if (!this.#readWhole(chunk, start, end)) this.#read(chunk, start, end);
    } catch (error) {
      this.#fault(error);
    }
    this.#held += octets;
    if (!this.#paused && !this.#isInflating && !this.#windowSuffices) this.#giveBackHeld();
  }

  /** Of a call with one request: what is missing of it has room in the window as it is, so that nothing need be said. */
  get #windowSuffices(): boolean {
    return !this.over && this.sink?.takesOne === true && this.stream.receiveWindow > (this.#reader?.missing ?? 0);
  }

  ended(): void {
    const { contentLength } = this.head;
    if (contentLength !== undefined && contentLength !== this.#received) this.#malformed();
    else {
      this.#halfClosed = true;
      this.#endIfRead();
    }
  }

  aborted(code: number, by: AbortedBy): void {
    const sink = this.over ? undefined : this.sink;
    this.end();
    const isClient = by === 'peer' && (code === 0x8 || code === 0x0);
    sink?.cancelled(isClient || by === 'connection' ? statusCodes.CANCELLED : statusOfReset(code));
  }

  /** The caller was told all before it had said all: it need not go on. */
  sentEnd(): void {
    this.connection.cancel(this.stream, 'NO_ERROR');
  }

  expire(): void {
    this.refuse(statusCodes.DEADLINE_EXCEEDED, "the caller's deadline has passed");
  }

  /** Most requests are one message in one piece. */
  #readWhole(chunk: Buffer, start: number, end: number): boolean {
    if (this.#reader !== undefined || end - start < prefixOctets || chunk[start] !== 0) return false;
    const length = chunk.readUInt32BE(start + 1);
    if (length !== end - start - prefixOctets || length > this.host.maxRequestOctets) return false;
    this.#take(kept(chunk, start + prefixOctets, end));
    return true;
  }

  #read(chunk: Buffer, start: number, end: number): void {
    this.#reader ??= this.#newReader();
    const within = this.#reader.midMessage;
    this.#reader.read(chunk, start, end);
    if (within && end - start < fragmentOctets && this.#reader.midMessage) this.connection.floods.count('fragments');
  }

  #newReader(): MessageReader {
    return new MessageReader({
      maxOctets: this.host.maxRequestOctets,
      announced: (octets) => {
        if (this.over || !this.host.memory.announce(octets)) throw noRoom();
        this.#announced = octets;
      },
      room: (octets) => this.#room(octets),
      reserve: (octets) => {
        if (!this.#reservedWhole) this.#reserveForPart(octets);
      },
      message: (octets, compressed) => {
        this.#messages++;
        // It is whole, and from now on its handler's.
        this.#release(this.#reservedForPart);
        this.#reservedForPart = 0;
        this.#reservedWhole = false;
        this.#forgetAnnounced();
        if (compressed || this.#isInflating) this.#inflate(octets, compressed);
        else this.#take(octets);
      },
    });
  }

  #room(octets: number): Buffer | undefined {
    const room = this.sink?.room?.(octets);
    if (room?.isNew === false) {
      this.#reservedWhole = true;
      this.#reserveForPart(octets);
    }
    return room?.octets;
  }

  #reserveForPart(octets: number): void {
    this.#reserve(octets);
    this.#reservedForPart += octets;
  }

  #forgetAnnounced(): void {
    if (this.#announced > 0) this.host.memory.retract(this.#announced);
    this.#announced = 0;
  }

  #reserve(octets: number): void {
    // What is still inflated for a call that is over is nobody's.
    if (this.over || !this.host.memory.take(octets)) throw noRoom();
    this.#reserved += octets;
  }

  #release(octets: number): void {
    // All of it was given back when the call ended.
    if (octets === 0 || this.over) return;
    this.host.memory.give(octets);
    this.#reserved -= octets;
  }

  #inflate(octets: Buffer, compressed: boolean): void {
    if (compressed && this.head.coding === 'identity')
      throw new MessageFault('malformed', 'a compressed message without grpc-encoding');
    // It waits for its turn, and takes more and more room then.
    this.#reserve(octets.length + messageOverhead);
    this.#inflating ??= this.#newInflating();
    this.#inflating.add(octets, compressed);
  }

  #newInflating(): Inflating {
    // Only what is compressed is inflated, and that was checked.
    const coding = this.head.coding as Compression;
    let cost = 0;
    const reserve = (octets: number): void => {
      this.#reserve(octets);
      cost += octets;
    };
    return new Inflating({
      inflate: (octets) => this.host.inflater.inflate(octets, coding, reserve),
      take: (inflated, came) => {
        this.#release(came + messageOverhead + cost);
        cost = 0;
        this.#take(inflated);
      },
      // What is no fault of a message is a defect, and this call pays for it.
      failed: (error) => this.#faultLater(error),
      idle: () => this.#endReading(),
    });
  }

  get #isInflating(): boolean {
    return this.#inflating?.isBusy === true;
  }

  #take(octets: Buffer): void {
    if (this.over) return;
    if (!this.#paused) {
      this.sink?.message(octets);
      return;
    }
    this.#reserve(octets.length + messageOverhead);
    this.#waiting.push(byItself(octets));
  }

  /** All that has come was read: more may come. */
  #endReading(): void {
    if (this.#paused || this.over || this.#isInflating) return;
    this.#giveBackHeld();
    this.#endIfRead();
  }

  #endIfRead(): void {
    if (!this.#halfClosed || this.over || this.#waiting.size > 0 || this.#isInflating) return;
    this.#halfClosed = false;
    this.#release(this.#heldBySink);
    this.#heldBySink = 0;
    this.sink?.halfClosed();
  }

  #giveBackHeld(): void {
    if (this.#held > 0) this.connection.consume(this.stream, this.#held);
    this.#held = 0;
  }

  #fault(error: unknown): void {
    if (!(error instanceof MessageFault)) throw error;
    const code = error.kind === 'too-large' ? statusCodes.RESOURCE_EXHAUSTED : statusCodes.INTERNAL;
    this.refuse(code, error.message);
  }

  #faultLater(error: unknown): void {
    if (error instanceof MessageFault) this.#fault(error);
    else this.refuse(statusCodes.INTERNAL, 'internal error');
  }

  #malformed(): void {
    this.connection.resetForFault(this.stream, 'PROTOCOL_ERROR');
  }

  protected end(): void {
    this.#reader?.stop();
    this.host.deadlines.remove(this);
    this.#forgetAnnounced();
    this.#release(this.#reserved);
    this.over = true;
    this.stopCompressing();
    this.#inflating?.stop();
    this.#waiting.clear();
  }
}

/** What who finds no room is told. */
export const noRoomDetails = 'the server holds as many bytes of requests as it may; try again later';
const noRoom = (): MessageFault => new MessageFault('too-large', noRoomDetails);
