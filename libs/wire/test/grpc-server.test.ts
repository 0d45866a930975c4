import { createHash } from 'node:crypto';
import { connect } from 'node:http2';
import { Client, Metadata, Server, ServerCredentials, credentials, status } from '@grpc/grpc-js';
import type { CallOptions, ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import type { ServiceDefinition } from '../src/grpc/adapt.ts';
import { WireServer } from '../src/server/wire-server.ts';
import type { WireServerOptions } from '../src/server/wire-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const identity = (octets: Buffer): Buffer => octets;
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
const definition = {
  Unary: method('unary', false, false),
  Download: method('download', false, true),
  Upload: method('upload', true, false),
  Chat: method('chat', true, true),
} satisfies ServiceDefinition;

/** As a handler of grpc-js sees its call. */
interface Call extends NodeJS.EventEmitter, AsyncIterable<Buffer> {
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
type Send = (error: object | null, value?: Buffer, trailers?: Metadata) => void;

const echoes = {
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
interface Served {
  readonly port: number;
  readonly wire: WireServer | undefined;
}

async function serveOnWire(handlers: Partial<typeof echoes>, options: Partial<WireServerOptions>): Promise<Served> {
  const wire = new WireServer({ clock: systemClock, ...options });
  wire.addService(definition, { ...echoes, ...handlers });
  const port = await wire.listen('127.0.0.1', 0);
  cleanups.push(async () => {
    wire.close();
    await wire.stop();
  });
  return { port, wire };
}

async function serveOnGrpcJs(handlers: Partial<typeof echoes>, options: Partial<WireServerOptions>): Promise<Served> {
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

function clientOf(port: number, options: object = {}): Client {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options,
  });
  cleanups.push(() => client.close());
  return client;
}

interface Answer {
  readonly value: Buffer | undefined;
  readonly error: ServiceError | undefined;
  readonly headers: Metadata | undefined;
  readonly trailers: Metadata | undefined;
}

const unary = (
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

const chat = (client: Client, options: CallOptions = {}): ClientDuplexStream<Buffer, Buffer> =>
  client.makeBidiStreamRequest(definition.Chat.path, identity, identity, new Metadata(), options);

async function all(stream: AsyncIterable<Buffer>): Promise<string[]> {
  const texts: string[] = [];
  for await (const octets of stream) texts.push(octets.toString());
  return texts;
}

describe.each([
  ['wire', serveOnWire],
  ['grpc-js', serveOnGrpcJs],
] as const)('a grpc-js client and handlers of its shape, on %s', (name, serve) => {
  const start = async (handlers: object = {}, options: Partial<WireServerOptions> = {}, channel: object = {}) => {
    const served = await serve(handlers, options);
    return { ...served, client: clientOf(served.port, channel) };
  };

  it('unary calls of every size', async () => {
    const { client } = await start();
    for (const size of [0, 1, 292, 16_379, 16_380, 65_536, 5_000_000, 64 * 1024 * 1024 - 1]) {
      const request = Buffer.alloc(size, size % 251);
      const { value, error } = await unary(client, request);
      expect([size, error, value?.length, value?.equals(request)]).toEqual([size, undefined, size, true]);
    }
  });

  it('a thousand unary calls at once', async () => {
    const { client } = await start();
    const answers = await Promise.all(
      Array.from({ length: 1000 }, (_, at) => unary(client, Buffer.from(`request ${at}`))),
    );
    expect(answers.map(({ value }) => value?.toString())).toEqual(answers.map((_, at) => `request ${at}`));
  });

  it('metadata both ways, text and bytes', async () => {
    let seen: Metadata | undefined;
    const { client } = await start({
      unary: (call: Call, send: Send) => {
        seen = call.metadata;
        const headers = new Metadata();
        headers.set('x-head', 'a b');
        headers.set('x-head-bin', Buffer.from([0, 255, 1]));
        call.sendMetadata(headers);
        const trailers = new Metadata();
        trailers.add('x-trail', 'one');
        trailers.add('x-trail', 'two');
        trailers.set('x-trail-bin', Buffer.from([0xff]));
        send(null, Buffer.from('ok'), trailers);
      },
    });
    const metadata = new Metadata();
    metadata.add('x-text', 'first');
    metadata.add('x-text', 'second');
    metadata.set('x-bytes-bin', Buffer.from([1, 2, 3, 0xfe]));
    const { headers, trailers } = await unary(client, Buffer.from(''), metadata);
    expect(seen!.get('X-Text')).toEqual(name === 'wire' ? ['first', 'second'] : ['first, second']);
    expect(seen!.get('x-bytes-bin')).toEqual([Buffer.from([1, 2, 3, 0xfe])]);
    expect([headers!.get('x-head'), headers!.get('x-head-bin')]).toEqual([['a b'], [Buffer.from([0, 255, 1])]]);
    expect(trailers!.get('x-trail').join(', ')).toBe('one, two');
    expect(trailers!.get('x-trail-bin')).toEqual([Buffer.from([0xff])]);
  });

  it('what a handler knows of its call', async () => {
    const known: unknown[] = [];
    const { client, port } = await start({
      unary: (call: Call, send: Send) => {
        known.push(call.getPath(), call.getHost(), call.getDeadline(), call.getPeer(), call.cancelled);
        send(null, Buffer.from(''));
      },
    });
    await unary(client, Buffer.from(''));
    const [path, host, deadline, peer, cancelled] = known;
    expect([path, host, deadline, cancelled]).toEqual(['/test.Echo/unary', `127.0.0.1:${port}`, Infinity, false]);
    expect(peer).toMatch(/^127\.0\.0\.1:\d+$/);
    const before = Date.now() + 60_000;
    await unary(client, Buffer.from(''), new Metadata(), { deadline: before });
    const told = Number(known[7]);
    expect(Math.abs(told - before)).toBeLessThan(5_000);
  });

  it('a status with a message of any characters, and trailers', async () => {
    const metadata = new Metadata();
    metadata.set('sluice-kind', 'not-found');
    const { client } = await start({
      unary: (_call: Call, send: Send) => send({ code: status.NOT_FOUND, details: 'kein Modell "ä%" \n→', metadata }),
    });
    const { error, trailers } = await unary(client, Buffer.from(''));
    expect([error?.code, error?.details]).toEqual([status.NOT_FOUND, 'kein Modell "ä%" \n→']);
    expect(trailers!.get('sluice-kind')).toEqual(['not-found']);
  });

  it('handlers that throw, at once', async () => {
    const { client } = await start({
      unary: () => {
        throw new Error('secret');
      },
    });
    const { error } = await unary(client, Buffer.from(''));
    expect([error?.code, error?.details]).toEqual([status.UNKNOWN, 'Unknown error']);
  });

  it('a method that is not there', async () => {
    const { client } = await start();
    const { error } = await unary(client, Buffer.from(''), new Metadata(), {}, '/test.Echo/Other');
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });

  it('a request over the limit', async () => {
    const { client } = await start({}, { maxRequestOctets: 1000 });
    expect((await unary(client, Buffer.alloc(1000))).value).toHaveLength(1000);
    const { error } = await unary(client, Buffer.alloc(1001));
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary(client, Buffer.alloc(10_000_000))).error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary(client, Buffer.alloc(1000))).value).toHaveLength(1000);
  });

  it('a deadline that passes, and a caller that cancels', async () => {
    let cancelled = 0;
    const { client } = await start({
      unary: (call: Call) => void call.on('cancelled', () => cancelled++),
      chat: (call: Call) => void call.on('cancelled', () => cancelled++),
    });
    const late = await unary(client, Buffer.from(''), new Metadata(), { deadline: Date.now() + 100 });
    expect(late.error?.code).toBe(status.DEADLINE_EXCEEDED);
    const stream = chat(client);
    stream.on('error', () => undefined);
    stream.write(Buffer.from('a'));
    setTimeout(() => stream.cancel(), 50);
    await eventually(() => expect(cancelled).toBe(2));
  });

  it('streams of answers, of requests, and both', async () => {
    const { client } = await start();
    const download = client.makeServerStreamRequest(definition.Download.path, identity, identity, Buffer.from('1000'));
    expect(await all(download as unknown as AsyncIterable<Buffer>)).toEqual(
      Array.from({ length: 1000 }, (_, at) => String(at)),
    );
    const total = await new Promise((resolve, reject) => {
      const upload = client.makeClientStreamRequest(
        definition.Upload.path,
        identity,
        identity,
        (error, value?: Buffer) => (error === null ? resolve(value!.toString()) : reject(error)),
      );
      for (let count = 0; count < 100; count++) upload.write(Buffer.alloc(50_000));
      upload.end();
    });
    expect(total).toBe('5000000');
    const stream = chat(client);
    for (let count = 0; count < 500; count++) stream.write(Buffer.from(String(count)));
    stream.end();
    expect(await all(stream as unknown as AsyncIterable<Buffer>)).toEqual(
      Array.from({ length: 500 }, (_, at) => String(at)),
    );
  });

  it('empty streams', async () => {
    const { client } = await start();
    const download = client.makeServerStreamRequest(definition.Download.path, identity, identity, Buffer.from('0'));
    expect(await all(download as unknown as AsyncIterable<Buffer>)).toEqual([]);
    const stream = chat(client);
    stream.end();
    expect(await all(stream as unknown as AsyncIterable<Buffer>)).toEqual([]);
  });

  it('a stream that fails behind its answers', async () => {
    const { client } = await start({
      download: (call: Call) => {
        call.write(Buffer.from('one'));
        call.emit('error', { code: status.ABORTED, details: 'enough' });
      },
    });
    const got: string[] = [];
    const error = await new Promise<ServiceError>((resolve) => {
      const download = client.makeServerStreamRequest(definition.Download.path, identity, identity, Buffer.from(''));
      download.on('data', (octets: Buffer) => got.push(octets.toString()));
      download.on('error', (thrown) => resolve(thrown as ServiceError));
    });
    expect([got, error.code, error.details]).toEqual([['one'], status.ABORTED, 'enough']);
  });

  it('a large upload at the pace of its handler', async () => {
    let read = 0;
    let go: (() => void) | undefined;
    const { client } = await start({
      upload: async (call: Call, send: Send) => {
        await new Promise<void>((resolve) => (go = resolve));
        for await (const octets of call) read += octets.length;
        send(null, Buffer.from(String(read)));
      },
    });
    const total = new Promise((resolve) => {
      const upload = client.makeClientStreamRequest(
        definition.Upload.path,
        identity,
        identity,
        (_error, value?: Buffer) => resolve(value?.toString()),
      );
      for (let count = 0; count < 300; count++) upload.write(Buffer.alloc(100_000, 1));
      upload.end();
    });
    await eventually(() => expect(go).toBeDefined());
    go!();
    expect(await total).toBe('30000000');
  });

  it.each([1, 2] as const)('requests that are compressed (algorithm %i)', async (algorithm) => {
    const { client } = await start({}, {}, { 'grpc.default_compression_algorithm': algorithm });
    for (const size of [0, 10, 100_000, 3_000_000]) {
      const request = Buffer.alloc(size, 'abc');
      const { value, error } = await unary(client, request);
      expect([error, value?.equals(request)]).toEqual([undefined, true]);
    }
    const stream = chat(client);
    for (let count = 0; count < 50; count++) stream.write(Buffer.alloc(count % 3 === 0 ? 20_000 : 10, String(count)));
    stream.end();
    const back = await all(stream as unknown as AsyncIterable<Buffer>);
    expect(back.map((text, at) => text.startsWith(String(at)))).toEqual(Array<boolean>(50).fill(true));
  });

  it('a request that inflates beyond the limit', async () => {
    const { client } = await start({}, { maxRequestOctets: 100_000 }, { 'grpc.default_compression_algorithm': 2 });
    const { error } = await unary(client, Buffer.alloc(50_000_000));
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary(client, Buffer.alloc(90_000))).value).toHaveLength(90_000);
  });
});

