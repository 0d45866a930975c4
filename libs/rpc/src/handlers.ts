import type { AnyMethod, Method, RequestOutput, ResponseInput } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { anonymousActor } from '@sluice/domain/model';
import type { LinkMethod } from './link/link-handler.ts';

/** What a handler knows of the call beside its message. No type of the transport appears here. */
export interface CallContext {
  /** With its service: `sluice.registry.v1.RegistryService/GetModel`. */
  readonly method: string;
  /** Address and port of the caller. */
  readonly peer: string;
  /** When the caller gives up, in milliseconds since the epoch; undefined for streams without a deadline. */
  readonly deadlineMs: number | undefined;
  /** Aborts when the caller is gone, the deadline has passed or the server ends the call; never after an answer. */
  readonly signal: AbortSignal;
  /** Who the caller says it is: metadata `sluice-actor`, or `anonymous`. */
  readonly actor: string;
  /** The first value of a metadata key (lower case), text keys only. */
  metadata(key: string): string | undefined;
  setTrailer(key: string, value: string): void;
}

export type UnaryHandler<Request, Response> = (request: Request, ctx: CallContext) => Promise<Response>;
export type ServerStreamHandler<Request, Response> = (request: Request, ctx: CallContext) => AsyncIterable<Response>;
/**
 * The requests end when the caller says so, and also when it is cut off (some clients end a stream before they reset it):
 * what must be whole needs a size or a digest of its own.
 */
export type ClientStreamHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  ctx: CallContext,
) => Promise<Response>;
export type BidiHandler<Request, Response> = (
  requests: AsyncIterable<Request>,
  ctx: CallContext,
) => AsyncIterable<Response>;

/** A unary call whose messages stay bytes: for hot methods with a codec of their own. Exactly one answer counts. */
export interface RawCall {
  readonly method: string;
  readonly peer: string;
  /** When the caller gives up, in milliseconds since the epoch; the server's default when the caller named none. */
  readonly deadlineMs: number;
  /** True once the caller is gone, the deadline has passed, or the call was answered. */
  readonly ended: boolean;
  metadata(key: string): string | undefined;
  /** Every other call is ignored after an answer. */
  setTrailer(key: string, value: string): void;
  /** Its caller takes facts of it: see `setFacts`. Absent as false; a plain unary call and a message of a stream carry none. */
  readonly takesFacts?: boolean;
  /**
   * Says facts of the call, bytes that only its caller knows the meaning of, beside its answer or failure. They are read
   * when the call is answered, and not after: the memory may be used again then. Nothing happens where the caller takes
   * none.
   *
   * @throws RangeError when they are more than 255 bytes
   */
  setFacts?(facts: Uint8Array): void;
  /** Answers. @param more pieces that follow, joined with it where it is copied anyway */
  respond(message: Uint8Array, ...more: readonly Uint8Array[]): void;
  /** @param about what the call was about, such as a version: failures of each are logged on their own */
  fail(error: unknown, about?: string): void;
  /**
   * Calls `fn` once when the call ends before an answer, at once if it already has, with the reason: `cancelled` when the
   * caller is gone, `deadline-exceeded`, or `unavailable` when the server stops.
   */
  onCancel(fn: (reason: SluiceError) => void): void;
  /**
   * On a stream: its answer, whatever it is, leaves after those of the earlier requests of the stream that said the same key.
   * Absent where a call is no message of a stream.
   */
  inOrder?(key: string): void;
  /**
   * Says that nothing will look at the bytes of the request again, whose memory may serve another: what still refers to them finds nothing. Whoever
   * is not sure leaves it. Absent where a call has no memory of its own.
   */
  requestIsUnused?(): void;
}
/** Answers through `call`. What it throws, at once or as a promise, is the answer too. */
export type RawUnaryHandler = (request: Buffer, call: RawCall) => unknown;

