import type { Clock } from '@sluice/domain/clock';
import { WireReader } from '@sluice/inference/wire-reader';
import type { ByteCall, CallEvents, CallStatus } from '@sluice/rpc/raw/byte-channel';
import { Deadlines, type Expiring } from './deadlines.ts';
import { idOf, type Taken } from './request-bytes.ts';
import { connections, failure, failureOf, noAnswer } from './transport.ts';
import type { Connection, Ending, Flight, Transport, TransportOptions } from './transport.ts';

const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';

/** All requests over one ModelStreamInfer stream for each address, many at once; answers are told apart by id. */
export class StreamTransport implements Transport {
  readonly #lines: readonly Line[];
  #turn = 0;
  #number = 0;

  constructor(options: TransportOptions) {
    this.#lines = connections(options).map((connection) => new Line(connection, options.clock, options.timeoutMs));
  }

  send(lane: number | undefined, take: (id: string | undefined) => Taken, flight: Flight): void {
    const id = idOf(this.#number++);
    this.#lines[(lane ?? this.#turn++) % this.#lines.length]!.send(id, take(id), flight);
  }

  close(): void {
    for (const line of this.#lines) line.close();
  }
}

/** One stream, and after it ended the next. */
class Line {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  #open: OpenStream | undefined;

  constructor(connection: Connection, clock: Clock, timeoutMs: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#deadlines = new Deadlines(clock);
  }

  send(id: string, taken: Taken, flight: Flight): void {
    const open = (this.#open ??= this.#connect());
    const request: Waiting = {
      expiresMs: this.#clock.monotonic() + this.#timeoutMs,
      expire: () => open.fail(id, failure('DEADLINE_EXCEEDED', noAnswer)),
      ended: (ending) => {
        this.#deadlines.delete(request);
        flight.ended(ending);
      },
    };
    this.#deadlines.add(request);
    open.send(id, taken, request);
  }

  close(): void {
    this.#connection.channel.close();
  }

  #connect(): OpenStream {
    const open = new OpenStream(this.#connection, this.#clock, () => {
      if (this.#open === open) this.#open = undefined;
    });
    return open;
  }
}

interface Waiting extends Expiring, Flight {}

class OpenStream implements CallEvents {
  readonly #call: ByteCall;
  readonly #address: string;
  readonly #clock: Clock;
  readonly #onEnd: () => void;
  /** By id, in the order in which they were sent. */
  readonly #waiting = new Map<string, Waiting>();

  constructor({ address, channel }: Connection, clock: Clock, onEnd: () => void) {
    this.#address = address;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.#call = channel.call(streamPath, { deadlineAt: Infinity }, this);
  }

  send(id: string, { message, suffix }: Taken, request: Waiting): void {
    this.#waiting.set(id, request);
    this.#call.write(message, suffix);
  }

  /** Ends one request; its answer may still come and is then nobody's. */
  fail(id: string, ending: Ending): void {
    const request = this.#waiting.get(id);
    this.#waiting.delete(id);
    request?.ended(ending);
  }

  message(octets: Buffer): void {
    const { id, error } = readAnswer(octets);
    // A server that does not say the id again is taken to answer in order.
    const key = id === '' ? this.#waiting.keys().next().value : id;
    if (key === undefined) return;
    this.fail(
      key,
      error === ''
        ? { status: 'OK', message: '', firstByteMs: this.#clock.monotonic(), lost: false }
        : failure('STREAM_ERROR', error),
    );
  }

  ended(status: CallStatus): void {
    // Not within the call that opened it, or sends on it.
    queueMicrotask(() => this.#end(status));
  }

  #end(status: CallStatus): void {
    this.#onEnd();
    const ending =
      status.code === 0 ? failure('UNAVAILABLE', 'the stream ended', true) : failureOf(status, this.#address);
    for (const id of [...this.#waiting.keys()]) this.fail(id, { ...ending, lost: true });
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
