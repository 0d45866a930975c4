import { gunzipSync, inflateSync } from 'node:zlib';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { Deadlines } from '../src/deadlines.ts';
import { ConnectionError } from '../src/errors.ts';
import { adapt } from '../src/grpc/adapt.ts';
import { Memory } from '../src/grpc/memory.ts';
import { prefixOctets } from '../src/grpc/message-reader.ts';
import type { CallHost, CallSink, ServerCall } from '../src/grpc/server-call.ts';
import { repeatedFields } from '../src/grpc/answering.ts';
import { Inflater } from '../src/grpc/inflater.ts';
import { defaultLimits } from '../src/http2/limits.ts';
import type { ConnectionLimits } from '../src/http2/limits.ts';
import { ServerConnection } from '../src/http2/server-connection.ts';
import { accept } from '../src/server/accept.ts';
import type { WireMethod } from '../src/server/accept.ts';
import { FakePort } from './connections.ts';
import { give } from './given-octets.ts';
import { StrictPeer } from './strict-peer.ts';
import { beginOnSurface } from './surface-handlers.ts';

/** How the handlers of the methods behave; each is "/fuzz/" and its name. */
export const methodNames = ['Unary', 'Echo', 'Early', 'Big', 'Held', 'Late', 'Never'] as const;
export type MethodName = (typeof methodNames)[number];

/** What a handler saw of its call. */
interface CallRecord {
  readonly streamId: number;
  readonly messages: Buffer[];
  checked: number;
  name: MethodName | undefined;
  call: ServerCall | undefined;
  halfClosed: boolean;
  cancelled: boolean;
  /** What is done when the test says so. */
  later: (() => void) | undefined;
}

export interface GrpcSideOptions {
  readonly limits?: Partial<ConnectionLimits>;
  readonly maxRequestOctets?: number;
  readonly maxBuffered?: number;
  /** Handlers stand on streams of Node, and take their time. */
  readonly surfaces?: boolean;
}

/** What a socket says that its peer has closed. */
const gone = new Error('gone');
const big = Buffer.alloc(20_000, 'big');

/** Messages of gRPC in data, as far as they are whole. */
export function messagesIn(data: Buffer): {
  readonly messages: (readonly [flag: number, octets: Buffer])[];
  readonly rest: number;
} {
  const messages: [number, Buffer][] = [];
  let at = 0;
  while (data.length - at >= prefixOctets) {
    const end = at + prefixOctets + data.readUInt32BE(at + 1);
    if (end > data.length) break;
    messages.push([data[at]!, data.subarray(at + prefixOctets, end)]);
    at = end;
  }
  return { messages, rest: data.length - at };
}