/** Marks a handler that takes and gives message bytes. */
export interface RawMethod {
  readonly raw: RawUnaryHandler;
  /** Trailers of answers to calls that never reach the handler, such as one whose message is too large. */
  readonly refusalTrailers?: () => Readonly<Record<string, string>>;
}
/** How the messages of a stream carry requests and their answers. None of it throws, whatever the bytes are. */
export interface StreamCodec {
  /** The message that answers a request. @param answer its pieces, one at least */
  readonly answer: (request: Buffer, answer: readonly Uint8Array[]) => Uint8Array;
  /** The message that says that a request failed. @param message what a unary call's status would say */
  readonly failure: (request: Buffer, message: string) => Uint8Array;
  /** Whether the caller wants the first failure to end the stream, with the failure's status. */
  readonly endsAtFailure: (metadata: (key: string) => string | undefined) => boolean;
}
export interface RawStreamOptions {
  readonly codec: StreamCodec;
  /**
   * Requests of one stream that are under way, or answered and not yet read by the caller, before nothing more is read from
   * it; at least 1.
   */
  readonly maxInFlight: number;
  /** Trailers of streams that the transport ends by itself, such as at a message that is too large. */
  readonly refusalTrailers?: RawMethod['refusalTrailers'];
}
/** Marks a bidirectional method whose messages are bytes, each of them a request of its own. */
export interface RawStreamMethod extends RawStreamOptions {
  readonly rawStream: RawUnaryHandler;
}
/** Marks a stream that lasts as long as its caller wants: it is ended at once when the server stops. */
export interface WatchMethod<Request, Response> {
  readonly watch: ServerStreamHandler<Request, Response>;
}
/** Marks a method that this service does not have. */
export interface UnimplementedMethod {
  readonly unimplemented: string;
}

/** @param refusalTrailers trailers of answers to calls that never reach the handler */
export const raw = (handler: RawUnaryHandler, refusalTrailers?: RawMethod['refusalTrailers']): RawMethod => ({
  raw: handler,
  ...(refusalTrailers && { refusalTrailers }),
});
/**
 * A stream of requests that a handler of unary calls answers: many at once, answers as they are ready. A request that fails
 * is answered by a message, and the stream goes on.
 */
export const rawStream = (handler: RawUnaryHandler, options: RawStreamOptions): RawStreamMethod => ({
  rawStream: handler,
  ...options,
});
export const watch = <Request, Response>(
  handler: ServerStreamHandler<Request, Response>,
): WatchMethod<Request, Response> => ({ watch: handler });
/** @param message what to tell the caller to do instead */
export const unimplemented = (message: string): UnimplementedMethod => ({ unimplemented: message });

/** What may be registered for a method of the contract. */
export type Handler<M> =
  | UnimplementedMethod
  | (M extends Method<'unary', [unknown, unknown], [unknown, unknown]>
      ? UnaryHandler<RequestOutput<M>, ResponseInput<M>> | RawMethod
      : M extends Method<'serverStream', [unknown, unknown], [unknown, unknown]>
        ? ServerStreamHandler<RequestOutput<M>, ResponseInput<M>> | WatchMethod<RequestOutput<M>, ResponseInput<M>>
        : M extends Method<'clientStream', [unknown, unknown], [unknown, unknown]>
          ? ClientStreamHandler<RequestOutput<M>, ResponseInput<M>>
          : BidiHandler<RequestOutput<M>, ResponseInput<M>> | RawStreamMethod | LinkMethod);

/** One handler per method of a service: a missing or misspelt name does not compile. */
export type Handlers<Methods> = { readonly [Name in keyof Methods]: Handler<Methods[Name]> };
/** Refuses names that the service does not have, also where the object is not a literal. */
export type NoOthers<Given, Methods> = Given & Readonly<Record<Exclude<keyof Given, keyof Methods>, never>>;

export type { AnyMethod };

export function isRaw(handler: unknown): handler is RawMethod {
  return typeof handler === 'object' && handler !== null && 'raw' in handler;
}
export function isRawStream(handler: unknown): handler is RawStreamMethod {
  return typeof handler === 'object' && handler !== null && 'rawStream' in handler;
}
export function isWatch(handler: unknown): handler is WatchMethod<unknown, unknown> {
  return typeof handler === 'object' && handler !== null && 'watch' in handler;
}
export function isUnimplemented(handler: unknown): handler is UnimplementedMethod {
  return typeof handler === 'object' && handler !== null && 'unimplemented' in handler;
}

/**
 * Who the caller says it is, by its metadata `sluice-actor`: decoded where it is URI-encoded.
 *
 * @throws SluiceError invalid-argument when it has more than 256 bytes
 */
export function checkedActor(value: string | undefined): string {
  if (value === undefined || value === '') return anonymousActor;
  if (Buffer.byteLength(value) > 256)
    throw new SluiceError(
      'invalid-argument',
      `metadata sluice-actor has ${Buffer.byteLength(value)} bytes, at most 256 are allowed`,
    );
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
