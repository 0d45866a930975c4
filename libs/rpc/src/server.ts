import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { filesOfServices } from '@sluice/contracts/descriptors';
import type { Service } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { Sampler } from '@sluice/resilience/sampler';
import type { Logger } from '@sluice/service-kit/logger';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { TlsSource } from '@sluice/wire/tls';
import { ActiveCalls } from './active-calls.ts';
import { Context } from './context.ts';
import { foreignServices } from './foreign.ts';
import type { ForeignService } from './foreign.ts';
import { isRaw, isRawStream, isUnimplemented, isWatch } from './handlers.ts';
import type {
  BidiHandler,
  ClientStreamHandler,
  Handlers,
  NoOthers,
  RawStreamMethod,
  ServerStreamHandler,
  UnaryHandler,
} from './handlers.ts';
import { Health, healthServiceName } from './health.ts';
import { isLink } from './link/link-handler.ts';
import { serveLink } from './link/serve-link.ts';
import type { LinkHost } from './link/serve-link.ts';
import { decodeRequest, encodeResponse } from './messages.ts';
import type { AnyDefinition } from './messages.ts';
import { RawStreamCall } from './raw-stream-call.ts';
import { runRaw } from './run-raw.ts';
import type { ServerCore } from './server-core.ts';
import { SlowPeers } from './slow-peers.ts';
import { StreamCall } from './stream-call.ts';
import type { StreamLife } from './stream-life.ts';
import { GrpcJsTransport } from './transport/grpc-js-transport.ts';
import type { AnswerCompression, ServerTransport, TransportName } from './transport/transport.ts';
import { WireTransport } from './transport/wire-transport.ts';
import { UnaryCall } from './unary-call.ts';
import { cancelledError } from './unary-life.ts';

export interface RpcServerOptions {
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'method' | 'streamedRequests'>;
  readonly clock: Clock;
  /** Largest message taken or sent, after decompression; default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Largest request where it differs: a server behind a proxy that adds to what its callers send; see `hopBytes`. */
  readonly maxRequestBytes?: number;
  /** Largest answer where it differs: a proxy that adds to what servers answer; see `hopBytes`. */
  readonly maxAnswerBytes?: number;
  /** Deadline of unary calls whose caller sends none, in milliseconds; default 30,000. */
  readonly defaultDeadlineMs?: number;
  /**
   * How long the caller of a stream may neither send nor read, in milliseconds; default 300,000, 0 for no limit. Watches
   * have none: pings find out that their caller is gone.
   */
  readonly streamIdleMs?: number;
  /** Milliseconds between pings of a connection; default 30,000. */
  readonly keepaliveMs?: number;
  /** How answers of a kilobyte and more are compressed for callers that take it; default not at all. grpc-js never does. */
  readonly answerCompression?: AnswerCompression;
  /** The gRPC stack under it; default grpc-js. */
  readonly transport?: TransportName;
  /** What its connections are secured with; without it they are plain. */
  readonly tls?: TlsSource | undefined;
}

const reflectionNames = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];
/** A gRPC server. The only way to register a handler, so none can hang a caller or leak a cause. */
export class RpcServer {
  readonly health = new Health();
  readonly #core: ServerCore;
  readonly #active: ActiveCalls;
  readonly #metrics: RpcServerOptions['metrics'];
  readonly #transport: ServerTransport;
  readonly #services: string[] = [];
  /** Streams that are told of a stop, since they may never end by themselves. */
  readonly #told = new Set<StreamLife>();
  readonly #linkHost: LinkHost;
  #stopping: Promise<void> | undefined;

  constructor(options: RpcServerOptions) {
    const maxMessageBytes = options.maxMessageBytes ?? 64 * 1024 * 1024;
    const defaultDeadlineMs = options.defaultDeadlineMs ?? 30_000;
    const streamIdleMs = options.streamIdleMs ?? 300_000;
    const maxRequestBytes = options.maxRequestBytes ?? maxMessageBytes;
    this.#metrics = options.metrics;
    this.#active = new ActiveCalls(options.clock, defaultDeadlineMs);
    this.#core = {
      clock: options.clock,
      logger: options.logger,
      active: this.#active,
      slowPeers: new SlowPeers(options.clock, streamIdleMs),
      streamIdleMs,
      maxAnswerBytes: options.maxAnswerBytes ?? maxMessageBytes,
      defaultDeadlineMs,
      logDefect: defectLog(options.logger, options.clock),
      endingError: (deadlineMs) =>
        this.#stopping === undefined
          ? new SluiceError(
              'deadline-exceeded',
              `not answered within the server's default deadline of ${deadlineMs} ms`,
            )
          : new SluiceError('unavailable', 'the server is stopping'),
    };
    const { keepaliveMs = 30_000, answerCompression = 'none', tls } = options;
    const limits = { core: this.#core, maxRequestBytes, keepaliveMs, answerCompression, tls };
    this.#transport = options.transport === 'wire' ? new WireTransport(limits) : new GrpcJsTransport(limits);
    this.#linkHost = { core: this.#core, metrics: options.metrics, maxRequestBytes, links: new Set() };
  }

