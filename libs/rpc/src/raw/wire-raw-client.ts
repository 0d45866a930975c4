import type { Clock, Random } from '@sluice/domain/clock';
import { invalidArgument } from '@sluice/domain/errors';
import type { CallStatus } from '@sluice/wire/client/call-status';
import type { CallEvents, ClientCall } from '@sluice/wire/client/client-call';
import { WireChannel } from '@sluice/wire/client/wire-channel';
import { valueOf } from '@sluice/wire/http2/fields';
import type { TlsSource } from '@sluice/wire/tls';
import { wireChannelOptions } from '../options.ts';
import type { RawCallOptions, RawClient, RawClientCall, RawOutcome } from '../raw-client.ts';
import { statusCodes } from '../status.ts';
import type { RpcError } from '../status.ts';
import { fromCall } from './wire-status.ts';

export interface WireRawClientOptions {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  /** Largest message sent or taken; default 64 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** What its connection is secured with; without it, it is plain. */
  readonly tls?: TlsSource | undefined;
}

/** `RawClient` over libs/wire. */
export class WireRawClient implements RawClient {
  readonly address: string;
  readonly #channel: WireChannel;
  readonly #clock: Clock;
  readonly #maxMessageBytes: number;
  #inFlight = 0;
  #closed = false;

  /** @throws Error for an address that is no `host:port` */
  constructor(address: string, options: WireRawClientOptions) {
    const { clock, random, maxMessageBytes = 64 * 1024 * 1024, tls } = options;
    this.address = address;
    this.#clock = clock;
    this.#maxMessageBytes = maxMessageBytes;
    this.#channel = new WireChannel(address, { clock, random, ...wireChannelOptions(maxMessageBytes, tls) });
  }

  isConnected(): boolean {
    if (this.#closed) return false;
    if (!this.#channel.isConnected) this.#channel.connect();
    return this.#channel.isConnected;
  }

  /** @throws SluiceError invalid-argument for metadata that cannot be sent */
  call(path: string, message: Uint8Array, options: RawCallOptions, done: (outcome: RawOutcome) => void): RawClientCall {
    const { deadlineMs, metadata, suffix } = options;
    const fields = metadata === undefined ? [] : fieldsOf(metadata);
    const deadlineAt = deadlineMs === Infinity ? Infinity : this.#clock.monotonic() + deadlineMs - this.#clock.now();
    const call = new WireRawCall(this.address, (outcome) => {
      this.#inFlight--;
      this.#closeIfDone();
      done(outcome);
    });
    this.#inFlight++;
    const bytes = message.byteLength + (suffix?.byteLength ?? 0);
    if (this.#closed) call.ended({ ...unavailable, details: 'the client is closed' });
    else if (bytes > this.#maxMessageBytes) call.ended(tooLarge(bytes, this.#maxMessageBytes));
    else call.send(this.#channel.call(path, { deadlineAt, metadata: fields }, call), message, suffix);
    return call;
  }

  close(): void {
    this.#closed = true;
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    // Not while the channel is telling of the call that was the last.
    if (this.#closed && this.#inFlight === 0) queueMicrotask(() => this.#channel.close());
  }
}

const unavailable = { code: statusCodes.UNAVAILABLE, trailers: [], origin: 'unsent' } as const;

function tooLarge(bytes: number, limit: number): CallStatus {
  const details = `the request has ${bytes} bytes, more than the limit of ${limit}; send less at once`;
  return { code: statusCodes.RESOURCE_EXHAUSTED, details, trailers: [], origin: 'answered' };
}

class WireRawCall implements RawClientCall, CallEvents {
  readonly #address: string;
  readonly #done: (outcome: RawOutcome) => void;
  #call: ClientCall | undefined;
  #message: Buffer | undefined;
  #hasMore = false;
  /** Its caller is in a call of it, and is told nothing before that returns. */
  #isHeld = true;

  constructor(address: string, done: (outcome: RawOutcome) => void) {
    this.#address = address;
    this.#done = done;
  }

  send(call: ClientCall, message: Uint8Array, suffix: Uint8Array | undefined): void {
    this.#call = call;
    call.writeLast(message, suffix);
    this.#isHeld = false;
  }

  cancel(): void {
    this.#isHeld = true;
    this.#call?.cancel('cancelled by the caller');
    this.#isHeld = false;
  }

  message(octets: Buffer): void {
    this.#hasMore = this.#message !== undefined;
    this.#message ??= octets;
  }

  ended(status: CallStatus): void {
    if (this.#isHeld) queueMicrotask(() => this.#end(status));
    else this.#end(status);
  }

  #end(status: CallStatus): void {
    const fault = this.#faultOf(status);
    const error = fault === undefined ? undefined : fromCall(fault, this.#address);
    try {
      this.#done(new WireRawOutcome(error, this.#message, status.trailers));
    } catch (thrown) {
      // The others of the same connection are not to be lost with it.
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  /** What is wrong with how it ended. */
  #faultOf(status: CallStatus): CallStatus | undefined {
    if (status.code !== statusCodes.OK) return status;
    if (this.#message !== undefined && !this.#hasMore) return undefined;
    const what = this.#hasMore ? 'with more than one message' : 'without a message';
    return { ...status, code: statusCodes.INTERNAL, details: `${this.#address} answered OK ${what}` };
  }
}

class WireRawOutcome implements RawOutcome {
  readonly error: RpcError | undefined;
  readonly message: Buffer | undefined;
  readonly messageArrived: boolean;
  readonly #trailers: readonly string[];

  constructor(error: RpcError | undefined, message: Buffer | undefined, trailers: readonly string[]) {
    this.error = error;
    this.message = error === undefined ? message : undefined;
    this.messageArrived = message !== undefined;
    this.#trailers = trailers;
  }

  trailer(key: string): string | undefined {
    return key.endsWith('-bin') ? undefined : valueOf(this.#trailers, key);
  }
}

/** What may stand in a value. */
const printable = /^[ -~]*$/;
const name = /^[0-9a-z_.-]+$/i;

/** Metadata as names and values in turn. */
function fieldsOf(metadata: Readonly<Record<string, string>>): string[] {
  const fields: string[] = [];
  for (const [key, value] of Object.entries(metadata)) {
    if (!name.test(key) || key.endsWith('-bin'))
      throw invalidArgument(`metadata: ${JSON.stringify(key)} is no key of text`);
    if (!printable.test(value)) throw invalidArgument(`metadata: the value of ${key} has other than printable ASCII`);
    fields.push(key, value);
  }
  return fields;
}
