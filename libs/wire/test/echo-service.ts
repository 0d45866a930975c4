import type { ServiceDefinition } from '../src/grpc/adapt.ts';
import { Client, Metadata, Server, ServerCredentials, credentials, systemClock } from './peers.ts';
import type { CallOptions, ClientDuplexStream, ServiceError } from './peers.ts';
import { WireServer } from '../src/server/wire-server.ts';
import type { WireServerOptions } from '../src/server/wire-server.ts';
import type { TlsSource } from '../src/tls.ts';
import { cleanups } from './cleanups.ts';
import { authority, serverTls } from './secured.ts';

export const identity = (octets: Buffer): Buffer => octets;
/** For what must not have happened meanwhile. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => systemClock.schedule(ms, resolve));
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  originalName: name,
  ...{ requestStream, responseStream },
  ...{
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
});
export const definition = {
  Unary: method('unary', false, false),
  Download: method('download', false, true),
  Upload: method('upload', true, false),
  Chat: method('chat', true, true),
} satisfies ServiceDefinition;

/** As a handler of grpc-js sees its call. */
export interface Call extends NodeJS.EventEmitter, AsyncIterable<Buffer> {
  readonly request: Buffer;
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  write(octets: Buffer, sent?: () => void): boolean;
  end(trailers?: Metadata): void;
  getPeer(): string;
  getHost(): string;
  getPath(): string;
  getDeadline(): Date | number;
  sendMetadata(metadata: Metadata): void;
  pause(): void;
  resume(): void;
}
export type Send = (error: object | null, value?: Buffer, trailers?: Metadata) => void;

export const echoes = {
  unary: (call: Call, send: Send): void => send(null, call.request),
  download: (call: Call): void => {
    for (let count = 0; count < Number(call.request.toString()); count++) call.write(Buffer.from(String(count)));
    call.end();
  },
  upload: async (call: Call, send: Send): Promise<void> => {
    let length = 0;
    for await (const octets of call) length += octets.length;
    send(null, Buffer.from(String(length)));
  },
  chat: (call: Call): void => {
    call.on('data', (octets: Buffer) => call.write(octets));
    call.on('end', () => call.end());
  },
};

/** The same service and handlers on either server. */
export interface Served {
  readonly port: number;
  readonly wire: WireServer | undefined;
  /** What its clients have to trust; undefined where connections are plain. */
  readonly ca?: Buffer;
}

export const serveOnWireWithTls = async (handlers: object, options: Partial<WireServerOptions>): Promise<Served> => ({
  ...(await serveOnWire(handlers, options, serverTls())),
  ca: authority.cert,
});

export async function serveOnWire(
  handlers: object,
  options: Partial<WireServerOptions>,
  tls?: TlsSource,
): Promise<Served> {
  const wire = new WireServer({ clock: systemClock, ...options });
  wire.addService(definition, { ...echoes, ...handlers });
  const port = await wire.listen('127.0.0.1', 0, tls);
  cleanups.push(async () => {
    wire.close();
    await wire.stop();
  });
  return { port, wire };
}

export async function serveOnGrpcJs(handlers: object, options: Partial<WireServerOptions>): Promise<Served> {
  const server = new Server({ 'grpc.max_receive_message_length': options.maxRequestOctets ?? 64 * 1024 * 1024 });
  server.addService(definition, { ...echoes, ...handlers } as never);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  cleanups.push(() => server.forceShutdown());
  return { port, wire: undefined };
}

export function clientOf(port: number, options: object = {}, ca?: Buffer): Client {
  const secured = ca === undefined ? credentials.createInsecure() : credentials.createSsl(ca);
  // This client cannot be secured to an address: it names one as if it were a name, and Node refuses.
  const client = new Client(`${ca === undefined ? '127.0.0.1' : 'localhost'}:${port}`, secured, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options,
  });
  cleanups.push(() => client.close());
  return client;
}

export interface Answer {
  readonly value: Buffer | undefined;
  readonly error: ServiceError | undefined;
  readonly headers: Metadata | undefined;
  readonly trailers: Metadata | undefined;
}

export const unary = (
  client: Client,
  request: Buffer,
  metadata = new Metadata(),
  options: CallOptions = {},
  path = definition.Unary.path,
) =>
  new Promise<Answer>((resolve) => {
    let headers: Metadata | undefined;
    let trailers: Metadata | undefined;
    const call = client.makeUnaryRequest(path, identity, identity, request, metadata, options, (error, value) =>
      setImmediate(() => resolve({ value, error: error ?? undefined, headers, trailers })),
    );
    call.on('metadata', (received) => (headers = received));
    call.on('status', ({ metadata: received }) => (trailers = received));
  });

export const chat = (client: Client, options: CallOptions = {}): ClientDuplexStream<Buffer, Buffer> =>
  client.makeBidiStreamRequest(definition.Chat.path, identity, identity, new Metadata(), options);

export async function all(stream: AsyncIterable<Buffer>): Promise<string[]> {
  const texts: string[] = [];
  for await (const octets of stream) texts.push(octets.toString());
  return texts;
}
