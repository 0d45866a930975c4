import type { Dated, Deadlines } from '../deadlines.ts';
import { errorName } from '../errors.ts';
import { isCoding } from '../grpc/codings.ts';
import type { Coding, Compression } from '../grpc/codings.ts';
import type { Inflater } from '../grpc/inflater.ts';
import { Inflating } from '../grpc/inflating.ts';
import { MessageFault, MessageReader } from '../grpc/message-reader.ts';
import { statusCodes, statusOfReset } from '../grpc/status.ts';
import type { ClientConnection } from '../http2/client-connection.ts';
import { readResponse, readTrailers, valueOf } from '../http2/fields.ts';
import type { AbortedBy, Http2Stream, StreamSink } from '../http2/http2-stream.ts';
import type { HeaderBlock } from '../hpack/header-block.ts';
import { refusedByHttp, statusOfTrailers } from './call-status.ts';
import type { CallStatus } from './call-status.ts';
import { Outgoing } from './outgoing.ts';

/** Who made a call. */
export interface CallEvents {
  /** Header fields of the answer, names and values in turn. */
  head?(fields: readonly string[]): void;
  message(octets: Buffer): void;
  /** Once, and last. */
  ended(status: CallStatus): void;
  /** What was written has been handed over, and there may be more. */
  drained?(): void;
}

export interface CallParts {
  readonly events: CallEvents;
  readonly deadlines: Deadlines;
  /** On the monotonic clock; Infinity for none. */
  readonly deadlineAt: number;
  /** Octets of an answer's message at most. */
  readonly maxMessageOctets: number;
  /** With the same bound. */
  readonly inflater: Inflater;
  /** How requests are compressed; undefined for not at all. */
  readonly compression?: Compression | undefined;
}