describe('a wire server', () => {
  it('ends when its calls do', async () => {
    const answers: Send[] = [];
    const { port, wire } = await serveOnWire({ unary: (_call: Call, send: Send) => void answers.push(send) }, {});
    const client = clientOf(port);
    const answer = unary(client, Buffer.from('x'));
    await eventually(() => expect(answers).toHaveLength(1));
    let stopped = false;
    const stopping = wire!.stop().then(() => (stopped = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(stopped).toBe(false);
    answers[0]!(null, Buffer.from('y'));
    expect((await answer).value?.toString()).toBe('y');
    await stopping;
    expect((await unary(client, Buffer.from('x'))).error?.code).toBe(status.UNAVAILABLE);
  });

  it('lets who does not read wait, and its handler with it, and nobody else', async () => {
    let written = 0;
    const pieces = 300;
    const piece = Buffer.alloc(100_000, 1);
    const download = async (call: Call): Promise<void> => {
      for (; written < pieces; written++)
        if (!call.write(piece)) await new Promise((resolve) => call.once('drain', resolve));
      call.end();
    };
    const { port } = await serveOnWire({ download: download as never }, {});
    const session = connect(`http://127.0.0.1:${port}`);
    cleanups.push(() => session.destroy());
    const headers = { ':method': 'POST', ':path': definition.Download.path, 'content-type': 'application/grpc' };
    const stream = session.request({ ...headers, te: 'trailers' });
    stream.pause();
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
    await eventually(() => expect(written).toBeGreaterThan(0));
    expect((await unary(clientOf(port), Buffer.from('other'))).value?.toString()).toBe('other');
    await new Promise((resolve) => setTimeout(resolve, 200));
    // What its window takes, and sixteen that Node keeps before `write` says no.
    expect(written).toBeLessThan(30);
    let length = 0;
    for await (const octets of stream) length += (octets as Buffer).length;
    expect(length).toBe(pieces * (piece.length + 5));
  });

  it('takes promises that fail for answers', async () => {
    const { port } = await serveOnWire({ unary: (() => Promise.reject(new Error('secret'))) as never }, {});
    const { error } = await unary(clientOf(port), Buffer.from(''));
    expect([error?.code, error?.details]).toEqual([status.UNKNOWN, 'Unknown error']);
  });

  it('gives back all memory that it took for messages', async () => {
    const { port, wire } = await serveOnWire({}, { maxBuffered: 8 * 1024 * 1024 });
    const client = clientOf(port);
    const hash = (octets: Buffer | undefined) =>
      createHash('sha256')
        .update(octets ?? '')
        .digest('hex');
    for (let round = 0; round < 3; round++) {
      const requests = Array.from({ length: 4 }, (_, at) => Buffer.alloc(1_500_000, at + round));
      const answers = await Promise.all(requests.map((request) => unary(client, request)));
      expect(answers.map(({ value }) => hash(value))).toEqual(requests.map(hash));
    }
    const tooMany = await Promise.all(Array.from({ length: 12 }, () => unary(client, Buffer.alloc(4_000_000))));
    const codes = new Set(tooMany.map(({ error }) => error?.code ?? 0));
    expect([...codes].every((code) => code === 0 || code === status.RESOURCE_EXHAUSTED)).toBe(true);
    expect(wire!.bufferedOctets).toBe(0);
  });
});
