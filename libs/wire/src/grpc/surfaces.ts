import { EventEmitter } from 'node:events';
import { Duplex, Readable, Writable } from 'node:stream';
import type { CallSink, ServerCall } from './server-call.ts';
import { fieldsOf } from './metadata.ts';
import type { Metadata, MetadataLike } from './metadata.ts';
import { statusCodes } from './status.ts';

/** What handlers of grpc-js give as an error: a status, or any other error. */
export interface StatusLike {
  readonly code?: unknown;
  readonly details?: unknown;
  readonly message?: unknown;
  readonly metadata?: MetadataLike | null;
}

/** Turns messages into octets and back; both may throw. */
export interface Codec {
  readonly deserialize: (octets: Buffer) => unknown;
  readonly serialize: (value: never) => Uint8Array;
}

/** Ends a call as its handler says. An error that is no status says nothing of itself but its message, as in grpc-js. */
export function finishWith(call: ServerCall, error: StatusLike, trailers?: MetadataLike | null): void {
  const fields = fieldsOf(trailers ?? error.metadata);
  const { code, details } = error;
  const isStatus = typeof code === 'number' && Number.isInteger(code);
  const message = typeof error.message === 'string' ? error.message : 'Unknown Error';
  call.finish(
    isStatus ? code : statusCodes.UNKNOWN,
    isStatus && typeof details === 'string' ? details : message,
    fields,
  );
}

/** What every call of a handler has, whatever its kind. */
interface Surface {
  /** Made when it is asked for first. */
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  getPeer(): string;
  getHost(): string;
  getPath(): string;
  /** Infinity for none. */
  getDeadline(): Date | number;
  sendMetadata(metadata: MetadataLike): void;
  getAuthContext(): Record<string, never>;
}

/** The same for each of the classes below, which have other ancestors: it is put into their prototypes. */
const surface = {
  get metadata(): Metadata {
    return (this as unknown as { readonly call: ServerCall }).call.metadata;
  },
  getPeer(this: { readonly call: ServerCall }): string {
    return this.call.peer;
  },
  getHost(this: { readonly call: ServerCall }): string {
    return this.call.head.authority;
  },
  getPath(this: { readonly call: ServerCall }): string {
    return this.call.head.path;
  },
  getDeadline(this: { readonly call: ServerCall }): Date | number {
    const { deadlineMs } = this.call;
    return deadlineMs === Infinity ? Infinity : new Date(deadlineMs);
  },
  sendMetadata(this: { readonly call: ServerCall }, metadata: MetadataLike): void {
    this.call.sendHead(fieldsOf(metadata));
  },
  getAuthContext(): Record<string, never> {
    return {};
  },
};

/** A unary call, or one that is answered by a stream: its request is there. */
export class UnarySurface extends EventEmitter implements Surface {
  declare readonly getPeer: Surface['getPeer'];
  declare readonly getHost: Surface['getHost'];
  declare readonly getPath: Surface['getPath'];
  declare readonly getDeadline: Surface['getDeadline'];
  declare readonly sendMetadata: Surface['sendMetadata'];
  declare readonly getAuthContext: Surface['getAuthContext'];
  declare readonly metadata: Surface['metadata'];
  readonly call: ServerCall;
  readonly request: unknown;
  cancelled = false;

  constructor(call: ServerCall, request: unknown) {
    super();
    this.call = call;
    this.request = request;
  }
}

/** A stream of requests with one answer. */
export class ReadableSurface extends Readable implements Surface {
  declare readonly getPeer: Surface['getPeer'];
  declare readonly getHost: Surface['getHost'];
  declare readonly getPath: Surface['getPath'];
  declare readonly getDeadline: Surface['getDeadline'];
  declare readonly sendMetadata: Surface['sendMetadata'];
  declare readonly getAuthContext: Surface['getAuthContext'];
  declare readonly metadata: Surface['metadata'];
  readonly call: ServerCall;
  cancelled = false;

  constructor(call: ServerCall) {
    super({ objectMode: true });
    this.call = call;
  }

  override _read(): void {
    this.call.resume();
  }
}

/** What is written to a stream of answers goes out; its end is the status. */
class Answers {
  readonly #call: ServerCall;
  readonly #serialize: Codec['serialize'];
  #trailers: MetadataLike | undefined;
  #error: StatusLike | undefined;
  #written: (() => void) | undefined;

  constructor(call: ServerCall, serialize: Codec['serialize']) {
    this.#call = call;
    this.#serialize = serialize;
  }

