import type { Clock } from '@sluice/domain/clock';
import type { CallEvents, CallStatus } from '@sluice/rpc/raw/byte-channel';
import type { Taken } from './request-bytes.ts';
import { connections, failure, failureOf } from './transport.ts';
import type { Connection, Flight, Transport, TransportOptions } from './transport.ts';

const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** A ModelInfer call per request. */
export class UnaryTransport implements Transport {
  readonly #connections: readonly Connection[];
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  #turn = 0;

  constructor(options: TransportOptions) {
    this.#connections = connections(options);
    this.#timeoutMs = options.timeoutMs;
    this.#clock = options.clock;
  }

  send(lane: number | undefined, take: (id: string | undefined) => Taken, flight: Flight): void {
    const { address, channel } = this.#connections[(lane ?? this.#turn++) % this.#connections.length]!;
    const { message, suffix } = take(undefined);
    const answer = new UnaryAnswer(address, this.#clock, flight);
    channel
      .call(inferPath, { deadlineAt: this.#clock.monotonic() + this.#timeoutMs }, answer)
      .writeLast(message, suffix);
    answer.sent();
  }

  close(): void {
    for (const { channel } of this.#connections) channel.close();
  }
}

class UnaryAnswer implements CallEvents {
  readonly #address: string;
  readonly #clock: Clock;
  readonly #flight: Flight;
  #firstByteMs = 0;
  #messages = 0;
  #isSent = false;

  constructor(address: string, clock: Clock, flight: Flight) {
    this.#address = address;
    this.#clock = clock;
    this.#flight = flight;
  }

  sent(): void {
    this.#isSent = true;
  }

  head(): void {
    this.#firstByteMs = this.#clock.monotonic();
  }

  message(): void {
    this.#messages += 1;
  }

  ended(status: CallStatus): void {
    if (this.#isSent) this.#end(status);
    else queueMicrotask(() => this.#end(status));
  }

  #end(status: CallStatus): void {
    if (status.code !== 0) this.#flight.ended(failureOf(status, this.#address));
    else if (this.#messages !== 1)
      this.#flight.ended(failure('INTERNAL', `answered OK with ${this.#messages} whole messages`));
    else this.#flight.ended({ status: 'OK', message: '', firstByteMs: this.#firstByteMs, lost: false });
  }
}
