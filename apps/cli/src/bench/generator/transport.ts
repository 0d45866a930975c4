import type { Clock } from '@sluice/domain/clock';
import { byteChannel } from '@sluice/rpc/raw/byte-channel';
import type { ByteChannel, CallStatus } from '@sluice/rpc/raw/byte-channel';
import { statusName } from '@sluice/rpc/status';
import { constantTls } from '@sluice/rpc/tls/source';
import type { TlsMaterial } from '@sluice/rpc/tls/source';
import type { TransportName } from '@sluice/rpc/transport/transport';
import { systemRandom } from '@sluice/service-kit/clock';
import type { Taken } from './request-bytes.ts';

/** How a request ended. */
export interface Ending {
  /** `OK`, or the name of a gRPC status; failures of the connection have UNAVAILABLE. */
  readonly status: string;
  /** What the server said of a failure. */
  readonly message: string;
  /** When the first byte of the answer came, on the clock's monotonic scale; only with `OK`. */
  readonly firstByteMs: number;
  /** The connection is gone: sending at once again would only spin. */
  readonly lost: boolean;
}

/** A request on its way. */
export interface Flight {
  /** Called exactly once, never before `send` has returned. */
  ended(ending: Ending): void;
}

/** Sends requests; knows nothing of when and why. */
export interface Transport {
  /**
   * @param lane requests of one lane go over one connection and arrive in their order; undefined for any
   * @param take gives the bytes, with an id where the transport needs one
   */
  send(lane: number | undefined, take: (id: string | undefined) => Taken, flight: Flight): void;
  close(): void;
}

export const failure = (status: string, message: string, lost = false): Ending => ({
  status,
  message,
  firstByteMs: 0,
  lost,
});

export interface TransportOptions {
  /** One connection to each. */
  readonly addresses: readonly string[];
  /** The gRPC client that makes the calls. */
  readonly transport: TransportName;
  /** What it connects with; undefined: plainly. */
  readonly tls: TlsMaterial | undefined;
  /** Of a request, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** As much as gRPC allows: what a model answers is not for the generator to limit. */
const maxMessageBytes = 2 ** 31 - 1;

/** A connection, and the name of its other end for what is said of it. */
export interface Connection {
  readonly address: string;
  readonly channel: ByteChannel;
}

/** A connection to each address, made when first needed and again after it broke. */
export function connections({ addresses, transport, clock, tls }: TransportOptions): readonly Connection[] {
  const secured = tls && constantTls(tls);
  return addresses.map((address) => ({
    address,
    channel: byteChannel(address, { transport, clock, random: systemRandom, maxMessageBytes, tls: secured }),
  }));
}

/** How a call ended that is no answer. */
export function failureOf({ code, details, origin }: CallStatus, address: string): Ending {
  if (origin === 'unsent' || origin === 'lost')
    return failure('UNAVAILABLE', `the connection to ${address} broke: ${details}`, true);
  const late = origin === 'here' && statusName(code) === 'DEADLINE_EXCEEDED';
  return failure(statusName(code), late ? noAnswer : details);
}

/** What is said of a request that was given up. */
export const noAnswer = 'no answer within the time-out';
