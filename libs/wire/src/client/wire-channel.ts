import type { Socket } from 'node:net';
import type { Clock, Random, Timer } from '@sluice/domain/clock';
import { Deadlines } from '../deadlines.ts';
import { acceptedCodings } from '../grpc/codings.ts';
import type { Compression } from '../grpc/codings.ts';
import { isReserved } from '../grpc/metadata.ts';
import { formatTimeout } from '../grpc/status.ts';
import { ClientConnection } from '../http2/client-connection.ts';
import { defaultLimits } from '../http2/limits.ts';
import type { ConnectionLimits } from '../http2/limits.ts';
import { SocketPort } from '../server/socket-port.ts';
import type { TlsSource } from '../tls.ts';
import { ClientCall } from './client-call.ts';
import type { CallEvents } from './client-call.ts';
import { openSocket } from './open-socket.ts';

export interface WireChannelOptions {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  /** Octets of an answer's message at most; default 64 MiB. */
  readonly maxMessageOctets?: number;
  /** How requests of a kilobyte and more are compressed; default not at all. Not every server takes every coding. */
  readonly compression?: Compression;
  readonly limits?: Partial<ConnectionLimits>;
  /** How long a connection may take to come about, in milliseconds; default 20,000. */
  readonly connectTimeoutMs?: number;
  /** Without it, connections are plain. */
  readonly tls?: TlsSource | undefined;
  readonly backoff?: WireBackoff;
}

/** Waits before the next try to connect: each is 1.6 times the one before, a fifth more or less. */
export interface WireBackoff {
  /** The first, in milliseconds; default 1,000. */
  readonly firstMs: number;
  /** None is longer, in milliseconds and before the fifth; default 120,000. */
  readonly mostMs: number;
}

export interface WireCallOptions {
  /** When to give up, on the monotonic clock; Infinity for never. */
  readonly deadlineAt: number;
  /** Metadata, names and values in turn. */
  readonly metadata?: readonly string[];
}

/** A call on its way to a stream. */
interface Wanted {
  readonly call: ClientCall;
  readonly fields: readonly string[];
  readonly deadlineAt: number;
}

const requestFields = ['te', 'trailers', 'content-type', 'application/grpc', ...acceptedCodings] as const;
const tickMs = 1000;
/** What may be sent of metadata: names in lower case, none of the protocols' own. */
function withoutReserved(metadata: readonly string[]): string[] {
  const fields: string[] = [];
  for (let at = 0; at < metadata.length; at += 2) {
    const name = metadata[at]!.toLowerCase();
    if (!isReserved(name)) fields.push(name, metadata[at + 1]!.trim());
  }
  return fields;
}

/** As grpc/grpc's doc/connection-backoff.md has it. */
const defaultBackoff: WireBackoff = { firstMs: 1000, mostMs: 120_000 };
const backoffGrowth = { factor: 1.6, jitter: 0.2 };

/**
 * Calls to one address over one connection, which is made when the first call comes and again when it is lost. While there is none, calls
 * wait for it; when it does not come about they fail, and until the next try all others do.
 */
export class WireChannel {
  readonly #host: string;
  readonly #port: number;
  readonly #scheme: 'http' | 'https';
  readonly #authority: string;
  readonly #options: WireChannelOptions;
  readonly #limits: ConnectionLimits;
  readonly #deadlines: Deadlines;
  #connection: ClientConnection | undefined;
  /** A socket that is not open yet. */
  #opening: Socket | undefined;
  /** Of the connection; it keeps the process alive while there are calls, and no longer. */
  #socket: Socket | undefined;
  /** Calls that wait for a connection, or for the server to take more of them. */
  #waiting: Wanted[] = [];
  #failures = 0;
  #retry: Timer | undefined;
  #lastError = '';
  #ticking: Timer | undefined;
  #closed = false;

  /** @param address host:port */
  constructor(address: string, options: WireChannelOptions) {
    const [, host, port] = /^\[?([^[\]]+?)\]?:(\d+)$/.exec(address) ?? [];
    if (host === undefined) throw new Error(`${JSON.stringify(address)} is no host:port`);
    this.#host = host;
    this.#port = Number(port);
    this.#authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#options = options;
    this.#scheme = options.tls === undefined ? 'http' : 'https';
    // A server may send as many streams' worth of data as was asked for.
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#deadlines = new Deadlines(options.clock);
  }

