import { constants, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { Clock } from '@sluice/domain/clock';
import { Deadlines, type Expiring } from './deadlines.ts';
import { FrameReader, type Framed } from './frames.ts';
import { GrpcSession } from './grpc-session.ts';
import { httpFailure, type Status, statusOf } from './grpc-status.ts';
import { type Ending, failure, type Flight, type Transport } from './transport.ts';

export interface TransportOptions {
  /** One connection to each. */
  readonly addresses: readonly string[];
  /** Of a request, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** A ModelInfer call per request. */
export class UnaryTransport implements Transport {
  readonly #sessions: readonly GrpcSession[];
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #turn = 0;

  constructor({ addresses, timeoutMs, clock }: TransportOptions) {
    this.#sessions = addresses.map((address) => new GrpcSession(address));
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
  }

  send(lane: number | undefined, take: (id: string | undefined) => Framed, flight: Flight): void {
    const session = this.#sessions[(lane ?? this.#turn++) % this.#sessions.length]!;
    const framed = take(undefined);
    try {
      const stream = session.open(inferPath, this.#timeoutMs);
      const call = new UnaryCall(stream, session, this.#clock, this.#clock.monotonic() + this.#timeoutMs, (ending) => {
        this.#deadlines.delete(call);
        flight.ended(ending);
      });
      this.#deadlines.add(call);
      for (const piece of framed.slice(0, -1)) stream.write(piece);
      stream.end(framed.at(-1));
    } catch {
      queueMicrotask(() => flight.ended(failure('UNAVAILABLE', session.lostMessage, true)));
    }
  }

  close(): void {
    for (const session of this.#sessions) session.close();
  }
}

class UnaryCall implements Expiring {
  readonly expiresMs: number;
  readonly #stream: ClientHttp2Stream;
  readonly #session: GrpcSession;
  readonly #clock: Clock;
  readonly #messages = new FrameReader(false);
  #done: ((ending: Ending) => void) | undefined;
  #status: Status | undefined;
  #firstByteMs = 0;

  constructor(
    stream: ClientHttp2Stream,
    session: GrpcSession,
    clock: Clock,
    expiresMs: number,
    done: (ending: Ending) => void,
  ) {
    this.#stream = stream;
    this.#session = session;
    this.#clock = clock;
    this.expiresMs = expiresMs;
    this.#done = done;
    stream.on('response', (headers) => this.#responded(headers));
    stream.on('data', (chunk: Buffer) => this.#messages.push(chunk));
    stream.on('trailers', (headers) => (this.#status ??= statusOf(headers)));
    stream.on('end', () => this.#ended());
    // Its story is told by `close`.
    stream.on('error', () => undefined);
    stream.on('close', () => this.#closed());
  }

  expire(): void {
    this.#finish(failure('DEADLINE_EXCEEDED', 'no answer within the time-out'));
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #responded(headers: IncomingHttpHeaders): void {
    this.#firstByteMs = this.#clock.monotonic();
    this.#status = statusOf(headers) ?? httpFailure(headers);
  }

  #ended(): void {
    if (this.#status === undefined) return;
    const { name, message } = this.#status;
    if (name !== 'OK') this.#finish(failure(name, message));
    else if (this.#messages.count !== 1 || !this.#messages.isWhole)
      this.#finish(failure('INTERNAL', `answered OK with ${this.#messages.count} whole messages`));
    else this.#finish({ status: 'OK', message: '', firstByteMs: this.#firstByteMs, lost: false });
  }

  #closed(): void {
    this.#ended();
    this.#finish(failure('UNAVAILABLE', this.#session.lostMessage, true));
  }

  #finish(ending: Ending): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(ending);
  }
}