  write(value: unknown, written: (error?: Error | null) => void): void {
    this.#call.write(this.#serialize(value as never));
    // The next one is taken when this one has found its way out.
    if (this.#call.isBlocked && !this.#call.isOver) this.#written = written;
    else written();
  }

  drained(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  trailers(metadata: MetadataLike | undefined): void {
    if (metadata !== undefined) this.#trailers = metadata;
  }

  failed(error: StatusLike): void {
    this.#error ??= error;
  }

  finish(): void {
    if (this.#error !== undefined) finishWith(this.#call, this.#error, this.#error.metadata ?? this.#trailers);
    else this.#call.finish(statusCodes.OK, '', fieldsOf(this.#trailers));
  }
}

/** A call whose answer is a stream. */
export class WritableSurface extends Writable implements Surface {
  declare readonly getPeer: Surface['getPeer'];
  declare readonly getHost: Surface['getHost'];
  declare readonly getPath: Surface['getPath'];
  declare readonly getDeadline: Surface['getDeadline'];
  declare readonly sendMetadata: Surface['sendMetadata'];
  declare readonly getAuthContext: Surface['getAuthContext'];
  declare readonly metadata: Surface['metadata'];
  readonly call: ServerCall;
  readonly request: unknown;
  cancelled = false;
  readonly answers: Answers;

  constructor(call: ServerCall, serialize: Codec['serialize'], request: unknown) {
    super({ objectMode: true });
    this.call = call;
    this.request = request;
    this.answers = new Answers(call, serialize);
    this.on('error', (error) => endWith(this, error));
  }

  override _write(value: unknown, _encoding: string, written: (error?: Error | null) => void): void {
    writeTo(this.answers, value, written);
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
    this.answers.finish();
  }

  override end(trailers?: unknown): this {
    this.answers.trailers(trailers as MetadataLike | undefined);
    return super.end();
  }
}

/** A stream both ways. */
export class DuplexSurface extends Duplex implements Surface {
  declare readonly getPeer: Surface['getPeer'];
  declare readonly getHost: Surface['getHost'];
  declare readonly getPath: Surface['getPath'];
  declare readonly getDeadline: Surface['getDeadline'];
  declare readonly sendMetadata: Surface['sendMetadata'];
  declare readonly getAuthContext: Surface['getAuthContext'];
  declare readonly metadata: Surface['metadata'];
  readonly call: ServerCall;
  cancelled = false;
  readonly answers: Answers;

  constructor(call: ServerCall, serialize: Codec['serialize']) {
    super({ objectMode: true });
    this.call = call;
    this.answers = new Answers(call, serialize);
    this.on('error', (error) => endWith(this, error));
  }

  override _read(): void {
    this.call.resume();
  }

  override _write(value: unknown, _encoding: string, written: (error?: Error | null) => void): void {
    writeTo(this.answers, value, written);
  }

  override _final(done: (error?: Error | null) => void): void {
    done();
    this.answers.finish();
  }

  override end(trailers?: unknown): this {
    this.answers.trailers(trailers as MetadataLike | undefined);
    return super.end();
  }
}

for (const kind of [UnarySurface, ReadableSurface, WritableSurface, DuplexSurface])
  Object.defineProperties(kind.prototype, Object.getOwnPropertyDescriptors(surface));

function writeTo(answers: Answers, value: unknown, written: (error?: Error | null) => void): void {
  try {
    answers.write(value, written);
  } catch (error) {
    written(error instanceof Error ? error : new Error(String(error)));
  }
}

/** An error of a stream is how its handler says that it failed: it goes out behind what was written. */
function endWith(of: WritableSurface | DuplexSurface, error: Error): void {
  of.answers.failed(error);
  // A stream that destroyed itself for it, as one does that could not write, has no end of its own.
  if (of.destroyed) of.answers.finish();
  else of.end();
}

/** Tells a handler's surface that nobody waits any more. */
export function cancel(of: UnarySurface | ReadableSurface | WritableSurface | DuplexSurface): void {
  of.cancelled = true;
  (of as EventEmitter).emit('cancelled', 'cancelled');
  if (!(of instanceof UnarySurface)) of.destroy();
}

export type StreamSurface = ReadableSurface | DuplexSurface;

/**
 * What a stream of requests makes of what comes.
 * @param handlesCutOff its handler asks for `ServerCall.isCutOff` at its end: what came before is answered then
 */
export function readingSink(of: StreamSurface, deserialize: Codec['deserialize'], handlesCutOff: boolean): CallSink {
  return {
    message: (octets) => {
      let value: unknown;
      try {
        value = deserialize(octets);
      } catch (error) {
        of.call.refuse(statusCodes.INTERNAL, `Error deserializing request: ${textOf(error)}`);
        return;
      }
      // The next message is for the next `_read`.
      if (!of.push(value)) of.call.pause();
    },
    halfClosed: () => {
      if (handlesCutOff || !of.call.refuseCutOff()) of.push(null);
    },
    cancelled: () => cancel(of),
    drained: () => {
      if (of instanceof DuplexSurface) of.answers.drained();
    },
  };
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
