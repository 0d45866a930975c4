import type { Clock, Random, Timer } from '@sluice/domain/clock';
import { invalidArgument, unavailable } from '@sluice/domain/errors';
import { jittered } from '@sluice/resilience/backoff';
import type { Logger } from '@sluice/service-kit/logger';
import type { TlsSource } from '@sluice/wire/tls';
import { hopBytes } from '../options.ts';
import { createRawClient } from '../raw-client.ts';
import type { RawCallOptions, RawClientCall, RawOutcome } from '../raw-client.ts';
import { RpcError, statusCodes } from '../status.ts';
import type { TransportName } from '../transport/transport.ts';
import { LinkFault, encodePairs } from './frames.ts';
import type { Pairs } from './frames.ts';
import { LinkedRequest } from './linked-request.ts';
import { defaultLimits } from './peer.ts';
import type { PeerLimits } from './peer.ts';
import { LinkSession, unsentError } from './session.ts';
import type { SessionEnd } from './session.ts';
import { grpcDial } from './transport.ts';
import type { LinkDial } from './transport.ts';
import { wireDial } from './wire-dial.ts';

/** What carries calls where there is no link: see `RawClient`. */
export interface UnaryCalls {
  call(path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void): RawClientCall;
  isConnected(): boolean;
  close(): void;
}

export interface LinkClientOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Largest message sent or taken; default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Bytes of requests that may wait for the peer to take them; those beyond fail unsent. Default 256 MiB. */
  readonly maxWaitingBytes?: number;
  /** Milliseconds between pings; default 250. */
  readonly pingMs?: number;
  /** A peer that says nothing for so long is gone, in milliseconds; default 1,000. */
  readonly silenceMs?: number;
  /** How long a link may take to stand, in milliseconds; default 3,000. */
  readonly helloMs?: number;
  /** How long a link must have stood to be tried again at once, in milliseconds; default 1,000. */
  readonly stableMs?: number;
  /** Milliseconds after which a peer without a link is asked for one again; default 30,000. */
  readonly askAgainMs?: number;
  /** Wait before the next try in milliseconds; `failures` counts from 1. Default: 50 doubling to 1,000, with jitter. */
  readonly backoffMs?: (failures: number) => number;
  readonly limits?: Partial<PeerLimits>;
  /** The gRPC stack under it; default grpc-js. */
  readonly transport?: TransportName;
  /** What connections are secured with; without it they are plain. */
  readonly tls?: TlsSource | undefined;
  /** For tests: how a stream is opened; default over gRPC. */
  readonly dial?: LinkDial;
  /** For tests: what carries calls where there is no link; default a `RawClient`. */
  readonly unary?: () => UnaryCalls;
  /** For tests: runs a function at the end of this turn of the event loop; default `setImmediate`. */
  readonly defer?: (fn: () => void) => void;
}

/** The method of runtimes that a link goes over. */
const linkPath = '/sluice.runtime.v1.RuntimeService/Link';

/**
 * Calls of message bytes that share one stream to a peer. It opens the stream at the first call, opens it again when it
 * breaks, and makes calls one by one where the peer has no link.
 */
