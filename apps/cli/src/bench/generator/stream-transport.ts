import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { Clock } from '@sluice/domain/clock';
import { WireReader } from '@sluice/inference/wire-reader';
import { Deadlines, type Expiring } from './deadlines.ts';
import { FrameReader, type Framed, idOf } from './frames.ts';
import { GrpcSession } from './grpc-session.ts';
import { httpFailure, type Status, statusOf } from './grpc-status.ts';
import { type Ending, failure, type Flight, type Transport } from './transport.ts';
import type { TransportOptions } from './unary-transport.ts';

const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';

/** All requests over one ModelStreamInfer stream for each address, many at once; answers are told apart by id. */
export class StreamTransport implements Transport {
  readonly #lines: readonly Line[];
  #turn = 0;
  #number = 0;

  constructor({ addresses, timeoutMs, clock }: TransportOptions) {
    this.#lines = addresses.map((address) => new Line(new GrpcSession(address), clock, timeoutMs));
  }

  send(lane: number | undefined, take: (id: string | undefined) => Framed, flight: Flight): void {
    const id = idOf(this.#number++);
    this.#lines[(lane ?? this.#turn++) % this.#lines.length]!.send(id, take(id), flight);
  }

  close(): void {
    for (const line of this.#lines) line.close();
  }
}

/** One stream, and after it ended the next. */
class Line {
  readonly #session: GrpcSession;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  #open: OpenStream | undefined;

  constructor(session: GrpcSession, clock: Clock, timeoutMs: number) {
    this.#session = session;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#deadlines = new Deadlines(clock);
  }

  send(id: string, framed: Framed, flight: Flight): void {
    try {
      const open = (this.#open ??= this.#connect());
      const request: Waiting = {
        expiresMs: this.#clock.monotonic() + this.#timeoutMs,
        expire: () => open.fail(id, failure('DEADLINE_EXCEEDED', 'no answer within the time-out')),
        ended: (ending) => {
          this.#deadlines.delete(request);
          flight.ended(ending);
        },
      };
      this.#deadlines.add(request);
      open.send(id, framed, request);
    } catch {
      queueMicrotask(() => flight.ended(failure('UNAVAILABLE', this.#session.lostMessage, true)));
    }
  }

  close(): void {
    this.#session.close();
  }

  #connect(): OpenStream {
    const open = new OpenStream(this.#session.open(streamPath, undefined), this.#session, this.#clock, () => {
      if (this.#open === open) this.#open = undefined;
    });
    return open;
  }
}

interface Waiting extends Expiring, Flight {}

class OpenStream {
  readonly #stream: ClientHttp2Stream;
  readonly #session: GrpcSession;
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  readonly #messages = new FrameReader(true);
  /** By id, in the order in which they were sent. */
  readonly #waiting = new Map<string, Waiting>();
  #status: Status | undefined;
  #chunkMs = 0;

  constructor(stream: ClientHttp2Stream, session: GrpcSession, clock: Clock, onEnd: () => void) {
    this.#stream = stream;
    this.#session = session;
    this.#clock = clock;
    this.#onEnd = onEnd;
    stream.on('response', (headers: IncomingHttpHeaders) => (this.#status = statusOf(headers) ?? httpFailure(headers)));
    stream.on('trailers', (headers) => (this.#status ??= statusOf(headers)));
    stream.on('data', (chunk: Buffer) => this.#received(chunk));
    stream.on('error', () => undefined);
    stream.on('end', () => this.#ended());
    stream.on('close', () => this.#ended());
  }

  send(id: string, framed: Framed, request: Waiting): void {
    this.#waiting.set(id, request);
    for (const piece of framed) this.#stream.write(piece);
  }

  /** Ends one request; its answer may still come and is then nobody's. */
  fail(id: string, ending: Ending): void {
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    request?.ended(ending);
  }

  #received(chunk: Buffer): void {
    if (this.#messages.isWhole) this.#chunkMs = this.#clock.monotonic();
    this.#messages.push(chunk, (message) => this.#answered(message));
  }

  #answered(message: Buffer): void {
    const { id, error } = readAnswer(message);
    // A server that does not say the id again is taken to answer in order.
    const key = id === '' ? this.#waiting.keys().next().value : id;
    if (key === undefined) return;
    this.fail(
      key,
      error === ''
        ? { status: 'OK', message: '', firstByteMs: this.#chunkMs, lost: false }
        : failure('STREAM_ERROR', error),
    );
  }

  #ended(): void {
    this.#onEnd();
    const left = [...this.#waiting.keys()];
    const { name, message } = this.#status ?? { name: 'UNAVAILABLE', message: this.#session.lostMessage };
    const ending = failure(name === 'OK' ? 'UNAVAILABLE' : name, message || 'the stream ended', true);
    for (const id of left) this.fail(id, ending);
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_CANCEL);
  }
}

/** Id and error of a ModelStreamInferResponse; tensors are stepped over. Bytes that are no such message are an error. */
export function readAnswer(message: Uint8Array): { readonly id: string; readonly error: string } {
  const found = { id: '', error: '' };
  const reader = new WireReader(message, 'ModelStreamInferResponse');
  try {
    while (reader.next()) {
      if (reader.field === 1) found.error = reader.string('error_message');
      else if (reader.field === 2) {
        const outer = reader.enter('infer_response');
        found.id = readId(reader);
        reader.leave(outer);
      } else reader.skip();
    }
  } catch (error) {
    found.error = error instanceof Error ? error.message : String(error);
  }
  return found;
}

/** Field 3 of the ModelInferResponse that the reader has entered. */
function readId(reader: WireReader): string {
  let id = '';
  while (reader.next()) {
    if (reader.field === 3) id = reader.string('id');
    else reader.skip();
  }
  return id;
}
