import type { Compression } from '../grpc/codings.ts';
import { Compressing } from '../grpc/compressing.ts';
import { prefixOf } from '../grpc/message-reader.ts';
import type { ClientConnection } from '../http2/client-connection.ts';
import type { Http2Stream } from '../http2/http2-stream.ts';

/** Messages up to this size are joined with what follows them: a frame of its own costs more. */
const joinedUpTo = 16 * 1024;
const noOctets = Buffer.alloc(0);

/** A message that was written before there was a stream. */
interface Early {
  readonly octets: Uint8Array;
  readonly suffix: Uint8Array | undefined;
}

/** What a call has to say: kept until it has a stream, then sent, compressed where that is asked for. */
export class Outgoing {
  readonly #compression: Compression | undefined;
  readonly #drained: () => void;
  #connection: ClientConnection | undefined;
  #stream: Http2Stream | undefined;
  #early: Early[] = [];
  #halfClosed = false;
  #stopped = false;
  #compressing: Compressing | undefined;

  /** @param drained what was compressed is sent, and there may be more */
  constructor(compression: Compression | undefined, drained: () => void) {
    this.#compression = compression;
    this.#drained = drained;
  }

  /** All was said. */
  get halfClosed(): boolean {
    return this.#halfClosed;
  }

  /** Something that was written waits for the server. */
  get isBlocked(): boolean {
    if (this.#stream === undefined) return this.#early.length > 0;
    return this.#stream.waitingOctets > 0 || this.#compressing?.isBusy === true;
  }

  /** @param suffix ends the message; large ones are not copied for it */
  write(octets: Uint8Array, suffix: Uint8Array | undefined, last: boolean): void {
    if (this.#halfClosed || this.#stopped) return;
    this.#halfClosed = last;
    if (this.#stream === undefined) this.#early.push({ octets, suffix });
    else this.#write(octets, suffix, last);
  }

  halfClose(): void {
    if (this.#halfClosed || this.#stopped) return;
    this.#halfClosed = true;
    if (this.#stream !== undefined) this.#sendEnd();
  }

  /** What was written before goes out. @returns whether there was something */
  opened(connection: ClientConnection, stream: Http2Stream): boolean {
    this.#connection = connection;
    this.#stream = stream;
    const early = this.#early;
    this.#early = [];
    if (this.#compression !== undefined)
      this.#compressing = new Compressing({
        ...{ coding: this.#compression, backlog: connection.backlog },
        send: (octets, compressed, last) => this.#send(octets, compressed, last),
        idle: this.#drained,
      });
    for (const [at, { octets, suffix }] of early.entries())
      this.#write(octets, suffix, this.#halfClosed && at === early.length - 1);
    if (this.#halfClosed && early.length === 0) this.#sendEnd();
    return early.length > 0;
  }

  /** Sends no more. */
  stop(): void {
    this.#stopped = true;
    this.#early = [];
    this.#compressing?.stop();
  }

  #write(octets: Uint8Array, suffix: Uint8Array | undefined, last: boolean): void {
    if (this.#compressing !== undefined) this.#compressing.write(joined(octets, suffix), last);
    else if (suffix === undefined || octets.length + suffix.length <= joinedUpTo)
      this.#send(joined(octets, suffix), false, last);
    else {
      const [connection, stream] = [this.#connection!, this.#stream!];
      connection.data(stream, prefixOf(octets.length + suffix.length), octets, false);
      connection.data(stream, undefined, suffix, last);
    }
  }

  #send(octets: Uint8Array, compressed: boolean, last: boolean): void {
    this.#connection!.data(this.#stream!, prefixOf(octets.length, compressed), octets, last);
  }

  #sendEnd(): void {
    const send = (): void => this.#connection!.data(this.#stream!, undefined, noOctets, true);
    if (this.#compressing === undefined) send();
    else this.#compressing.behind(send);
  }
}

const joined = (octets: Uint8Array, suffix: Uint8Array | undefined): Uint8Array =>
  suffix === undefined ? octets : Buffer.concat([octets, suffix]);
