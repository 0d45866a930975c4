import type { Connection } from '../http2/connection.ts';
import type { Http2Stream } from '../http2/http2-stream.ts';
import type { CallHost, CallSink } from './call-parts.ts';
import { acceptedCodings, isAccepted, leastCompressed } from './codings.ts';
import type { Compression } from './codings.ts';
import { Compressing } from './compressing.ts';
import { prefixOctets, prefixOf } from './message-reader.ts';
import type { Metadata } from './metadata.ts';
import type { RequestHead } from './request-head.ts';
import { encodeMessage, statusCodes } from './status.ts';

/** Fields of an answer, and of one that has no message. The same arrays each time: their blocks are remembered. */
export const answerHead = [':status', '200', 'content-type', 'application/grpc+proto'] as const;
/** The same by how messages are compressed. */
const heads = {
  identity: answerHead,
  gzip: [...answerHead, 'grpc-encoding', 'gzip'],
  deflate: [...answerHead, 'grpc-encoding', 'deflate'],
} as const;
/**
 * The same for who came with a coding that nobody told it to be taken: it is told here that it is (doc/compression.md of grpc/grpc). Others may find
 * out by trying.
 */
const disclosingHeads = {
  identity: [...heads.identity, ...acceptedCodings],
  gzip: [...heads.gzip, ...acceptedCodings],
  deflate: [...heads.deflate, ...acceptedCodings],
} as const;
export const okTrailers = ['grpc-status', '0'] as const;
export const repeatedFields: readonly string[] = [...answerHead.slice(2), ...okTrailers];

const noFields: readonly string[] = [];

/** What a call of a server sends: header fields, messages as they are or compressed, and trailers. */
export abstract class Answering {
  readonly head: RequestHead;
  sink: CallSink | undefined;
  protected readonly host: CallHost;
  protected readonly connection: Connection;
  protected readonly stream: Http2Stream;
  protected over = false;
  /** Its handler has ended it, and answers are still being compressed. */
  protected finishing = false;
  #metadata: Metadata | undefined;
  #sentHead = false;
  /** Undefined where messages go out as they are. */
  #compressing: Compressing | undefined;

  constructor(host: CallHost, connection: Connection, stream: Http2Stream, head: RequestHead) {
    this.host = host;
    this.connection = connection;
    this.stream = stream;
    this.head = head;
  }

  /** What its caller sent as metadata, made when it is asked for first. */
  get metadata(): Metadata {
    return (this.#metadata ??= this.head.metadata());
  }
  /** Nothing can be sent any more. */
  get isOver(): boolean {
    return this.over;
  }
  /** Something that was written waits for the caller to read, or to be compressed. */
  get isBlocked(): boolean {
    return this.stream.waitingOctets > 0 || this.#compressing?.isBusy === true;
  }

  /** Ends it without its handler, which is told. */
  abstract refuse(code: number, details: string): void;

  /** @param fields names and values in turn, beside those of every answer */
  sendHead(fields: readonly string[]): void {
    if (this.#sentHead || this.over) return;
    if (fields.length > 0 && !this.#mayAdd(fields)) {
      this.refuse(statusCodes.RESOURCE_EXHAUSTED, 'too many bytes of answers wait to be read');
      return;
    }
    this.#sentHead = true;
    const coding = this.#coding;
    const head = this.#headOf(coding);
    if (coding !== undefined) this.#compressing = this.#newCompressing(coding);
    if (fields.length === 0) this.connection.headers(this.stream, head, true, false);
    else this.connection.headers(this.stream, [...head, ...fields], false, false);
  }

  /** Whether `write` has room for so many octets. */
  mayWrite(octets: number): boolean {
    if (this.host.compression === undefined) return this.connection.mayWait(this.stream, prefixOctets + octets);
    // What is compressed waits for that.
    const waits = octets >= leastCompressed || this.isBlocked;
    return waits ? this.connection.backlog.fits(octets) : this.connection.mayWait(this.stream, prefixOctets + octets);
  }

  /** Ends the call where too much waits for its caller already. @param octets nobody changes them until they are sent */
  write(octets: Uint8Array): void {
    if (this.over || this.finishing) return;
    if (!this.mayWrite(octets.length)) {
      this.refuse(
        statusCodes.RESOURCE_EXHAUSTED,
        'too many bytes of answers wait to be read; read them, or ask for less at once',
      );
      return;
    }
    if (!this.#sentHead) this.sendHead(noFields);
    if (this.#compressing === undefined) this.#send(octets, false);
    else this.#compressing.write(octets);
  }

  #send(octets: Uint8Array, compressed: boolean): void {
    this.connection.data(this.stream, prefixOf(octets.length, compressed), octets, false);
  }

  /** @param coding of its messages; undefined for none */
  #headOf(coding: Compression | undefined): readonly string[] {
    return (this.head.coding === 'identity' ? heads : disclosingHeads)[coding ?? 'identity'];
  }

  /** How answers of this call are compressed. */
  get #coding(): Compression | undefined {
    const { compression } = this.host;
    return compression !== undefined && isAccepted(this.head.accepts, compression) ? compression : undefined;
  }

  #newCompressing(coding: Compression): Compressing {
    return new Compressing({
      ...{ coding, backlog: this.connection.backlog },
      send: (octets, compressed) => this.#send(octets, compressed),
      idle: () => this.drained(),
    });
  }

  /** @param fields trailers beside the status, names and values in turn */
  finish(code: number, details: string, fields = noFields): void {
    if (this.over || this.finishing) return;
    if (this.#compressing?.isBusy !== true) {
      this.finishNow(code, details, fields);
      return;
    }
    this.finishing = true;
    this.sink = undefined;
    this.#compressing.behind(() => this.finishNow(code, details, fields));
  }

  protected finishNow(code: number, details: string, fields: readonly string[]): void {
    this.end();
    if (fields.length > 0 && !this.#mayAdd(fields)) {
      this.finishNow(statusCodes.RESOURCE_EXHAUSTED, 'too many bytes of answers wait to be read', noFields);
      return;
    }
    if (code === 0 && fields.length === 0 && this.#sentHead) {
      this.connection.headers(this.stream, okTrailers, true, true);
      return;
    }
    const head = this.#sentHead ? [] : this.#headOf(undefined);
    const message = details === '' ? [] : ['grpc-message', encodeMessage(details)];
    this.connection.headers(this.stream, [...head, 'grpc-status', String(code), ...message, ...fields], false, true);
  }

  /** Whether there is room for fields beside those of every answer. */
  #mayAdd(fields: readonly string[]): boolean {
    return this.connection.backlog.fits(fields.reduce((sum, { length }) => sum + length, 0));
  }

  drained(): void {
    if (!this.over && !this.isBlocked) this.sink?.drained();
  }

  /** It is over: nothing more is sent but trailers, if those. */
  protected abstract end(): void;

  /** What is still to be compressed is not sent. */
  protected stopCompressing(): void {
    if (this.#compressing !== undefined) this.#compressing.stop();
  }
}
