import { Server, setLogger } from '@grpc/grpc-js';
import type { TlsSource } from '@sluice/wire/tls';
import { serverChannelOptions } from '../options.ts';
import { Refusals, boundTimeouts } from '../refusals.ts';
import { releaseStreams } from '../stream-table.ts';
import { serverCredentials } from '../tls/credentials.ts';
import type { ServerTransport, TransportMethod, TransportOptions } from './transport.ts';

/** The end of what grpc-js prints when it cannot bind; `bind` throws an error that says more. */
const bindNoise = /No address added out of total/;
setLogger({
  error: (message?: unknown, ...rest: unknown[]) => {
    if (typeof message !== 'string' || !bindNoise.test(message)) console.error(message, ...rest);
  },
  info: console.info,
  debug: console.debug,
});

const identity = (bytes: Buffer): Buffer => bytes;

/** `@grpc/grpc-js`, with what it lacks. */
export class GrpcJsTransport implements ServerTransport {
  readonly #server: Server;
  readonly #refusals: Refusals;
  readonly #tls: TlsSource | undefined;
  #address: string | undefined;

  constructor({ core, maxRequestBytes, keepaliveMs, tls }: TransportOptions) {
    this.#tls = tls;
    this.#refusals = new Refusals(core.clock);
    this.#server = new Server({
      ...serverChannelOptions(maxRequestBytes, keepaliveMs),
      interceptors: [this.#refusals.interceptor],
    });
  }

  register({ path, requestStream, responseStream, func, refusal }: TransportMethod): void {
    const unary = responseStream ? 'serverStream' : 'unary';
    const kind = requestStream ? (responseStream ? 'bidi' : 'clientStream') : unary;
    if (!this.#server.register(path, func as never, identity, identity, kind))
      throw new Error(`${path} is registered twice`);
    this.#refusals.add(path, refusal);
  }

  async bind(host: string, port: number): Promise<number> {
    const literal = host.includes(':') ? `[${host}]` : host;
    const bound = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`${literal}:${port}`, serverCredentials(this.#tls), (error, value) => {
        if (error === null) resolve(value);
        else reject(error);
      });
    });
    boundTimeouts(this.#server);
    releaseStreams(this.#server);
    this.#address = `${literal}:${bound}`;
    return bound;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.tryShutdown(() => resolve()));
  }

  force(): void {
    // Without channelz forceShutdown forgets the sessions of clients; drain does not.
    if (this.#address !== undefined) this.#server.drain(this.#address, 0);
    this.#server.forceShutdown();
  }
}
