import type { Method, RequestInput, ResponseOutput, Service } from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import type { CallStatus } from '@sluice/wire/client/call-status';
import type { CallEvents, ClientCall } from '@sluice/wire/client/client-call';
import { WireChannel } from '@sluice/wire/client/wire-channel';
import type { TlsSource } from '@sluice/wire/tls';
import type { AnyDefinition } from '../messages.ts';
import { wireChannelOptions } from '../options.ts';
import { RpcError, statusCodes } from '../status.ts';
import { fromCall } from './wire-status.ts';

export interface WireWatchOptions {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  /** Largest message taken; default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** What its connection is secured with; without it, it is plain. */
  readonly tls?: TlsSource | undefined;
}

type Watch = Method<'serverStream', [unknown, unknown], [unknown, unknown]>;
/** The methods of a service that answer with a stream. */
type WatchName<Methods> = { [Name in keyof Methods]: Methods[Name] extends Watch ? Name : never }[keyof Methods] &
  string;

/** Answers that wait for their reader; then no more are read of the connection. */
const mostWaiting = 16;

/** One method that answers with a stream, over libs/wire: as `createRpcClient` has it over grpc-js, for one address. */
export class WireWatch<Methods, Name extends WatchName<Methods>> {
  readonly #address: string;
  readonly #definition: AnyDefinition;
  readonly #channel: WireChannel;

  constructor(service: Service<Methods>, name: Name, address: string, options: WireWatchOptions) {
    const { clock, random, maxMessageBytes = 64 * 1024 * 1024, tls } = options;
    const definition = Object.values(service.definition).find((each) => each.originalName === name);
    if (definition === undefined) throw new Error(`${service.name} has no method ${name}`);
    this.#address = address;
    this.#definition = definition as AnyDefinition;
    this.#channel = new WireChannel(address, { clock, random, ...wireChannelOptions(maxMessageBytes, tls) });
  }

  /**
   * The answers, as they come; a reader that stops early ends the call.
   *
   * @throws RpcError for how the call failed
   */
  async *open(
    request: RequestInput<Methods[Name]>,
    signal: AbortSignal,
  ): AsyncGenerator<ResponseOutput<Methods[Name]>, void, undefined> {
    const { path, requestSerialize } = this.#definition;
    if (signal.aborted)
      throw new RpcError('cancelled', 'cancelled before it was sent', { origin: 'local', code: statusCodes.CANCELLED });
    const answers = new Answers(this.#address);
    const call = this.#channel.call(path, { deadlineAt: Infinity }, answers);
    answers.call = call;
    call.writeLast(requestSerialize(request as object));
    const abort = (): void => call.cancel();
    signal.addEventListener('abort', abort, { once: true });
    try {
      for (let octets = await answers.next(); octets !== undefined; octets = await answers.next())
        yield this.#read(octets);
    } finally {
      signal.removeEventListener('abort', abort);
      call.cancel();
    }
  }

  close(): void {
    this.#channel.close();
  }

  #read(octets: Buffer): ResponseOutput<Methods[Name]> {
    try {
      return this.#definition.responseDeserialize(octets) as ResponseOutput<Methods[Name]>;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const details = { origin: 'answered', code: statusCodes.INTERNAL } as const;
      throw new RpcError('internal', `an answer of ${this.#address} cannot be read: ${why}`, details);
    }
  }
}

/** Messages of a call, for one reader. */
class Answers implements CallEvents {
  call: ClientCall | undefined;
  readonly #address: string;
  readonly #waiting: Buffer[] = [];
  #status: CallStatus | undefined;
  #wake: (() => void) | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  message(octets: Buffer): void {
    if (this.#waiting.push(octets) >= mostWaiting) this.call!.pause();
    this.#wake?.();
  }

  ended(status: CallStatus): void {
    this.#status = status;
    this.#wake?.();
  }

  /** @returns undefined when there are no more @throws RpcError when the call failed */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const octets = this.#waiting.shift();
      if (octets !== undefined) {
        if (this.#waiting.length === 0) this.call!.resume();
        return octets;
      }
      if (this.#status?.code === statusCodes.OK) return undefined;
      if (this.#status !== undefined) throw fromCall(this.#status, this.#address);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