  /** Registers a service; its health is NOT_SERVING until `health` says otherwise. */
  addService<Methods, Given extends Handlers<Methods>>(
    service: Service<Methods>,
    handlers: NoOthers<Given, Methods>,
  ): void {
    this.#register({ definition: service.definition, handlers: handlers });
    this.#services.push(service.name);
    this.health.set(service.name, false);
  }

  /** Mounts `grpc.health.v1`. @param health another server's, to answer for it on this port too */
  addHealth(health: Health = this.health): void {
    for (const service of health.services()) this.#register(service);
    this.#services.push(healthServiceName);
  }

  /** Mounts server reflection, v1 and v1alpha, of the services added so far and `others` by full name. */
  addReflection(others: readonly string[] = []): void {
    const services = [...this.#services, ...others, ...reflectionNames];
    const files = filesOfServices(services).map((file) => Buffer.from(file.bytes));
    // The package reads nothing but the compiled files of a definition, so that is all it gets.
    const definitions = { files: { format: '', type: {}, fileDescriptorProtos: files } };
    const reflection = new ReflectionService(definitions as never, { services });
    for (const service of foreignServices(reflection)) this.#register(service);
  }

  /**
   * Starts to serve.
   *
   * @returns the port
   * @throws SluiceError failed-precondition when the port is taken or the address is not this machine's
   */
  async bind(host: string, port: number): Promise<number> {
    try {
      return await this.#transport.bind(host, port);
    } catch (error) {
      throw bindError(host, port, error as Error);
    }
  }

  /** Calls that were taken and not answered. */
  get inFlight(): number {
    return this.#active.size;
  }

  /** The calls in flight, a line each, the oldest first. */
  busy(): string[] {
    return this.#active.describe();
  }

  /** NOT_SERVING, ends watches, refuses new calls and new requests of streams; those in flight go on. */
  stopAccepting(): void {
    if (this.#stopping !== undefined) return;
    this.health.drain();
    const closed = Promise.withResolvers<undefined>();
    this.#stopping = closed.promise.then(() => undefined);
    // A turn later, so that what watches were told just now (NOT_SERVING, draining) leaves before they end.
    setImmediate(() => {
      for (const call of [...this.#told]) call.drain();
      for (const link of this.#linkHost.links) link.drain();
    });
    void this.#transport.stop().then(() => closed.resolve(undefined));
  }

  /** Resolves when nothing is in flight; once `signal` aborts, ends what is left with UNAVAILABLE first. */
  async finish(signal: AbortSignal): Promise<void> {
    this.stopAccepting();
    const aborted = Promise.withResolvers<undefined>();
    const abort = (): void => aborted.resolve(undefined);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    await Promise.race([this.#stopping, aborted.promise]);
    signal.removeEventListener('abort', abort);
    if (signal.aborted) await this.#force();
  }

  /**
   * `stopAccepting` and `finish` with a budget of its own.
   *
   * @param budgetMs 0 ends at once
   * @returns what was ended unfinished, a line each
   */
  async tryShutdown(budgetMs: number): Promise<string[]> {
    this.stopAccepting();
    const controller = new AbortController();
    let unfinished: string[] = [];
    const timer = this.#core.clock.schedule(budgetMs, () => {
      unfinished = this.busy();
      controller.abort();
    });
    await this.finish(controller.signal);
    timer.cancel();
    return unfinished;
  }

  async #force(): Promise<void> {
    for (const link of this.#linkHost.links) link.expire();
    for (const call of this.#active.list()) call.expire();
    // One turn of the loop, so that these answers leave before their connections go.
    await new Promise((resolve) => setImmediate(resolve));
    this.#transport.force();
  }

  #register(service: ForeignService): void {
    for (const [name, method] of Object.entries(service.definition)) {
      const definition = method as AnyDefinition;
      const handler = service.handlers[definition.originalName ?? name];
      const { path, requestStream, responseStream } = definition;
      const type = `${requestStream ? 'c' : ''}${responseStream ? 's' : ''}`;
      const func = this.#adapt(definition, handler, type);
      const stats = this.#metrics.method(path.slice(1));
      const trailers = isRaw(handler) || isRawStream(handler) ? handler.refusalTrailers : undefined;
      const raw = type === '' && isRaw(handler) ? handler.raw : undefined;
      this.#transport.register({ path, requestStream, responseStream, func, raw, refusal: { stats, trailers } });
    }
  }

  #adapt(definition: AnyDefinition, handler: unknown, type: string): (...args: never[]) => void {
    if (isUnimplemented(handler)) {
      const refuse = (): never => {
        throw new SluiceError('unimplemented', handler.unimplemented);
      };
      return this.#adapt(definition, refuse, type);
    }
    switch (type) {
      case '':
        return this.#unary(definition, handler);
      case 's':
        return this.#serverStream(definition, handler);
      case 'c':
        return this.#clientStream(definition, handler as ClientStreamHandler<object, object>);
      default:
        if (isRawStream(handler)) return this.#rawStream(definition, handler);
        if (isLink(handler)) return serveLink(this.#linkHost, definition, handler);
        return this.#bidi(definition, handler as BidiHandler<object, object>);
    }
  }

  #unary(definition: AnyDefinition, handler: unknown) {
    const core = this.#core;
    const method = definition.path.slice(1);
    const stats = this.#metrics.method(method);
    const rawHandler = isRaw(handler) ? handler.raw : undefined;
    const typed = handler as UnaryHandler<object, object>;
    return (call: ServerUnaryCall<Buffer, Buffer>, send: sendUnaryData<Buffer>): void => {
      const unary = new UnaryCall(core, stats, method, call, send);
      if (rawHandler === undefined) void answer(core, definition, typed, call.request, unary);
      else runRaw(rawHandler, call.request, unary);
    };
  }

  #serverStream(definition: AnyDefinition, handler: unknown) {
    const stats = this.#metrics.method(definition.path.slice(1));
    const isLong = isWatch(handler);
    const stream = (isLong ? handler.watch : handler) as ServerStreamHandler<object, object>;
    return (surface: ServerWritableStream<Buffer, Buffer>): void => {
      this.#guarded(surface, undefined, stats, definition, (call) => {
        if (isLong) {
          if (this.#stopping !== undefined) throw this.#core.endingError(0);
          this.#told.add(call);
          call.hasNoIdleLimit();
          surface.once('close', () => this.#told.delete(call));
        }
        void call.pump(stream(decodeRequest(definition, surface.request), call.context));
      });
    };
  }

  #clientStream(definition: AnyDefinition, handler: ClientStreamHandler<object, object>) {
    const stats = this.#metrics.method(definition.path.slice(1));
    return (surface: ServerReadableStream<Buffer, Buffer>, send: sendUnaryData<Buffer>): void => {
      this.#guarded(surface, send, stats, definition, (call) => {
        handler(call.requests(), call.context).then(
          (value) => call.respond(value, send),
          (error: unknown) => call.fail(error),
        );
      });
    };
  }

