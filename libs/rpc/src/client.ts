import { Client, Metadata, status as grpcStatus } from '@grpc/grpc-js';
import type { CallOptions as GrpcCallOptions, ServiceError, StatusObject } from '@grpc/grpc-js';
import type { Method, RequestInput, ResponseOutput, Service } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import type { TlsSource } from '@sluice/wire/tls';
import type { AnyDefinition } from './messages.ts';
import { clientChannelOptions } from './options.ts';
import { Replicas } from './replicas.ts';
import { Silence } from './silence.ts';
import { RpcError, fromWire, statusCodes } from './status.ts';
import { channelCredentials } from './tls/credentials.ts';
import { textEntries } from './trailers.ts';

export interface CallOptions {
  /** When to give up, in milliseconds since the epoch; hand `ctx.deadlineMs` on here. */
  readonly deadlineMs?: number | undefined;
  /** The same from now on; the earlier of both counts. Unary calls have the client's default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Of a stream of answers: a replica that sends none within so many milliseconds counts as silent, and the stream ends
   * like a broken connection. Only with several addresses; default never.
   */
  readonly firstAnswerMs?: number | undefined;
  /** Text metadata by lower-case key. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Sent as `sluice-actor`. */
  readonly actor?: string | undefined;
  /** Told of the trailers of a call that ended well; a failure has them on its error. */
  readonly onTrailers?: ((trailers: Readonly<Record<string, string>>) => void) | undefined;
}

type ClientMethod<M> =
  M extends Method<'unary', [unknown, unknown], [unknown, unknown]>
    ? (request: RequestInput<M>, options?: CallOptions) => Promise<ResponseOutput<M>>
    : M extends Method<'serverStream', [unknown, unknown], [unknown, unknown]>
      ? (request: RequestInput<M>, options?: CallOptions) => AsyncGenerator<ResponseOutput<M>, void, undefined>
      : M extends Method<'clientStream', [unknown, unknown], [unknown, unknown]>
        ? (requests: Source<RequestInput<M>>, options?: CallOptions) => Promise<ResponseOutput<M>>
        : (
            requests: Source<RequestInput<M>>,
            options?: CallOptions,
          ) => AsyncGenerator<ResponseOutput<M>, void, undefined>;
export type Source<T> = AsyncIterable<T> | Iterable<T>;

/** A client of one service; methods have the contract's names in camel case. All failures are `RpcError`s. */
export type RpcClient<Methods> = { readonly [Name in keyof Methods]: ClientMethod<Methods[Name]> } & {
  /** Ends calls in flight and closes the connections. */
  close(): void;
};

export interface RpcClientOptions {
  readonly clock: Clock;
  /** Of calls that name no deadline and end by themselves, in milliseconds; default 30,000, 0 for none. */
  readonly defaultTimeoutMs?: number;
  /** Largest message sent or taken; default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Sent as `sluice-actor` with every call. */
  readonly actor?: string;
  /** What its connections are secured with; without it they are plain. */
  readonly tls?: TlsSource | undefined;
}

/**
 * A client of one service. With several addresses it uses the first that answers: a call that never left this process is
 * tried on the next, and after a broken connection or a call that was not answered in time the next call goes elsewhere.
 * Nothing else is retried here.
 *
 * @param addresses `host:port`, a list of them, or one that several clients share
 */
export function createRpcClient<Methods>(
  service: Service<Methods>,
  addresses: string | readonly string[] | Replicas,
  options: RpcClientOptions,
): RpcClient<Methods> {
  const list = typeof addresses === 'string' ? [addresses] : addresses;
  const channels = new Channels(list instanceof Replicas ? list : new Replicas(list), options);
  const client: Record<string, unknown> = { close: () => channels.close() };
  for (const [name, method] of Object.entries(service.definition)) {
    const definition = method as AnyDefinition;
    client[definition.originalName ?? name] = methodOf(channels, definition);
  }
  return Object.freeze(client) as RpcClient<Methods>;
}

function methodOf(channels: Channels, definition: AnyDefinition): unknown {
  if (definition.requestStream)
    return definition.responseStream
      ? (requests: Source<object>, options: CallOptions = {}) => bidi(channels, definition, requests, options)
      : (requests: Source<object>, options: CallOptions = {}) => clientStream(channels, definition, requests, options);
  return definition.responseStream
    ? (request: object, options: CallOptions = {}) => serverStream(channels, definition, request, options)
    : (request: object, options: CallOptions = {}) => unary(channels, definition, request, options);
}

