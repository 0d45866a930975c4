import type { Socket } from 'node:net';
import type { Clock, Timer } from '@sluice/domain/clock';
import { Deadlines } from '../deadlines.ts';
import { adapt } from '../grpc/adapt.ts';
import type { Handler, ServiceDefinition } from '../grpc/adapt.ts';
import type { Compression } from '../grpc/codings.ts';
import { Inflater } from '../grpc/inflater.ts';
import { Memory } from '../grpc/memory.ts';
import { repeatedFields } from '../grpc/answering.ts';
import type { CallHost } from '../grpc/server-call.ts';
import { Backlog, SharedBacklog } from '../http2/backlog.ts';
import { defaultLimits } from '../http2/limits.ts';
import type { ConnectionLimits } from '../http2/limits.ts';
import { ServerConnection } from '../http2/server-connection.ts';
import type { TlsSource } from '../tls.ts';
import { accept } from './accept.ts';
import type { WireMethod } from './accept.ts';
import { listen, peerOf } from './listener.ts';
import type { Listener } from './listener.ts';
import { SocketPort } from '../socket-port.ts';

/** What a server says of itself; each at most once for a connection. */
export interface WireEvents {
  /** A connection ended for what its peer did, or never came about. */
  readonly connectionFailed: (peer: string, error: Error) => void;
  /** A connection was closed as soon as it came: there are as many as there may be. */
  readonly connectionRefused: (peer: string) => void;
}

export interface WireServerOptions {
  readonly clock: Clock;
  /** Connections at once, those among them that are being closed; default 16,384. Of more each is reset as soon as it comes. */
  readonly maxConnections?: number;
  /** Octets of a request at most, when it is inflated; default 64 MiB. */
  readonly maxRequestOctets?: number;
  /** Octets of requests of all connections that are not whole yet, or wait to be read; default 1 GiB. */
  readonly maxBuffered?: number;
  /**
   * Octets of answers of all connections that wait to be read; default 1 GiB. One connection has at most a quarter of what the others leave, so
   * that it should be several times four of the largest answers.
   */
  readonly maxWaiting?: number;
  /** How answers of a kilobyte and more are compressed for callers that take it; default not at all. */
  readonly compression?: Compression | undefined;
  readonly limits?: Partial<ConnectionLimits>;
  readonly events?: Partial<WireEvents>;
}

const mostConnections = 16_384;
const tickMs = 1000;
/** Between the announcement of a stop and the last word on which calls are taken: a round trip, and more. */
const announcedMs = 100;
/** How long sockets may take that are ended for good. */
const closingMs = 1000;

/** A gRPC server, with TLS or without. Methods are registered by their path, as bytes; `addService` mounts whole services. */
export class WireServer {
  readonly #options: WireServerOptions;
  readonly #limits: ConnectionLimits;
  readonly #methods = new Map<string, WireMethod>();
  readonly #connections = new Set<ServerConnection>();
  readonly #sockets = new Set<Socket>();
  readonly #deadlines: Deadlines;
  readonly #memory: Memory;
  readonly #listeners: Listener[] = [];
  readonly #backlog: SharedBacklog;
  #timer: Timer | undefined;
  #stopping: PromiseWithResolvers<undefined> | undefined;

