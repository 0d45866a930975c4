import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import type { WireServerOptions } from '../src/server/wire-server.ts';
import {
  all,
  chat,
  clientOf,
  definition,
  identity,
  serveOnGrpcJs,
  serveOnWire,
  serveOnWireWithTls,
  unary,
} from './echo-service.ts';
import type { Call, Send } from './echo-service.ts';
import { Metadata, status } from './peers.ts';
import type { ServiceError } from './peers.ts';

describe.each([
  ['wire', serveOnWire],
  ['wire with TLS', serveOnWireWithTls],
  ['grpc-js', serveOnGrpcJs],
] as const)('a grpc-js client and handlers of its shape, on %s', (name, serve) => {
  const start = async (handlers: object = {}, options: Partial<WireServerOptions> = {}, channel: object = {}) => {
    const served = await serve(handlers, options);
    return { ...served, client: clientOf(served.port, channel, served.ca) };
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
    expect(seen!.get('X-Text')).toEqual(name === 'grpc-js' ? ['first, second'] : ['first', 'second']);
    expect(seen!.get('x-bytes-bin')).toEqual([Buffer.from([1, 2, 3, 0xfe])]);
    expect([headers!.get('x-head'), headers!.get('x-head-bin')]).toEqual([['a b'], [Buffer.from([0, 255, 1])]]);
    expect(trailers!.get('x-trail').join(', ')).toBe('one, two');
    expect(trailers!.get('x-trail-bin')).toEqual([Buffer.from([0xff])]);
  });

  it('what a handler knows of its call', async () => {
    const known: unknown[] = [];
    const { client, port, ca } = await start({
      unary: (call: Call, send: Send) => {
        known.push(call.getPath(), call.getHost(), call.getDeadline(), call.getPeer(), call.cancelled);
        send(null, Buffer.from(''));
      },
    });
    await unary(client, Buffer.from(''));
    const [path, host, deadline, peer, cancelled] = known;
    const named = `${ca === undefined ? '127.0.0.1' : 'localhost'}:${port}`;
    expect([path, host, deadline, cancelled]).toEqual(['/test.Echo/unary', named, Infinity, false]);
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
    let [begun, cancelled] = [0, 0];
    const handler = (call: Call): void => {
      begun++;
      call.on('cancelled', () => cancelled++);
    };
    const { client } = await start({ unary: handler, chat: handler });
    const late = await unary(client, Buffer.from(''), new Metadata(), { deadline: Date.now() + 1_000 });
    expect(late.error?.code).toBe(status.DEADLINE_EXCEEDED);
    const stream = chat(client);
    stream.on('error', () => undefined);
    stream.write(Buffer.from('a'));
    await eventually(() => expect(begun).toBe(2));
    stream.cancel();
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
    expect(await all(stream)).toEqual(Array.from({ length: 500 }, (_, at) => String(at)));
  });

  it('empty streams', async () => {
    const { client } = await start();
    const download = client.makeServerStreamRequest(definition.Download.path, identity, identity, Buffer.from('0'));
    expect(await all(download as unknown as AsyncIterable<Buffer>)).toEqual([]);
    const stream = chat(client);
    stream.end();
    expect(await all(stream)).toEqual([]);
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
    const back = await all(stream);
    expect(back.map((text, at) => text.startsWith(String(at)))).toEqual(Array<boolean>(50).fill(true));
  });

  it('a request that inflates beyond the limit', async () => {
    const { client } = await start({}, { maxRequestOctets: 100_000 }, { 'grpc.default_compression_algorithm': 2 });
    const { error } = await unary(client, Buffer.alloc(50_000_000));
    expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary(client, Buffer.alloc(90_000))).value).toHaveLength(90_000);
  });
});
