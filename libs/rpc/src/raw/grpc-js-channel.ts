import { Channel, Metadata, status as grpcStatus } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import type { Clock } from '@sluice/domain/clock';
import type { CallEvents } from '@sluice/wire/client/client-call';
import type { WireCallOptions } from '@sluice/wire/client/wire-channel';
import { asBuffer, join } from '../messages.ts';
import { clientChannelOptions } from '../options.ts';
import { fromWire } from '../status.ts';
import { channelCredentials } from '../tls/credentials.ts';
import { textEntries } from '../trailers.ts';
import type { ByteCall, ByteChannel, ByteChannelOptions } from './byte-channel.ts';

/** A channel of grpc-js with the face of one of libs/wire. */
export class GrpcJsChannel implements ByteChannel {
  readonly #channel: Channel;
  readonly #address: string;
  readonly #clock: Clock;
  readonly #calls = new Set<GrpcJsCall>();

  constructor(address: string, { clock, maxMessageBytes, tls }: Omit<ByteChannelOptions, 'transport'>) {
    this.#address = address;
    this.#clock = clock;
    this.#channel = new Channel(address, channelCredentials(tls), clientChannelOptions(maxMessageBytes));
  }

  call(path: string, { deadlineAt, metadata = [] }: WireCallOptions, events: CallEvents): ByteCall {
    const left = deadlineAt - this.#clock.monotonic();
    const inner = this.#channel.createCall(path, left === Infinity ? Infinity : Date.now() + left, null, null, null);
    const fields = new Metadata();
    for (let at = 0; at < metadata.length; at += 2) fields.add(metadata[at]!, metadata[at + 1]!);
    const call = new GrpcJsCall(inner, this.#address, events, () => this.#calls.delete(call));
    this.#calls.add(call);
    inner.start(fields, call);
    inner.startRead();
    return call;
  }

  close(): void {
    for (const call of this.#calls) call.cancel('the channel is closed');
    this.#channel.close();
  }
}

class GrpcJsCall implements ByteCall {
  readonly #call: ReturnType<Channel['createCall']>;
  readonly #address: string;
  readonly #events: CallEvents;
  readonly #over: () => void;
  /** What was written behind the message that grpc-js is taking: it takes one at a time. */
  readonly #waiting: Buffer[] = [];
  #isTaking = false;
  #isLast = false;
  #cancelled = false;

  constructor(call: ReturnType<Channel['createCall']>, address: string, events: CallEvents, over: () => void) {
    this.#call = call;
    this.#address = address;
    this.#events = events;
    this.#over = over;
  }

  write(message: Uint8Array, suffix?: Uint8Array): void {
    const whole = suffix === undefined ? message : join(message, [suffix]);
    this.#waiting.push(asBuffer(whole));
    this.#send();
  }

  writeLast(message: Uint8Array, suffix?: Uint8Array): void {
    this.#isLast = true;
    this.write(message, suffix);
  }

  cancel(details = 'cancelled'): void {
    this.#cancelled = true;
    this.#call.cancelWithStatus(grpcStatus.CANCELLED, details);
  }

  #send(): void {
    if (this.#isTaking) return;
    const message = this.#waiting.shift();
    if (message === undefined) return;
    this.#isTaking = true;
    const callback = (): void => {
      this.#isTaking = false;
      this.#send();
    };
    this.#call.sendMessageWithContext({ callback }, message);
    if (this.#isLast && this.#waiting.length === 0) this.#call.halfClose();
  }

  // The three that grpc-js calls.
  onReceiveMetadata(): void {
    this.#events.head?.([]);
  }

  onReceiveMessage(message: Buffer): void {
    this.#events.message(message);
    this.#call.startRead();
  }

  onReceiveStatus(status: StatusObject): void {
    this.#over();
    const { code, details } = status;
    const texts = textEntries(status.metadata);
    const { origin } = fromWire({ code, details, trailers: texts }, this.#address, this.#cancelled);
    const trailers = Object.entries(texts).flat();
    this.#events.ended({ code, details, trailers, origin: origin === 'local' ? 'here' : origin });
  }
}
