// `npx nx bench wire`: what HTTP/2 and gRPC cost a request without its socket: header blocks, and unary calls from octets to
// octets with a handler that does nothing. Figures for a person to read; no test depends on them.
import process from 'node:process';
import { Deadlines } from '../src/deadlines.ts';
import { adapt } from '../src/grpc/adapt.ts';
import { Inflater } from '../src/grpc/inflater.ts';
import { Memory } from '../src/grpc/memory.ts';
import { requestHead } from '../src/grpc/request-head.ts';
import { repeatedFields } from '../src/grpc/answering.ts';
import type { CallHost } from '../src/grpc/server-call.ts';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { flags } from '../src/http2/frame-types.ts';
import { defaultLimits } from '../src/http2/limits.ts';
import type { ConnectionPort } from '../src/http2/port.ts';
import { ServerConnection } from '../src/http2/server-connection.ts';
import { accept } from '../src/server/accept.ts';
import { data, headers, hello, settingsAck, windowUpdate } from './frames.ts';
import { systemClock } from './peers.ts';

/** As a client of an inference server sends them. */
const fields = [
  ...[':method', 'POST', ':scheme', 'http', ':path', '/inference.GRPCInferenceService/ModelInfer'],
  ...[':authority', '127.0.0.1:9000', 'content-type', 'application/grpc', 'te', 'trailers'],
  ...['user-agent', 'grpc-node-js/1.14.7', 'grpc-accept-encoding', 'identity,deflate,gzip'],
];
const timeouts = Array.from({ length: 1000 }, (_, at) => `${29_000 + at}m`);

/** Something to do, so that nothing is optimised away. */
const work = { fields: 0, octets: 0, calls: 0 };

type Kind = 'the same' | 'another timeout' | 'in full';

/** A block that fills the table, and those behind it. Most clients write everything from the table, but for what changes. */
function blocks(kind: Kind): { readonly first: Buffer; readonly others: Buffer[] } {
  const encoder = new HpackEncoder(kind === 'in full' ? [] : fields);
  const encode = (of: readonly string[]): Buffer => Buffer.from(encoder.encode(of));
  const first = encode(fields);
  if (kind === 'the same') return { first, others: [encode(fields)] };
  return { first, others: timeouts.map((timeout) => encode([...fields, 'grpc-timeout', timeout])) };
}

/** Nanoseconds for a header block, until it is known what it asks for. */
function costOfBlock(kind: Kind): number {
  const decoder = new HpackDecoder({ maxListSize: defaultLimits.maxHeaderListSize });
  const { first, others } = blocks(kind);
  requestHead(decoder.decode(first));
  const count = 500_000;
  const start = performance.now();
  for (let at = 0; at < count; at++)
    work.fields += requestHead(decoder.decode(others[at % others.length]!)).fields.length;
  return ((performance.now() - start) * 1e6) / count;
}

/** A socket that takes everything at once. */
class Sink implements ConnectionPort {
  sent: () => void = () => undefined;

  send(pieces: readonly Buffer[]): void {
    for (const { length } of pieces) work.octets += length;
    this.sent();
  }
  pause(): void {
    throw new Error('nothing waits here');
  }
  resume(): void {
    // It was not paused.
  }
  end(): void {
    throw new Error('the connection failed');
  }
  destroyAfter(): void {
    throw new Error('the connection failed');
  }
}

function connectionWithEcho(): ServerConnection {
  const identity = (octets: Buffer): Buffer => octets;
  const definition = { path: '', requestStream: false, responseStream: false, requestDeserialize: identity };
  const handler = (call: { request: Buffer }, send: (error: null, value: Buffer) => void): void => {
    work.calls++;
    send(null, call.request);
  };
  const methods = new Map([
    [fields[5]!, { begin: adapt({ ...definition, responseSerialize: identity }, handler as never) }],
  ]);
  const clock = systemClock;
  const memory = new Memory(defaultLimits.maxBuffered);
  const maxRequestOctets = 1 << 26;
  const inflater = new Inflater(maxRequestOctets);
  const host: CallHost = { clock, memory, peer: 'bench', maxRequestOctets, inflater, deadlines: new Deadlines(clock) };
  const port = new Sink();
  const connection: ServerConnection = new ServerConnection({
    ...{ port, clock, limits: defaultLimits, repeated: repeatedFields },
    accept: (stream, block, ended) => accept(methods, host, { connection, stream, block, ended }),
    closed: (error) => {
      if (error !== undefined) throw error;
    },
  });
  port.sent = () => connection.sent();
  return connection;
}

/** Nanoseconds for a unary call with a request of so many octets, of which so many come in one chunk. */
function costOfCall(octets: number, together: number, kind: Kind): number {
  const connection = connectionWithEcho();
  const { first, others } = blocks(kind);
  const message = Buffer.alloc(5 + octets);
  message.writeUInt32BE(octets, 1);
  const call = (block: Buffer): Buffer =>
    Buffer.concat([headers(1, flags.END_HEADERS, block), data(1, message, flags.END_STREAM)]);
  connection.receive(Buffer.concat([hello(), settingsAck(), call(first)]));
  const count = 300_000;
  let streamId = 3;
  // Made before, and again and again: the connection has sent all of it when `receive` returns.
  const chunks = Array.from({ length: 32 }, (_, at) => {
    const calls = Array.from({ length: together }, (__, place) =>
      call(others[(at * together + place) % others.length]!),
    );
    return { chunk: Buffer.concat(calls), size: calls[0]!.length, block: others[0]!.length };
  });
  const start = performance.now();
  for (let at = 0; at < count / together; at++) {
    const { chunk, size, block } = chunks[at % chunks.length]!;
    for (let place = 0; place < chunk.length; place += size) {
      chunk.writeUInt32BE(streamId, place + 5);
      chunk.writeUInt32BE(streamId, place + 9 + block + 5);
      streamId += 2;
    }
    connection.receive(chunk);
    // What a client that reads gives back.
    connection.receive(windowUpdate(0, together * (octets + 5)));
  }
  return ((performance.now() - start) * 1e6) / count;
}

const cases: [string, () => number][] = [
  ['a header block that repeats', () => costOfBlock('the same')],
  ['a header block with another grpc-timeout', () => costOfBlock('another timeout')],
  ['the same, and no field is in the table', () => costOfBlock('in full')],
  ['a unary call of 292 octets', () => costOfCall(292, 1, 'the same')],
  ['a unary call of 292 octets, 16 together', () => costOfCall(292, 16, 'the same')],
  ['the same with another grpc-timeout', () => costOfCall(292, 16, 'another timeout')],
  ['a unary call of 12,000 octets', () => costOfCall(12_000, 1, 'the same')],
];
for (const [name, cost] of cases) {
  cost();
  const runs = [1, 2, 3].map(cost).toSorted((a, b) => a - b);
  process.stdout.write(`${name.padEnd(50)} ${Math.round(runs[1]!)} ns\n`);
}
process.stdout.write(`${work.calls} calls, ${work.octets} octets, ${work.fields} fields\n`);