/** One connection per address, made when first needed. */
class Channels {
  readonly replicas: Replicas;
  readonly #options: RpcClientOptions;
  readonly #clients = new Map<string, Client>();

  constructor(replicas: Replicas, options: RpcClientOptions) {
    this.replicas = replicas;
    this.#options = options;
  }

  get address(): string {
    return this.replicas.address;
  }
  get clock(): Clock {
    return this.#options.clock;
  }

  client(): Client {
    const known = this.#clients.get(this.address);
    if (known !== undefined) return known;
    const options = clientChannelOptions(this.#options.maxMessageBytes ?? 64 * 1024 * 1024);
    const client = new Client(this.address, channelCredentials(this.#options.tls), options);
    this.#clients.set(this.address, client);
    return client;
  }

  metadata(call: CallOptions): Metadata {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(call.metadata ?? {})) metadata.set(key, value);
    const actor = call.actor ?? this.#options.actor;
    // Names of people are not ASCII; header values are.
    if (actor !== undefined) metadata.set('sluice-actor', encodeURIComponent(actor.toWellFormed()));
    return metadata;
  }

  callOptions(call: CallOptions, endsByItself: boolean): GrpcCallOptions {
    const fallback = endsByItself ? (this.#options.defaultTimeoutMs ?? 30_000) : 0;
    const timeoutMs = call.timeoutMs ?? (call.deadlineMs === undefined && fallback > 0 ? fallback : undefined);
    const relative = timeoutMs === undefined ? Infinity : this.#options.clock.now() + timeoutMs;
    const deadline = Math.min(call.deadlineMs ?? Infinity, relative);
    return deadline === Infinity ? {} : { deadline };
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}

/** A call's cancel, bound to the signal that its caller gave. */
class Cancellation {
  cancelledHere = false;
  readonly #signal: AbortSignal | undefined;
  #listener: (() => void) | undefined;

  /** @throws RpcError cancelled when the signal has aborted already */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (signal?.aborted === true)
      throw new RpcError('cancelled', 'cancelled before it was sent', { origin: 'local', code: statusCodes.CANCELLED });
  }

  attach(cancel: () => void): void {
    this.#listener = () => {
      this.cancelledHere = true;
      cancel();
    };
    this.#signal?.addEventListener('abort', this.#listener, { once: true });
  }

  detach(): void {
    if (this.#listener !== undefined) this.#signal?.removeEventListener('abort', this.#listener);
  }
}

/** @param answered the call had an answer before it failed: its peer does not hang */
function failure(error: unknown, channels: Channels, address: string, cancelledHere: boolean, answered = false): Error {
  if (!isServiceError(error)) return error instanceof Error ? error : new Error(String(error));
  const status = { code: error.code, details: error.details, trailers: textEntries(error.metadata) };
  const failed = fromWire(status, address, cancelledHere);
  if (failed.origin === 'unsent' || failed.origin === 'lost') channels.replicas.turnFrom(address);
  const isLate = failed.origin === 'local' && failed.kind === 'deadline-exceeded';
  if (isLate && !answered) channels.replicas.silent(address);
  return failed;
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

async function unary(channels: Channels, definition: AnyDefinition, request: object, options: CallOptions) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await unaryOnce(channels, definition, request, options);
    } catch (error) {
      if (!(error instanceof RpcError) || error.origin !== 'unsent' || attempt >= channels.replicas.count) throw error;
    }
  }
}

function unaryOnce(
  channels: Channels,
  definition: AnyDefinition,
  request: object,
  options: CallOptions,
): Promise<object> {
  return new Promise((resolve, reject) => {
    const cancellation = new Cancellation(options.signal);
    const address = channels.address;
    const call = channels
      .client()
      .makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        channels.metadata(options),
        channels.callOptions(options, true),
        (error, response) => {
          cancellation.detach();
          if (error === null) resolve(response!);
          else reject(failure(error, channels, address, cancellation.cancelledHere));
        },
      );
    if (options.onTrailers !== undefined)
      call.on('status', (status: StatusObject) => options.onTrailers?.(textEntries(status.metadata)));
    cancellation.attach(() => call.cancel());
  });
}

