import { Channel, Metadata, connectivityState, status as grpcStatus } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import type { Clock, Random } from '@sluice/domain/clock';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import type { TlsSource } from '@sluice/wire/tls';
import { asBuffer, join } from './messages.ts';
import { clientChannelOptions } from './options.ts';
import { WireRawClient } from './raw/wire-raw-client.ts';
import { fromWire } from './status.ts';
import type { RpcError } from './status.ts';
import { channelCredentials } from './tls/credentials.ts';
import { textEntries } from './trailers.ts';
import type { TransportName } from './transport/transport.ts';

export interface RawClientOptions {
  /** Largest message sent or taken; default 64 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** What its connection is secured with; without it, it is plain. */
  readonly tls?: TlsSource | undefined;
  /** The gRPC stack under it; default grpc-js. */
  readonly transport?: TransportName;
  /** What deadlines and waits of `wire` go by; default the machine's. */
  readonly clock?: Clock;
  /** Spreads the waits of `wire` between two tries to connect; default the machine's. */
  readonly random?: Pick<Random, 'uniform'>;
}

export interface RawCallOptions {
  /** When to give up, in milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Text metadata by lower-case key. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Bytes that end the message, joined with it where it is copied anyway. */
  readonly suffix?: Uint8Array;
}

/** A message as it came: one piece at least. */
export type Pieces = readonly [Buffer, ...Buffer[]];

/** How a raw call ended: `message` or `error`, never both. */
export interface RawOutcome {
  readonly error: RpcError | undefined;
  /** The answer. Where it came in pieces, they are joined when this is asked for: whoever copies it asks for `pieces`. */
  readonly message: Buffer | undefined;
  /** The answer as it came; absent where it came in one piece. */
  readonly pieces?: Pieces | undefined;
  /**
   * Whether the answer's message arrived whole. A peer that was lost after that, before it said whether the call went well,
   * had done its work; a message without a status is no answer all the same.
   */
  readonly messageArrived: boolean;
  /**
   * What the server said of the call beside its answer or failure: at most 255 bytes, whose meaning is between it and the
   * caller. A view of what arrived: whoever keeps them copies them. Only links carry them (rules X of their SPEC.md): absent
   * after a plain unary call, after a failure that is not the server's, and where the server says none.
   */
  readonly facts?: Uint8Array | undefined;
  /** The first value of a trailer (lower case), text keys only. */
  trailer(key: string): string | undefined;
}

export interface RawClientCall {
  /** Gives up; the outcome is an error of kind `cancelled`. Nothing happens when it has ended. */
  cancel(): void;
}

/** Unary calls of message bytes over one connection that all of them share: for a proxy. */
export interface RawClient {
  readonly address: string;
  /** Whether there is a connection now; asks for one when there is none. */
  isConnected(): boolean;
  /**
   * Sends one message. `done` is called once, never before this returns.
   *
   * @param path such as `/inference.GRPCInferenceService/ModelInfer`
   * @throws Error for metadata that cannot be sent
   */
  call(path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void): RawClientCall;
  /** Takes no more calls; those in flight end. */
  close(): void;
}

class GrpcJsRawClient implements RawClient {
  readonly address: string;
  readonly #channel: Channel;

  constructor(address: string, options: RawClientOptions = {}) {
    this.address = address;
    const channelOptions = clientChannelOptions(options.maxMessageBytes ?? 64 * 1024 * 1024);
    this.#channel = new Channel(address, channelCredentials(options.tls), channelOptions);
  }

  isConnected(): boolean {
    return this.#channel.getConnectivityState(true) === connectivityState.READY;
  }

  call(path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void): RawClientCall {
    return new Call(this.#channel, this.address, path, message, options, done);
  }

  close(): void {
    this.#channel.close();
  }
}

class Call implements RawOutcome, RawClientCall {
  error: RpcError | undefined;
  message: Buffer | undefined;
  messageArrived = false;
  readonly #call: ReturnType<Channel['createCall']>;
  readonly #address: string;
  readonly #done: (outcome: RawOutcome) => void;
  #trailers: Metadata | undefined;
  #cancelled = false;

  constructor(
    channel: Channel,
    address: string,
    path: string,
    message: Uint8Array,
    options: RawCallOptions,
    done: (outcome: RawOutcome) => void,
  ) {
    this.#address = address;
    this.#done = done;
    this.#call = channel.createCall(path, options.deadlineMs, null, null, null);
    const metadata = new Metadata();
    if (options.metadata !== undefined)
      for (const [key, value] of Object.entries(options.metadata)) metadata.set(key, value);
    this.#call.start(metadata, this);
    this.#call.startRead();
    const whole = options.suffix === undefined ? message : join(message, [options.suffix]);
    this.#call.sendMessageWithContext({}, asBuffer(whole));
    this.#call.halfClose();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#call.cancelWithStatus(grpcStatus.CANCELLED, 'cancelled by the caller');
  }

  trailer(key: string): string | undefined {
    const value = this.#trailers?.get(key)[0];
    return typeof value === 'string' ? value : undefined;
  }

  // The three that grpc-js calls.
  onReceiveMetadata(): void {}

  onReceiveMessage(message: Buffer): void {
    this.messageArrived = true;
    this.message = message;
  }

  onReceiveStatus(status: StatusObject): void {
    this.#trailers = status.metadata;
    if (status.code === grpcStatus.OK && this.message !== undefined) {
      this.#done(this);
      return;
    }
    const { code, details } =
      status.code === grpcStatus.OK
        ? { code: grpcStatus.INTERNAL, details: `${this.#address} answered OK without a message` }
        : status;
    this.message = undefined;
    this.error = fromWire({ code, details, trailers: textEntries(status.metadata) }, this.#address, this.#cancelled);
    this.#done(this);
  }
}

/** @param address `host:port` */
export function createRawClient(address: string, options: RawClientOptions = {}): RawClient {
  if (options.transport !== 'wire') return new GrpcJsRawClient(address, options);
  return new WireRawClient(address, { clock: systemClock, random: systemRandom, ...options });
}