  #bidi(definition: AnyDefinition, handler: BidiHandler<object, object>) {
    const stats = this.#metrics.method(definition.path.slice(1));
    return (surface: ServerDuplexStream<Buffer, Buffer>): void => {
      this.#guarded(surface, undefined, stats, definition, (call) => {
        void call.pump(handler(call.requests(), call.context));
      });
    };
  }

  #rawStream(definition: AnyDefinition, method: RawStreamMethod) {
    const name = definition.path.slice(1);
    const stats = { streams: this.#metrics.method(name), requests: this.#metrics.streamedRequests(name) };
    return (surface: ServerDuplexStream<Buffer, Buffer>): void => {
      const call = new RawStreamCall(this.#core, stats, name, surface, method);
      this.#told.add(call);
      surface.once('close', () => this.#told.delete(call));
      if (this.#stopping === undefined) call.start();
      else call.expire();
    };
  }

  /** Whatever `run` throws becomes the answer. */
  #guarded(
    surface: ConstructorParameters<typeof StreamCall>[3],
    send: sendUnaryData<Buffer> | undefined,
    stats: ReturnType<Metrics['method']>,
    definition: AnyDefinition,
    run: (call: StreamCall) => void,
  ): void {
    const call = new StreamCall(this.#core, stats, definition, surface, send);
    try {
      call.checkContext();
      run(call);
    } catch (error) {
      call.fail(error);
    }
  }
}

async function answer(
  core: ServerCore,
  definition: AnyDefinition,
  handler: UnaryHandler<object, object>,
  bytes: Buffer,
  call: UnaryCall,
): Promise<void> {
  try {
    const request = decodeRequest(definition, bytes);
    const context = new Context(call);
    call.onCancel(() => context.abort(cancelledError()));
    const response = await handler(request, context);
    call.respond(encodeResponse(definition, response, core.maxAnswerBytes));
  } catch (error) {
    call.fail(error);
  }
}

/** Logs defects, of those alike at most one in ten seconds: a version that fails must not fill the log. */
function defectLog(logger: Logger, clock: Clock): ServerCore['logDefect'] {
  const sampler = new Sampler({ clock });
  return (cause, method, peer, about) => {
    const unlogged = sampler.take(`${method} ${about ?? ''} ${cause instanceof Error ? cause.name : typeof cause}`);
    if (unlogged === undefined) return;
    const line = { err: cause, method, peer, ...(about !== undefined && { about }), ...(unlogged > 0 && { unlogged }) };
    logger.error(line, 'a handler failed');
  };
}

function bindError(host: string, port: number, error: Error): SluiceError {
  const where = `port ${port} of ${host}`;
  if (/EADDRINUSE/.test(error.message))
    return new SluiceError('failed-precondition', `${where} is taken: stop what listens there or choose another port`);
  if (/EACCES/.test(error.message))
    return new SluiceError('failed-precondition', `${where} may not be opened by this user: choose a port above 1023`);
  return new SluiceError('failed-precondition', `${where} cannot be opened: ${error.message}`);
}

/** A server that serves nothing yet: add services, then `bind`. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  return new RpcServer(options);
}
