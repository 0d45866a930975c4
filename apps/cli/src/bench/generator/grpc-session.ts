import http2 from 'node:http2';

const windowBytes = 16 * 1024 * 1024;

/** A connection to a server of gRPC that is made when first needed, and again after it broke. */
export class GrpcSession {
  readonly #address: string;
  #session: http2.ClientHttp2Session | undefined;
  /** Why the last connection ended, as far as is known. */
  #reason = '';

  /** @param address `host:port` */
  constructor(address: string) {
    this.#address = address;
  }

  /**
   * Begins a call; the request's bytes are to be written to what this gives.
   *
   * @param path such as `/inference.GRPCInferenceService/ModelInfer`
   * @param timeoutMs told to the server; undefined for a stream without an end
   * @throws Error when the connection has just gone
   */
  open(path: string, timeoutMs: number | undefined): http2.ClientHttp2Stream {
    return this.#connected().request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(timeoutMs !== undefined && { 'grpc-timeout': `${Math.ceil(timeoutMs)}m` }),
    });
  }

  /** What a call that ended without a status has to say. */
  get lostMessage(): string {
    return `the connection to ${this.#address} broke${this.#reason === '' ? '' : `: ${this.#reason}`}`;
  }

  close(): void {
    this.#session?.destroy();
  }

  #connected(): http2.ClientHttp2Session {
    if (this.#session !== undefined) return this.#session;
    const session = http2.connect(`http://${this.#address}`, {
      settings: { enablePush: false, initialWindowSize: windowBytes },
      // In megabytes: what the generator itself has in flight bounds it.
      maxSessionMemory: 4096,
    });
    this.#session = session;
    this.#reason = '';
    session.on('connect', () => session.setLocalWindowSize(windowBytes));
    session.on('error', (error: Error) => (this.#reason = error.message));
    const forget = () => {
      if (this.#session === session) this.#session = undefined;
    };
    session.on('goaway', forget);
    session.on('close', forget);
    return session;
  }
}