export class LinkClient {
  readonly address: string;
  readonly #options: LinkClientOptions;
  readonly #maxMessageBytes: number;
  readonly #backoffMs: (failures: number) => number;
  #session: LinkSession | undefined;
  #unary: UnaryCalls | undefined;
  /** The peer has no link: calls go one by one. */
  #isUnary = false;
  #saidUnary = false;
  /** Tries that failed since the link last stood. */
  #failures = 0;
  #lastReason = 'there is no link yet';
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: LinkClientOptions) {
    this.#options = options;
    this.address = options.address;
    this.#maxMessageBytes = options.maxMessageBytes ?? 64 * 1024 * 1024;
    this.#backoffMs =
      options.backoffMs ?? ((failures) => jittered(failures, { baseMs: 50, maxMs: 1_000 }, options.random));
  }

  /** Whether calls would leave at once; asks for a link when there is none, without waiting for the back-off. */
  isConnected(): boolean {
    if (this.#closed) return false;
    if (this.#isUnary) return this.#unaryCalls().isConnected();
    if (this.#session?.isOpen === true) return true;
    this.#failures = 0;
    if (this.#session === undefined) this.#connect();
    return false;
  }

  /** Requests that are on the link. */
  get inFlight(): number {
    return this.#session?.inFlight ?? 0;
  }

  /**
   * Sends one message. `done` is called once, never before this returns.
   *
   * @param path such as `/inference.GRPCInferenceService/ModelInfer`
   * @throws SluiceError when the link is closed, or its metadata is more than a frame may have
   */
  call(path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void): RawClientCall {
    if (this.#closed) throw unavailable(`the link to ${this.address} is closed`);
    if (this.#isUnary) return this.#unaryCalls().call(path, message, options, done);
    const { clock } = this.#options;
    const { deadlineMs, metadata, suffix } = options;
    const deadlineAt = deadlineMs === Infinity ? Infinity : clock.monotonic() + deadlineMs - clock.now();
    const pairs = pairsOf(metadata);
    const request = new LinkedRequest({ path, message, suffix, metadata, pairs, deadlineMs, deadlineAt, done });
    const session = this.#session ?? this.#connectUnlessWaiting();
    const refusal = this.#refusal(session, request.bytes);
    // Not before this has returned.
    if (refusal !== undefined) queueMicrotask(() => request.fail(refusal));
    else session!.start(request);
    return request;
  }

  /** Takes no more calls; those in flight end. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#session?.leave();
    this.#unary?.close();
  }

  /** Why a request cannot be taken now. */
  #refusal(session: LinkSession | undefined, bytes: number): RpcError | undefined {
    if (bytes > this.#maxMessageBytes) {
      const text = `the request has ${bytes} bytes, more than the limit of ${this.#maxMessageBytes}; send less at once`;
      return new RpcError('resource-exhausted', text, { origin: 'answered', code: statusCodes.RESOURCE_EXHAUSTED });
    }
    if (session === undefined || session.isLeaving) return unsentError(this.address, this.#lastReason);
    // A first try is worth to wait for; while a peer stays away, its requests are better off elsewhere.
    if (!session.isOpen && this.#failures > 0) return unsentError(this.address, this.#lastReason);
    const { waitingBytes } = session;
    const limit = this.#options.maxWaitingBytes ?? 256 * 1024 * 1024;
    if (waitingBytes > 0 && waitingBytes + bytes > limit)
      return unsentError(this.address, `requests of ${waitingBytes} bytes wait for it already`);
    return undefined;
  }

  #connectUnlessWaiting(): LinkSession | undefined {
    return this.#timer === undefined ? this.#connect() : undefined;
  }

  #connect(): LinkSession {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { address, clock, random, transport, tls, limits, helloMs, pingMs, silenceMs } = this.#options;
    const dial =
      transport === 'wire' ? wireDial(address, linkPath, { clock, random, tls }) : grpcDial(address, linkPath, tls);
    const session: LinkSession = new LinkSession({
      address,
      clock,
      dial: this.#options.dial ?? dial,
      limits: { ...defaultLimits, ...limits },
      maxMessageBytes: this.#maxMessageBytes + hopBytes,
      helloMs: helloMs ?? 3_000,
      pingMs: pingMs ?? 250,
      silenceMs: silenceMs ?? 1_000,
      defer: this.#options.defer ?? ((fn) => void setImmediate(fn)),
      unary: (request) => this.#callUnary(request),
      opened: () => this.#opened(),
      ended: (end) => this.#ended(session, end),
    });
    this.#session = session;
    return session;
  }

  #opened(): void {
    this.#failures = 0;
    if (this.#isUnary) this.#options.logger.info({ runtime: this.address }, 'calls go over a link again');
    this.#isUnary = false;
  }

  #ended(session: LinkSession, end: SessionEnd): void {
    this.#session = undefined;
    this.#lastReason = end.reason;
    if (this.#closed) return;
    if (end.kind === 'unsupported' || this.#isUnary) {
      this.#goUnary(end.reason);
      return;
    }
    const { clock, stableMs, logger } = this.#options;
    const stood = session.openedAt !== undefined;
    const isStable = stood && clock.monotonic() - session.openedAt! >= (stableMs ?? 1_000);
    this.#failures = isStable && end.kind === 'failed' ? 0 : this.#failures + 1;
    if (end.kind !== 'drained' && (stood || this.#failures === 1)) {
      const { reason, inFlight } = end;
      logger.warn({ runtime: this.address, reason, inFlight }, stood ? 'a link broke' : 'no link can be made');
    }
    if (this.#failures === 0) this.#connect();
    else this.#timer = clock.schedule(this.#backoffMs(this.#failures), () => void this.#connect());
  }

  #goUnary(reason: string): void {
    this.#isUnary = true;
    if (!this.#saidUnary) {
      this.#saidUnary = true;
      this.#options.logger.warn({ runtime: this.address, reason }, 'there is no link to it: calls go one by one');
    }
    // It may be another program when it comes back.
    this.#timer = this.#options.clock.schedule(this.#options.askAgainMs ?? 30_000, () => void this.#connect());
  }

  #callUnary(request: LinkedRequest): void {
    const { path, message, deadlineMs, metadata, suffix } = request.options;
    const options = { deadlineMs, ...(metadata && { metadata }), ...(suffix && { suffix }) };
    const call = this.#unaryCalls().call(path, message, options, (outcome) => request.follow(outcome));
    request.carrier = { withdraw: () => call.cancel() };
  }

  #unaryCalls(): UnaryCalls {
    const { unary, transport = 'grpc-js', clock, random, tls } = this.#options;
    const maxMessageBytes = this.#maxMessageBytes;
    const options = { transport, clock, random, tls, maxMessageBytes };
    return (this.#unary ??= unary?.() ?? createRawClient(this.address, options));
  }
}

function pairsOf(metadata: Pairs | undefined): Uint8Array {
  try {
    return encodePairs(metadata);
  } catch (error) {
    if (error instanceof LinkFault) throw invalidArgument(`metadata: ${error.message}`);
    throw error;
  }
}

/** A client that opens its link when it is first needed. */
export function createLinkClient(options: LinkClientOptions): LinkClient {
  return new LinkClient(options);
}