  constructor(options: WireServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#deadlines = new Deadlines(options.clock);
    this.#memory = new Memory(options.maxBuffered ?? 1024 ** 3);
    this.#backlog = new SharedBacklog(options.maxWaiting ?? 1024 ** 3);
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Sockets that are open: those of connections, and those that are none yet or none any more. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** Octets of requests that are not whole yet, or wait to be read. */
  get bufferedOctets(): number {
    return this.#memory.used;
  }

  /** Octets of answers that wait to be read. */
  get waitingOctets(): number {
    return this.#backlog.octets;
  }

  /**
   * @param path with a leading slash
   * @returns false when it is registered already
   */
  register(path: string, method: WireMethod): boolean {
    if (this.#methods.has(path)) return false;
    this.#methods.set(path, method);
    return true;
  }

  /**
   * Mounts a service with handlers as grpc-js takes them.
   * @param handlers by the name of the method, as in the definition or as in its .proto file
   * @throws Error for a method that has no handler or is registered already
   */
  addService(definition: ServiceDefinition, handlers: object): void {
    const byName = handlers as Readonly<Record<string, Handler | undefined>>;
    for (const [name, method] of Object.entries(definition)) {
      const handler = byName[name] ?? byName[method.originalName ?? name];
      if (handler === undefined) throw new Error(`${method.path} has no handler`);
      if (!this.register(method.path, { begin: adapt(method, (call, send) => handler.call(handlers, call, send)) }))
        throw new Error(`${method.path} is registered twice`);
    }
  }

  /**
   * Starts to serve.
   * @param tls without it, connections are plain
   * @returns the port
   * @throws the socket's error, with its `code`
   */
  async listen(host: string, port: number, tls?: TlsSource): Promise<number> {
    const listener = await listen({
      ...{ host, port, tls, handshakeTimeoutMs: this.#limits.settingsTimeoutMs },
      connected: (socket) => this.#connected(socket),
      opened: (socket) => this.#opened(socket),
      failed: (socket, error) => this.#options.events?.connectionFailed?.(peerOf(socket), error),
    });
    this.#listeners.push(listener);
    this.#timer ??= this.#options.clock.schedule(tickMs, () => this.#tick());
    return listener.port;
  }

  /** Takes no further connections and calls; those that are under way go on. Resolves when none is left. */
  stop(): Promise<void> {
    if (this.#stopping === undefined) {
      this.#stopping = Promise.withResolvers();
      for (const listener of this.#listeners) listener.close();
      for (const connection of this.#connections) connection.announceDrain();
      this.#options.clock.schedule(announcedMs, () => {
        for (const connection of [...this.#connections]) connection.drain();
      });
      this.#endIfDone();
    }
    return this.#stopping.promise.then(() => undefined);
  }

  /** Ends all connections now. What was written before may still be read, for a second. */
  close(): void {
    void this.stop();
    for (const connection of [...this.#connections]) connection.close();
    this.#options.clock.schedule(closingMs, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** Keeps a socket, secured or not yet, until it is closed. */
  #connected(socket: Socket): void {
    const { maxConnections = mostConnections, events } = this.#options;
    if (this.#sockets.size >= maxConnections) {
      events?.connectionRefused?.(peerOf(socket));
      // Without the state that an orderly end leaves with the system. Nobody cares how it goes.
      socket.on('error', () => undefined).resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#endIfDone();
    });
  }

  #opened(socket: Socket): void {
    // One too many, or one whose handshake has outlived the server.
    if (socket.destroyed || this.#stopping !== undefined) {
      socket.destroy();
      return;
    }
    const { clock, events } = this.#options;
    const peer = peerOf(socket);
    const maxRequestOctets = this.#options.maxRequestOctets ?? 64 * 1024 * 1024;
    const host: CallHost = {
      ...{ clock, peer, deadlines: this.#deadlines, compression: this.#options.compression },
      ...{ maxRequestOctets, inflater: new Inflater(maxRequestOctets) },
      memory: new Memory(this.#limits.maxBuffered, this.#memory),
    };
    const port = new SocketPort(socket, clock);
    const connection: ServerConnection = new ServerConnection({
      ...{ port, clock, limits: this.#limits, repeated: repeatedFields },
      backlog: new Backlog(this.#limits.maxWaiting, this.#backlog),
      accept: (stream, block, ended) => accept(this.#methods, host, { connection, stream, block, ended }),
      closed: (error) => {
        this.#connections.delete(connection);
        if (error !== undefined) events?.connectionFailed?.(peer, error);
        this.#endIfDone();
      },
    });
    this.#connections.add(connection);
    port.serve(connection);
  }

  #tick(): void {
    for (const connection of this.#connections) connection.tick();
    this.#timer = this.#options.clock.schedule(tickMs, () => this.#tick());
  }

  #endIfDone(): void {
    if (this.#stopping === undefined || this.#connections.size > 0 || this.#sockets.size > 0) return;
    this.#timer?.cancel();
    this.#deadlines.stop();
    this.#stopping.resolve(undefined);
  }
}