/** One call as the client has it. It may be written to before there is a connection. */
export class ClientCall implements StreamSink, Dated {
  readonly deadlineAt: number;
  heapIndex = -1;
  readonly #parts: CallParts;
  #connection: ClientConnection | undefined;
  #stream: Http2Stream | undefined;
  readonly #outgoing: Outgoing;
  #hasHead = false;
  /** Octets that the answer has by its `content-length`, and that have come. */
  #announced: number | undefined;
  #received = 0;
  #coding: Coding | undefined;
  #reader: MessageReader | undefined;
  #inflating: Inflating | undefined;
  /** The status, while messages before it are to be inflated. */
  #status: CallStatus | undefined;
  #paused = false;
  #held = 0;
  #over = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.deadlineAt = parts.deadlineAt;
    this.#outgoing = new Outgoing(parts.compression, () => this.drained());
    parts.deadlines.add(this);
  }

  get isOver(): boolean {
    return this.#over;
  }
  /** Something that was written waits for the server. */
  get isBlocked(): boolean {
    return this.#outgoing.isBlocked;
  }

  /**
   * @param octets nobody changes them until they are sent
   * @param suffix ends the message; large ones are not copied for it
   */
  write(octets: Uint8Array, suffix?: Uint8Array): void {
    this.#outgoing.write(octets, suffix, false);
  }

  /** Writes the last message, and says that it is. */
  writeLast(octets: Uint8Array, suffix?: Uint8Array): void {
    this.#outgoing.write(octets, suffix, true);
  }

  halfClose(): void {
    this.#outgoing.halfClose();
  }

  /** Messages go on to come as far as the window of the stream goes, and no further. Of those that are compressed none is inflated. */
  pause(): void {
    this.#paused = true;
    this.#inflating?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#inflating?.resume();
    this.#giveBack();
  }

  /** All that has come was given on: more may come. */
  #giveBack(): void {
    if (this.#paused || this.#isInflating || this.#over) return;
    if (this.#stream !== undefined && this.#held > 0) this.#connection!.consume(this.#stream, this.#held);
    this.#held = 0;
  }

  get #isInflating(): boolean {
    return this.#inflating?.isBusy === true;
  }

  cancel(details = 'cancelled'): void {
    this.#give('CANCEL', { code: statusCodes.CANCELLED, details, trailers: [], origin: 'here' });
  }

  expire(): void {
    const details = 'the deadline has passed';
    this.#give('CANCEL', { code: statusCodes.DEADLINE_EXCEEDED, details, trailers: [], origin: 'here' });
  }

  /** The stream is open: what was written before goes out. Only the channel calls it. */
  opened(connection: ClientConnection, stream: Http2Stream): void {
    this.#connection = connection;
    this.#stream = stream;
    if (this.#outgoing.opened(connection, stream) && !this.isBlocked) this.drained();
  }

  /** There will be no stream for it. Only the channel calls it. */
  unsent(details: string): void {
    this.#end({ code: statusCodes.UNAVAILABLE, details, trailers: [], origin: 'unsent' });
  }

  headers(block: HeaderBlock, ended: boolean): void {
    const fields = this.#hasHead ? readTrailers(block) : readResponse(block);
    if (block.tooLong || fields.malformed !== undefined) {
      const why = block.tooLong ? 'too many of them, or too many octets' : fields.malformed!;
      this.#fault(`the server's header fields: ${why}`);
    } else if (this.#hasHead) {
      if (ended) this.#finish(statusOfTrailers(fields));
      else this.#fault('header fields in the middle of an answer');
    } else if (fields.pseudo.get(':status')!.startsWith('1')) {
      // An interim response says nothing to anybody here, and ends nothing.
      if (ended) this.#fault('an interim response that ends its stream');
    } else {
      this.#hasHead = true;
      this.#announced = fields.contentLength;
      const refused = refusedByHttp(fields);
      if (refused !== undefined) this.#give('CANCEL', refused);
      else if (ended) this.#finish(statusOfTrailers(fields));
      else this.#head(fields.regular);
    }
  }

  data(chunk: Buffer, start: number, end: number): void {
    if (!this.#hasHead) {
      this.#fault('data before any header fields');
      return;
    }
    this.#received += end - start;
    try {
      this.#reader ??= new MessageReader({
        maxOctets: this.#parts.maxMessageOctets,
        announced: () => undefined,
        reserve: () => undefined,
        message: (octets, compressed) => this.#message(octets, compressed),
      });
      this.#reader.read(chunk, start, end);
    } catch (error) {
      this.#messageFault(error);
    }
    if (this.#over) return;
    this.#held += end - start;
    this.#giveBack();
  }

  ended(): void {
    const details = 'the server ended without a status';
    // Nobody knows what became of the call.
    this.#finish({ code: statusCodes.UNKNOWN, details, trailers: [], origin: 'lost' });
  }

  aborted(code: number, by: AbortedBy): void {
    // All was said before, and messages of it are being inflated (RFC 9113, section 8.1).
    if (this.#status !== undefined) return;
    // Not taken up: RFC 9113, section 8.7.
    if (code === 0x7 && by === 'peer') this.unsent('the server did not take it up');
    else if (by === 'connection') {
      const why = this.#connection?.failure?.message ?? 'it was closed';
      const details = `the connection was lost: ${why}`;
      this.#end({ code: statusCodes.UNAVAILABLE, details, trailers: [], origin: 'lost' });
    } else if (by === 'peer')
      this.#end({
        code: statusOfReset(code),
        details: `the server reset the stream: ${errorName(code)}`,
        trailers: [],
        origin: 'lost',
      });
    else this.#fault(`the server broke the protocol: ${errorName(code)}`);
  }

  drained(): void {
    if (!this.#over && !this.isBlocked) this.#parts.events.drained?.();
  }

  sentEnd(): void {
    // The server answers when it likes.
  }

  #head(fields: readonly string[]): void {
    const coding = valueOf(fields, 'grpc-encoding') ?? 'identity';
    this.#coding = isCoding(coding) ? coding : undefined;
    this.#parts.events.head?.(fields);
  }

  #message(octets: Buffer, compressed: boolean): void {
    if (!compressed && !this.#isInflating) {
      this.#parts.events.message(octets);
      return;
    }
    if (compressed && (this.#coding === undefined || this.#coding === 'identity'))
      throw new MessageFault('malformed', 'a compressed message in a coding that was not named, or is not known');
    this.#inflating ??= this.#newInflating(this.#coding as Compression);
    this.#inflating.add(octets, compressed);
  }

  #newInflating(coding: Compression): Inflating {
    const wanted = (): void => {
      if (this.#over) throw new MessageFault('malformed', 'nobody waits for it any more');
    };
    const inflating = new Inflating({
      inflate: (octets) => this.#parts.inflater.inflate(octets, coding, wanted),
      take: (octets) => {
        if (!this.#over) this.#parts.events.message(octets);
      },
      failed: (error) => this.#messageFault(error),
      idle: () => {
        this.#giveBack();
        if (this.#status !== undefined) this.#end(this.#status);
      },
    });
    if (this.#paused) inflating.pause();
    return inflating;
  }

  #messageFault(error: unknown): void {
    if (!(error instanceof MessageFault)) throw error;
    const code = error.kind === 'too-large' ? statusCodes.RESOURCE_EXHAUSTED : statusCodes.INTERNAL;
    const details = error.kind === 'too-large' ? 'the answer is larger than is taken here' : error.message;
    this.#give('CANCEL', { code, details, trailers: [], origin: 'answered' });
  }

  #fault(details: string): void {
    this.#give('PROTOCOL_ERROR', { code: statusCodes.INTERNAL, details, trailers: [], origin: 'answered' });
  }

  /** The server has said its status; messages before it come first. */
  #finish(status: CallStatus): void {
    if (this.#announced !== undefined && this.#announced !== this.#received) {
      this.#fault(`the server's content-length is ${this.#announced}, and ${this.#received} octets came`);
      return;
    }
    const cutOff = this.#reader?.midMessage === true && status.code === statusCodes.OK;
    const said = cutOff
      ? { ...status, code: statusCodes.INTERNAL, details: 'the answer ends within a message' }
      : status;
    if (!this.#isInflating) this.#end(said);
    else this.#status = said;
    // It need not hear the rest.
    if (!this.#outgoing.halfClosed && this.#stream?.isOver === false)
      this.#connection!.cancel(this.#stream, 'NO_ERROR');
  }

  /** Ends it from here. */
  #give(error: 'CANCEL' | 'PROTOCOL_ERROR', status: CallStatus): void {
    if (this.#over) return;
    this.#end(status);
    if (this.#stream === undefined) return;
    if (error === 'CANCEL') this.#connection!.cancel(this.#stream, error);
    else this.#connection!.resetForFault(this.#stream, error);
  }

  #end(status: CallStatus): void {
    if (this.#over) return;
    this.#over = true;
    this.#outgoing.stop();
    this.#inflating?.stop();
    this.#parts.deadlines.remove(this);
    this.#parts.events.ended(status);
  }
}
