import { adapt } from '@sluice/wire/grpc/adapt';
import type { Handler } from '@sluice/wire/grpc/adapt';
import type { CallObserver } from '@sluice/wire/grpc/server-call';
import type { Begin } from '@sluice/wire/server/accept';
import { WireServer } from '@sluice/wire/server/wire-server';
import type { TlsSource } from '@sluice/wire/tls';
import type { ServerCore } from '../server-core.ts';
import { connectionLog } from './connection-log.ts';
import type { ServerTransport, TransportMethod, TransportOptions } from './transport.ts';
import { Unhandled } from './unhandled.ts';
import { UsedMemory } from './used-memory.ts';
import { WireRequest } from './wire-unary.ts';

const mebibyte = 1024 * 1024;
const identity = (bytes: Buffer): Buffer => bytes;

/** `libs/wire`. */
export class WireTransport implements ServerTransport {
  readonly #core: ServerCore;
  readonly #server: WireServer;
  readonly #tls: TlsSource | undefined;
  readonly #memory: UsedMemory;

  constructor({ core, maxRequestBytes, keepaliveMs, answerCompression, tls }: TransportOptions) {
    const { clock, logger } = core;
    // Four of the largest answers may wait for one reader, and four times as many for all.
    const maxWaiting = 4 * Math.max(core.maxAnswerBytes, 64 * mebibyte) + mebibyte;
    this.#core = core;
    this.#tls = tls;
    this.#memory = new UsedMemory(clock);
    this.#server = new WireServer({
      clock,
      maxRequestOctets: maxRequestBytes,
      limits: { keepaliveMs, maxWaiting },
      maxWaiting: 4 * maxWaiting,
      compression: answerCompression === 'none' ? undefined : answerCompression,
      events: connectionLog(logger, clock),
    });
  }

  register(method: TransportMethod): void {
    const { path, raw, refusal } = method;
    const core = this.#core;
    const observe = (): CallObserver => new Unhandled(refusal, core.clock);
    const of = { core, method: path.slice(1), refusal, memory: this.#memory };
    const begin: Begin =
      raw === undefined ? shaped(method, observe) : (call) => WireRequest.begin({ ...of, handler: raw }, call);
    if (!this.#server.register(path, { begin, observe })) throw new Error(`${path} is registered twice`);
  }

  bind(host: string, port: number): Promise<number> {
    return this.#server.listen(host, port, this.#tls);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  force(): void {
    this.#server.close();
  }
}

/** A method whose handler has the shape of grpc-js. */
function shaped({ path, requestStream, responseStream, func }: TransportMethod, observe: () => CallObserver): Begin {
  const codec = { requestDeserialize: identity, responseSerialize: identity };
  const begin = adapt({ path, requestStream, responseStream, ...codec }, func as Handler, { handlesCutOff: true });
  return (call) => {
    call.observer = observe();
    begin(call);
  };
}
