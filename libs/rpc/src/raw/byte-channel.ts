import type { Clock, Random } from '@sluice/domain/clock';
import type { CallEvents } from '@sluice/wire/client/client-call';
import { WireChannel } from '@sluice/wire/client/wire-channel';
import type { WireCallOptions } from '@sluice/wire/client/wire-channel';
import type { TlsSource } from '@sluice/wire/tls';
import { wireChannelOptions } from '../options.ts';
import type { TransportName } from '../transport/transport.ts';
import { GrpcJsChannel } from './grpc-js-channel.ts';

export type { CallStatus } from '@sluice/wire/client/call-status';
export type { CallEvents } from '@sluice/wire/client/client-call';

/** A call of message bytes of any kind. */
export interface ByteCall {
  /** @param suffix ends the message */
  write(message: Uint8Array, suffix?: Uint8Array): void;
  /** Writes the last message, and says that it is. */
  writeLast(message: Uint8Array, suffix?: Uint8Array): void;
  cancel(details?: string): void;
}

/** Calls of message bytes to one address over one connection. */
export interface ByteChannel {
  /**
   * @param path such as `/inference.GRPCInferenceService/ModelInfer`
   * @param events may be told of the end before this returns
   */
  call(path: string, options: WireCallOptions, events: CallEvents): ByteCall;
  /** Ends all calls and the connection. */
  close(): void;
}

export interface ByteChannelOptions {
  readonly transport: TransportName;
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  /** Largest message sent or taken. */
  readonly maxMessageBytes: number;
  /** What its connection is secured with; without it, it is plain. */
  readonly tls?: TlsSource | undefined;
}

/** Calls of any kind on either stack, for a program that makes load. @param address `host:port` */
export function byteChannel(address: string, options: ByteChannelOptions): ByteChannel {
  const { transport, clock, random, maxMessageBytes, tls } = options;
  if (transport === 'grpc-js') return new GrpcJsChannel(address, options);
  return new WireChannel(address, { clock, random, ...wireChannelOptions(maxMessageBytes, tls) });
}