/** A gRPC server's connection with handlers of several tempers; the test is its client, and judges all that it sends. */
export class GrpcSide {
  readonly port = new FakePort();
  readonly clock = new FakeClock();
  readonly peer = new StrictPeer(true);
  readonly memory: Memory;
  readonly records: CallRecord[] = [];
  readonly connection: ServerConnection;
  over: { readonly error: Error | undefined } | undefined;
  readonly #host: CallHost;
  readonly #methods = new Map<string, WireMethod>(
    methodNames.map((name) => [`/fuzz/${name}`, { begin: (call) => this.#begin(name, call) }]),
  );
  /** Of the stream that is being accepted. */
  #record: CallRecord | undefined;
  readonly #surfaces: boolean;
  readonly #faults: Error[] = [];
  /** What the socket has and has not sent, and what it was when it came there. */
  #lent: (readonly [piece: Buffer, before: Buffer])[] = [];
  #sends = 0;
  #fed = 0;

  constructor({
    limits = {},
    maxRequestOctets = 50_000,
    maxBuffered = 100_000,
    surfaces = false,
  }: GrpcSideOptions = {}) {
    this.#surfaces = surfaces;
    this.memory = new Memory(maxBuffered);
    const { clock, port } = this;
    this.#host = {
      ...{ clock, maxRequestOctets, memory: this.memory, peer: 'fuzz' },
      ...{ deadlines: new Deadlines(clock), inflater: new Inflater(maxRequestOctets) },
    };
    this.connection = new ServerConnection({
      ...{ port, clock, limits: { ...defaultLimits, ...limits }, repeated: repeatedFields },
      accept: (stream, block, ended) => {
        const record = { streamId: stream.id, messages: [], checked: 0, later: undefined };
        this.#record = { ...record, name: undefined, call: undefined, halfClosed: false, cancelled: false };
        this.records.push(this.#record);
        accept(this.#methods, this.#host, { connection: this.connection, stream, block, ended });
      },
      closed: (error) => {
        if (this.over !== undefined) throw new Error('it is over twice');
        this.over = { error };
      },
    });
    const send = port.send.bind(port);
    port.send = (pieces) => {
      this.#lent = port.holds ? pieces.map((piece) => [piece, Buffer.from(piece)]) : [];
      send(pieces);
    };
    port.sent = () => {
      // Whoever answers for ever is as bad as one who throws.
      if (this.#sends++ > 100 + 10 * this.#fed) throw new Error('it does not stop sending');
      this.connection.sent();
    };
  }

  /** @throws for anything that it may not do */
  feed(chunk: Buffer): void {
    this.#fed += chunk.length;
    this.peer.feed(chunk, !this.port.holds);
    give(this.connection, chunk);
    this.check();
  }

  /** Resumes, and answers, what waits for it. */
  goOn(): void {
    for (const record of this.records) {
      const { later } = record;
      record.later = undefined;
      later?.();
    }
    this.check();
  }

  check(): void {
    for (const [piece, before] of this.#lent)
      if (!piece.equals(before)) throw new Error('what the socket has is written to');
    if (!this.port.holds) this.#lent = [];
    // As at the end of a turn.
    if (!this.port.holds) this.connection.sent();
    this.peer.hear(this.port.take());
    for (const record of this.records) this.#checkRecord(record);
    const { error } = this.over ?? {};
    if (error !== undefined && error.cause !== gone && !(error instanceof ConnectionError)) throw error;
    for (const fault of this.#faults) throw fault;
  }

  /** The client is gone: nothing of it may be left. */
  finish(): void {
    this.port.holds = false;
    this.goOn();
    const { settings, pings } = this.peer.fed;
    if (this.over === undefined && settings.length + pings.length > 0)
      throw new Error('SETTINGS or PING has no answer');
    for (const { call, name, streamId } of this.records)
      if (!this.#surfaces && call?.isOver === false && name !== 'Never' && this.peer.fed.stream(streamId).ended)
        throw new Error(`call ${streamId} has no answer`);
    this.connection.lost(gone);
    this.check();
    if (this.over === undefined) throw new Error('it is not over');
    if (this.connection.streamCount > 0) throw new Error(`${this.connection.streamCount} streams are left`);
    if (this.memory.used !== 0) throw new Error(`${this.memory.used} octets of memory are left`);
    for (const { call, streamId } of this.records)
      if (call !== undefined && (!call.isOver || call.heapIndex !== -1)) throw new Error(`call ${streamId} is left`);
    for (const [id, { status, trailers, data }] of this.peer.streams)
      if (status === '200' && trailers !== undefined && messagesIn(Buffer.concat(data)).rest > 0)
        throw new Error(`the answer to ${id} is not whole`);
  }

  #checkRecord(record: CallRecord): void {
    if (record.checked === record.messages.length) return;
    const { messages } = messagesIn(this.peer.fed.dataOf(record.streamId));
    for (; record.checked < record.messages.length; record.checked++) {
      const [flag, octets] = messages[record.checked] ?? [];
      if (octets === undefined) throw new Error(`call ${record.streamId} got a message that was not whole`);
      const inflate = record.call!.head.coding === 'gzip' ? gunzipSync : inflateSync;
      const meant = flag === 1 ? inflate(octets) : octets;
      if (!meant.equals(record.messages[record.checked]!))
        throw new Error(`call ${record.streamId} got another message`);
    }
  }

  /** A request is said to be whole. */
  #checkWhole(record: CallRecord, messageCount = record.messages.length): void {
    const { data, ended } = this.peer.fed.stream(record.streamId);
    const octets = Buffer.concat(data);
    const { messages, rest } = messagesIn(octets);
    const length = record.call!.head.contentLength ?? octets.length;
    if (!ended || rest > 0 || messages.length !== messageCount || length !== octets.length)
      throw new Error(`call ${record.streamId} was taken for whole`);
  }

  #begin(name: MethodName, call: ServerCall): void {
    const record = this.#record!;
    record.call = call;
    record.name = name;
    if (this.#surfaces) {
      beginOnSurface(name, call, (octets) => void record.messages.push(octets));
      return;
    }
    if (name === 'Unary') {
      this.#unary(record, call);
      return;
    }
    call.sink = this.#sinkOf(name, record, call);
    if (name !== 'Held') return;
    call.pause();
    record.later = () => call.resume();
  }

  #unary(record: CallRecord, call: ServerCall): void {
    const identity = (octets: Buffer): Buffer => octets;
    const definition = { path: '', requestStream: false, responseStream: false };
    const codec = { requestDeserialize: identity, responseSerialize: identity };
    const handler = (surface: { request: Buffer }, send: (error: null, value: Buffer) => void): void => {
      record.messages.push(surface.request);
      try {
        this.#checkWhole(record, 1);
      } catch (error) {
        // What a handler throws is its caller's.
        this.#faults.push(error as Error);
      }
      send(null, surface.request);
    };
    adapt({ ...definition, ...codec }, handler as never)(call);
  }

  #sinkOf(name: MethodName, record: CallRecord, call: ServerCall): CallSink {
    const inOrder = (): void => {
      if (record.halfClosed || record.cancelled) throw new Error('something comes behind the end of a call');
    };
    return {
      message: (octets) => {
        inOrder();
        record.messages.push(octets);
        if (name === 'Echo' || name === 'Held') call.write(octets);
        else if (name === 'Early') call.finish(0, '');
      },
      halfClosed: () => {
        inOrder();
        if (call.refuseCutOff()) return;
        record.halfClosed = true;
        this.#checkWhole(record);
        const end = (): void => call.finish(0, '', name === 'Big' ? ['x-big', '1'] : []);
        if (name === 'Big') call.write(big);
        if (name === 'Late') record.later = end;
        else if (name !== 'Never') end();
      },
      cancelled: () => {
        if (record.cancelled) throw new Error('a call is cancelled twice');
        record.cancelled = true;
      },
      drained: () => undefined,
    };
  }
}
