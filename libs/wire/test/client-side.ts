import { FakeClock } from '@sluice/testkit/fake-clock';
import { ConnectionError } from '../src/errors.ts';
import type { HeaderBlock } from '../src/hpack/header-block.ts';
import { ClientConnection } from '../src/http2/client-connection.ts';
import { clientPreface } from '../src/http2/frame-types.ts';
import type { Http2Stream, StreamSink } from '../src/http2/http2-stream.ts';
import { defaultLimits } from '../src/http2/limits.ts';
import type { ConnectionLimits } from '../src/http2/limits.ts';
import { FakePort } from './connections.ts';
import { give } from './given-octets.ts';
import { StrictPeer } from './strict-peer.ts';

/** What a socket says that its peer has closed. */
const gone = new Error('gone');

/** What came of a stream that a client opened, and whether it came in order. */
class OrderedSink implements StreamSink {
  readonly heads: string[] = [];
  readonly octets: Buffer[] = [];
  hasEnded = false;
  abortedWith: number | undefined;
  readonly #consume: (octets: number) => void;

  constructor(consume: (octets: number) => void) {
    this.#consume = consume;
  }

  headers(block: HeaderBlock, ended: boolean): void {
    this.#inOrder();
    this.heads.push(block.fields.join(' '));
    this.hasEnded = ended;
  }
  data(chunk: Buffer, start: number, end: number): void {
    this.#inOrder();
    this.octets.push(Buffer.from(chunk.subarray(start, end)));
    this.#consume(end - start);
  }
  ended(): void {
    this.#inOrder();
    this.hasEnded = true;
  }
  aborted(code: number): void {
    if (this.abortedWith !== undefined) throw new Error('a stream is aborted twice');
    this.abortedWith = code;
  }
  drained(): void {
    if (this.abortedWith !== undefined) throw new Error('drained when it is over');
  }
  sentEnd(): void {
    if (this.abortedWith !== undefined) throw new Error('ended when it is over');
  }
  #inOrder(): void {
    if (this.hasEnded || this.abortedWith !== undefined) throw new Error('something comes behind the end of a stream');
  }
}

const request = [':method', 'POST', ':scheme', 'http', ':path', '/a', 'content-type', 'application/grpc'] as const;

/** A client's connection with streams of several sizes; the test is its server, and judges all that it sends. */
export class ClientSide {
  readonly port = new FakePort();
  readonly clock = new FakeClock();
  readonly peer = new StrictPeer(false);
  readonly sinks: OrderedSink[] = [];
  readonly #streams: Http2Stream[] = [];
  readonly connection: ClientConnection;
  over: { readonly error: Error | undefined } | undefined;
  #preface = false;

  /** @param bodies octets of the request on each stream; negative for one that does not end */
  constructor(bodies: readonly number[], limits: Partial<ConnectionLimits> = {}) {
    const { port, clock } = this;
    this.connection = new ClientConnection({
      ...{ port, clock, limits: { ...defaultLimits, ...limits }, repeated: request.slice(2) },
      goaway: () => undefined,
      closed: (error) => {
        if (this.over !== undefined) throw new Error('it is over twice');
        this.over = { error };
      },
    });
    port.sent = () => this.connection.sent();
    for (const octets of bodies) this.#open(octets);
    this.check();
  }

  feed(chunk: Buffer): void {
    this.peer.feed(chunk, true);
    give(this.connection, chunk);
    this.check();
  }

  check(): void {
    this.connection.sent();
    let octets = this.port.take();
    if (!this.#preface) {
      if (!octets.subarray(0, clientPreface.length).equals(clientPreface)) throw new Error('it begins otherwise');
      octets = octets.subarray(clientPreface.length);
      this.#preface = true;
    }
    this.peer.hear(octets);
    const { error } = this.over ?? {};
    if (error !== undefined && error.cause !== gone && !(error instanceof ConnectionError)) throw error;
    for (const { id, isOver } of this.#streams)
      if (id > this.peer.fed.lastTaken && !isOver) throw new Error(`stream ${id} waits for a server that is gone`);
  }

  /** The server is gone: nothing of it may be left, and every stream knows. */
  finish(): void {
    this.connection.lost(gone);
    this.check();
    if (this.over === undefined || this.connection.streamCount > 0) throw new Error('something is left');
    for (const [at, { hasEnded, abortedWith, octets }] of this.sinks.entries()) {
      if (!hasEnded && abortedWith === undefined) throw new Error(`stream ${2 * at + 1} does not know`);
      const got = Buffer.concat(octets);
      if (
        !this.peer.fed
          .dataOf(2 * at + 1)
          .subarray(0, got.length)
          .equals(got)
      )
        throw new Error(`stream ${2 * at + 1} got other data`);
    }
    if (this.connection.hasRoom) throw new Error('it would take another stream');
  }

  #open(octets: number): void {
    const sink: OrderedSink = new OrderedSink((count) => this.connection.consume(stream, count));
    const stream: Http2Stream = this.connection.open(request, true, octets === 0, sink);
    this.sinks.push(sink);
    this.#streams.push(stream);
    if (octets === 0) return;
    const body = Buffer.alloc(Math.abs(octets), 'x');
    this.connection.data(stream, body.subarray(0, 5), body.subarray(5), octets > 0);
  }
}