async function* serverStream(
  channels: Channels,
  definition: AnyDefinition,
  request: object,
  options: CallOptions,
): AsyncGenerator<object, void, undefined> {
  const cancellation = new Cancellation(options.signal);
  const address = channels.address;
  const call = channels
    .client()
    .makeServerStreamRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      request,
      channels.metadata(options),
      channels.callOptions(options, false),
    );
  yield* received(call, channels, address, cancellation, options);
}

interface Incoming extends AsyncIterable<object> {
  cancel(): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'status', listener: (status: StatusObject) => void): unknown;
}

/** The messages of a call; a consumer that stops early cancels it. */
async function* received(
  call: Incoming,
  channels: Channels,
  address: string,
  cancellation: Cancellation,
  options: CallOptions,
): AsyncGenerator<object, void, undefined> {
  // The iterator reports errors; this listener is for the one of our own cancel, after everybody has left.
  call.on('error', () => undefined);
  call.on('status', (status) => {
    if (status.code === grpcStatus.OK) options.onTrailers?.(textEntries(status.metadata));
  });
  cancellation.attach(() => call.cancel());
  const silence = new Silence(channels, address, options.firstAnswerMs, () => call.cancel());
  try {
    for await (const message of call) {
      silence.answered();
      yield message;
    }
  } catch (error) {
    throw silence.error ?? failure(error, channels, address, cancellation.cancelledHere, silence.over);
  } finally {
    silence.stop();
    cancellation.detach();
    call.cancel();
  }
}

interface Outgoing {
  write(message: object): boolean;
  end(): void;
  cancel(): void;
  on(event: string, listener: () => void): unknown;
}

/** Writes everything at the peer's pace; stops when `ended` says so. */
async function send(call: Outgoing, requests: Source<object>, ended: () => boolean): Promise<void> {
  let wake: () => void = () => undefined;
  for (const event of ['drain', 'close', 'status']) call.on(event, () => wake());
  for await (const request of requests) {
    if (ended()) return;
    if (!call.write(request) && !ended()) await new Promise<void>((resolve) => (wake = resolve));
  }
  if (!ended()) call.end();
}

function clientStream(
  channels: Channels,
  definition: AnyDefinition,
  requests: Source<object>,
  options: CallOptions,
): Promise<object> {
  return new Promise((resolve, reject) => {
    const cancellation = new Cancellation(options.signal);
    const address = channels.address;
    let ended = false;
    const call = channels
      .client()
      .makeClientStreamRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        channels.metadata(options),
        channels.callOptions(options, options.timeoutMs !== undefined || options.deadlineMs !== undefined),
        (error, response) => {
          ended = true;
          cancellation.detach();
          if (error === null) resolve(response!);
          else reject(failure(error, channels, address, cancellation.cancelledHere));
        },
      );
    call.on('error', () => undefined);
    if (options.onTrailers !== undefined)
      call.on('status', (status: StatusObject) => options.onTrailers?.(textEntries(status.metadata)));
    cancellation.attach(() => call.cancel());
    send(call, requests, () => ended).catch((error: unknown) => {
      // The source failed, not the call: its error is what the caller wants to see.
      reject(error instanceof Error ? error : new Error(String(error)));
      call.cancel();
    });
  });
}

async function* bidi(
  channels: Channels,
  definition: AnyDefinition,
  requests: Source<object>,
  options: CallOptions,
): AsyncGenerator<object, void, undefined> {
  const cancellation = new Cancellation(options.signal);
  const address = channels.address;
  const call = channels
    .client()
    .makeBidiStreamRequest(
      definition.path,
      definition.requestSerialize,
      definition.responseDeserialize,
      channels.metadata(options),
      channels.callOptions(options, false),
    );
  let ended = false;
  let sourceError: unknown;
  call.once('status', () => (ended = true));
  send(call, requests, () => ended).catch((error: unknown) => {
    sourceError = error;
    call.cancel();
  });
  try {
    yield* received(call, channels, address, cancellation, options);
  } catch (error) {
    throw sourceError ?? error;
  }
}
