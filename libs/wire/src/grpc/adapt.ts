import type { CallSink, ServerCall } from './server-call.ts';
import { fieldsOf } from './metadata.ts';
import type { MetadataLike } from './metadata.ts';
import { statusCodes } from './status.ts';
import {
  DuplexSurface,
  ReadableSurface,
  UnarySurface,
  WritableSurface,
  cancel,
  finishWith,
  readingSink,
  textOf,
} from './surfaces.ts';
import type { Codec, StatusLike } from './surfaces.ts';

/** A method as service definitions of grpc-js have it. */
export interface MethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly requestDeserialize: (octets: Buffer) => unknown;
  readonly responseSerialize: (value: never) => Uint8Array;
  readonly originalName?: string;
}

export type ServiceDefinition = Readonly<Record<string, MethodDefinition>>;

type Send = (error: StatusLike | null, value?: unknown, trailers?: MetadataLike | null) => void;
/** A handler of grpc-js: `(call, callback)`, or `(call)` where the answer is a stream. */
export type Handler = (call: never, send?: Send) => unknown;

export interface AdaptOptions {
  /** Handlers of streams of requests ask for `ServerCall.isCutOff` themselves. */
  readonly handlesCutOff?: boolean;
}

/** How a call of a method begins, with a handler of grpc-js's shape. */
export function adapt(
  definition: MethodDefinition,
  handler: Handler,
  { handlesCutOff = false }: AdaptOptions = {},
): (call: ServerCall) => void {
  const codec: Codec = { deserialize: definition.requestDeserialize, serialize: definition.responseSerialize };
  if (!definition.requestStream) {
    const answer = definition.responseStream ? answerStream : answerUnary;
    return (call) => (call.sink = new OneRequest(call, codec, handler, answer));
  }
  return definition.responseStream
    ? (call) => {
        const surface = new DuplexSurface(call, codec.serialize);
        call.sink = readingSink(surface, codec.deserialize, handlesCutOff);
        call.pause();
        run(call, () => handler(surface as never));
      }
    : (call) => {
        const surface = new ReadableSurface(call);
        call.sink = readingSink(surface, codec.deserialize, handlesCutOff);
        call.pause();
        run(call, () => handler(surface as never, sendOf(call, codec)));
      };
}

/** Runs a handler: what it throws, at once or as a promise, ends its call, and nothing of it is told. */
function run(call: ServerCall, handle: () => unknown): void {
  const failed = (): void => call.finish(statusCodes.UNKNOWN, 'Unknown error');
  try {
    const running = handle();
    if (running instanceof Promise) running.catch(failed);
  } catch {
    failed();
  }
}

function sendOf(call: ServerCall, { serialize }: Codec): Send {
  return (error, value, trailers) => {
    if (error !== null) {
      finishWith(call, error, trailers);
      return;
    }
    let octets: Uint8Array;
    try {
      octets = serialize(value as never);
    } catch (thrown) {
      call.finish(statusCodes.INTERNAL, `Error serializing response: ${textOf(thrown)}`);
      return;
    }
    call.write(octets);
    call.finish(statusCodes.OK, '', fieldsOf(trailers));
  };
}

type Answer = (call: ServerCall, request: unknown, codec: Codec, handler: Handler) => UnarySurface | WritableSurface;

function answerUnary(call: ServerCall, request: unknown, codec: Codec, handler: Handler): UnarySurface {
  const surface = new UnarySurface(call, request);
  run(call, () => handler(surface as never, sendOf(call, codec)));
  return surface;
}

function answerStream(call: ServerCall, request: unknown, codec: Codec, handler: Handler): WritableSurface {
  const surface = new WritableSurface(call, codec.serialize, request);
  run(call, () => handler(surface as never));
  return surface;
}

/** Waits for the one request of a call, and for its end. */
class OneRequest implements CallSink {
  readonly #call: ServerCall;
  readonly #codec: Codec;
  readonly #handler: Handler;
  readonly #answer: Answer;
  #octets: Buffer | undefined;
  #surface: UnarySurface | WritableSurface | undefined;

  constructor(call: ServerCall, codec: Codec, handler: Handler, answer: Answer) {
    this.#call = call;
    this.#codec = codec;
    this.#handler = handler;
    this.#answer = answer;
  }

  get takesOne(): boolean {
    return true;
  }

  message(octets: Buffer): void {
    if (this.#octets === undefined) {
      this.#octets = this.#call.hold(octets);
    } else
      this.#call.refuse(
        statusCodes.UNIMPLEMENTED,
        `${this.#call.head.path}: a second request message, where one is taken`,
      );
  }

  halfClosed(): void {
    if (this.#call.refuseCutOff()) return;
    if (this.#octets === undefined) {
      this.#call.refuse(statusCodes.UNIMPLEMENTED, `${this.#call.head.path}: no request message`);
      return;
    }
    let request: unknown;
    try {
      request = this.#codec.deserialize(this.#octets);
    } catch (error) {
      this.#call.refuse(statusCodes.INTERNAL, `Error deserializing request: ${textOf(error)}`);
      return;
    }
    this.#surface = this.#answer(this.#call, request, this.#codec, this.#handler);
  }

  cancelled(): void {
    if (this.#surface !== undefined) cancel(this.#surface);
  }

  drained(): void {
    if (this.#surface instanceof WritableSurface) this.#surface.answers.drained();
  }
}