  /** There is a connection that takes calls. */
  get isConnected(): boolean {
    return this.#connection?.mayOpen === true;
  }

  /** Asks for a connection where there is none, as a call does; not before the next try is due. */
  connect(): void {
    if (!this.isConnected && this.#retry === undefined) this.#connect();
  }

  /** @param path such as `/package.Service/Method` */
  call(path: string, options: WireCallOptions, events: CallEvents): ClientCall {
    const { deadlineAt, metadata = [] } = options;
    const maxMessageOctets = this.#options.maxMessageOctets ?? 64 * 1024 * 1024;
    const { compression } = this.#options;
    const call = new ClientCall({ events, deadlineAt, maxMessageOctets, compression, deadlines: this.#deadlines });
    const head = [':method', 'POST', ':scheme', this.#scheme, ':path', path, ':authority', this.#authority];
    const coding = compression === undefined ? [] : ['grpc-encoding', compression];
    const fields = [...head, ...requestFields, ...coding, ...withoutReserved(metadata)];
    if (this.#closed) call.unsent('the channel is closed');
    else if (this.#retry !== undefined) call.unsent(this.#lastError);
    else this.#open({ call, fields, deadlineAt });
    return call;
  }

  /** Ends all calls and the connection. */
  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#ticking?.cancel();
    this.#deadlines.stop();
    this.#failWaiting('the channel is closed');
    this.#opening?.destroy();
    this.#connection?.close();
  }

  #open(wanted: Wanted): void {
    if (this.#connection?.hasRoom === true && this.#waiting.length === 0) this.#send(this.#connection, wanted);
    else {
      this.#waiting.push(wanted);
      if (this.#connection?.mayOpen !== true) this.#connect();
    }
  }

  #send(connection: ClientConnection, { call, fields, deadlineAt }: Wanted): void {
    if (call.isOver) return;
    const left = deadlineAt - this.#options.clock.monotonic();
    if (connection.streamCount === 0) this.#socket?.ref();
    const timed = deadlineAt === Infinity ? fields : [...fields, 'grpc-timeout', formatTimeout(left)];
    call.opened(connection, connection.open(timed, false, false, call));
  }

  #sendWaiting(connection: ClientConnection): void {
    while (this.#waiting.length > 0 && connection.hasRoom) this.#send(connection, this.#waiting.shift()!);
  }

  #connect(): void {
    if (this.#opening !== undefined || this.#closed) return;
    const { clock, connectTimeoutMs = 20_000, tls } = this.#options;
    const failed = (error: Error): void => this.#failed(error.message);
    const where = { host: this.#host, port: this.#port, tls };
    this.#opening = openSocket({ ...where, clock, timeoutMs: connectTimeoutMs, failed }, (socket) => {
      const port = new SocketPort(socket, clock);
      const connection: ClientConnection = new ClientConnection({
        ...{ port, clock, limits: this.#limits },
        repeated: [':authority', this.#authority, ...requestFields],
        goaway: () => this.#gone(connection),
        closed: () => this.#gone(connection),
        streamClosed: () => {
          this.#sendWaiting(connection);
          if (connection.streamCount === 0) socket.unref();
        },
      });
      port.serve(connection);
      this.#opening = undefined;
      this.#failures = 0;
      this.#connection = connection;
      this.#socket = socket.unref();
      this.#ticking ??= clock.schedule(tickMs, () => this.#tick());
      this.#sendWaiting(connection);
    });
  }

  /** It takes no more calls. Those that wait are sent over the next one. */
  #gone(connection: ClientConnection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (this.#waiting.length > 0) this.#connect();
  }

  #failed(why: string): void {
    this.#opening = undefined;
    if (this.#closed) return;
    this.#lastError = `cannot connect to ${this.#authority}: ${why}`;
    const { clock, random, backoff = defaultBackoff } = this.#options;
    const ms = Math.min(backoff.mostMs, backoff.firstMs * backoffGrowth.factor ** this.#failures++);
    const jittered = ms * (1 + backoffGrowth.jitter * (2 * random.uniform() - 1));
    this.#retry = clock.schedule(jittered, () => (this.#retry = undefined));
    this.#failWaiting(this.#lastError);
  }

  #failWaiting(why: string): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { call } of waiting) call.unsent(why);
  }

  #tick(): void {
    this.#connection?.tick();
    this.#ticking = this.#closed ? undefined : this.#options.clock.schedule(tickMs, () => this.#tick());
  }
}
