import { createServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { keptPort } from '@sluice/testkit/kept-port';
import { describe, expect, it } from 'vitest';
import type { CallStatus } from '../src/client/call-status.ts';
import type { ClientCall } from '../src/client/client-call.ts';
import { WireChannel } from '../src/client/wire-channel.ts';
import type { WireChannelOptions } from '../src/client/wire-channel.ts';
import { cleanups } from './cleanups.ts';
import { definition, pause, serveOnGrpcJs, serveOnWire } from './echo-service.ts';
import type { Call, Send } from './echo-service.ts';
import { Metadata, systemClock } from './peers.ts';

function channelTo(port: number, options: Partial<WireChannelOptions> = {}): WireChannel {
  const channel = new WireChannel(`127.0.0.1:${port}`, {
    clock: systemClock,
    random: { uniform: () => 0.5 },
    ...options,
  });
  cleanups.push(() => channel.close());
  return channel;
}

interface Ended {
  readonly call: ClientCall;
  readonly head: string[];
  readonly messages: Buffer[];
  readonly status: Promise<CallStatus>;
}

function begin(channel: WireChannel, path: string, metadata: readonly string[] = [], ms = 20_000): Ended {
  const head: string[] = [];
  const messages: Buffer[] = [];
  const ended = Promise.withResolvers<CallStatus>();
  const call = channel.call(
    path,
    { deadlineAt: systemClock.monotonic() + ms, metadata },
    {
      head: (fields) => head.push(...fields),
      message: (octets) => messages.push(octets),
      ended: (status) => ended.resolve(status),
    },
  );
  return { call, head, messages, status: ended.promise };
}

async function unary(channel: WireChannel, request: Buffer, metadata: readonly string[] = [], ms?: number) {
  const made = begin(channel, definition.Unary.path, metadata, ms);
  made.call.writeLast(request);
  const status = await made.status;
  return { ...made, status, answer: made.messages[0] };
}

const valueIn = (fields: readonly string[], name: string): string | undefined => fields[fields.indexOf(name) + 1];

describe.each([
  ['grpc-js', serveOnGrpcJs],
  ['wire', serveOnWire],
] as const)('a wire client of a %s server', (_name, serve) => {
  const start = async (handlers: object = {}, options: Partial<WireChannelOptions> = {}) => {
    const { port } = await serve(handlers, {});
    return channelTo(port, options);
  };

  it('makes unary calls of every size, many at once', async () => {
    const channel = await start();
    for (const size of [0, 1, 16_379, 16_380, 65_536, 5_000_000, 64 * 1024 * 1024 - 1]) {
      const request = Buffer.alloc(size, size % 251);
      const { status, answer } = await unary(channel, request);
      expect([size, status.code, status.origin, answer?.equals(request)]).toEqual([size, 0, 'answered', true]);
    }
    const many = await Promise.all(Array.from({ length: 2000 }, (_, at) => unary(channel, Buffer.from(`call ${at}`))));
    expect(many.map(({ answer }) => answer?.toString())).toEqual(many.map((_, at) => `call ${at}`));
  });

  it('sends and takes metadata, and a status with its message', async () => {
    const channel = await start({
      unary: (call: Call, send: Send) => {
        const trailers = new Metadata();
        trailers.set('x-back', String(call.metadata.get('x-there')[0]));
        trailers.set('x-back-bin', Buffer.from([1, 2, 255]));
        send({ code: 5, details: 'kein "ä%"\n→', metadata: trailers });
      },
    });
    const { status } = await unary(channel, Buffer.from('x'), ['x-there', 'a b']);
    expect(status).toMatchObject({ code: 5, details: 'kein "ä%"\n→', origin: 'answered' });
    expect([valueIn(status.trailers, 'x-back'), valueIn(status.trailers, 'x-back-bin')]).toEqual(['a b', 'AQL/']);
  });

  it('makes streams of all kinds', async () => {
    const channel = await start();
    const download = begin(channel, definition.Download.path);
    download.call.writeLast(Buffer.from('1000'));
    expect((await download.status).code).toBe(0);
    expect(download.messages.map(String)).toEqual(Array.from({ length: 1000 }, (_, at) => String(at)));
    const upload = begin(channel, definition.Upload.path);
    for (let count = 0; count < 100; count++) upload.call.write(Buffer.alloc(50_000));
    upload.call.halfClose();
    expect([(await upload.status).code, upload.messages.map(String)]).toEqual([0, ['5000000']]);
    const chat = begin(channel, definition.Chat.path);
    for (let count = 0; count < 100; count++) {
      chat.call.write(Buffer.from(String(count)));
      await eventually(() => expect(chat.messages).toHaveLength(count + 1));
    }
    chat.call.halfClose();
    expect([(await chat.status).code, chat.messages.at(-1)?.toString()]).toEqual([0, '99']);
  });

  it('gives up at the deadline and when it is cancelled, and the server hears of both', async () => {
    let [begun, cancelled, deadline] = [0, 0, 0];
    const channel = await start({
      unary: (call: Call) => {
        begun++;
        deadline = Number(call.getDeadline());
        call.on('cancelled', () => cancelled++);
      },
    });
    const late = await unary(channel, Buffer.from(''), [], 1_000);
    expect(late.status.code).toBe(4);
    expect(Math.abs(deadline - Date.now())).toBeLessThan(2_000);
    const made = begin(channel, definition.Unary.path);
    made.call.writeLast(Buffer.from(''));
    await eventually(() => expect(begun).toBe(2));
    made.call.cancel();
    expect(await made.status).toMatchObject({ code: 1, origin: 'here' });
    await eventually(() => expect(cancelled).toBe(2));
  });

  it('takes messages at its own pace', async () => {
    let written = 0;
    const channel = await start({
      download: async (call: Call) => {
        for (; written < 100; written++)
          if (!call.write(Buffer.alloc(100_000))) await new Promise((resolve) => call.once('drain', resolve));
        call.end();
      },
    });
    const made = begin(channel, definition.Download.path);
    made.call.pause();
    made.call.writeLast(Buffer.from(''));
    await eventually(() => expect(written).toBeGreaterThan(0));
    await pause(200);
    expect(written).toBeLessThan(60);
    made.call.resume();
    expect([(await made.status).code, made.messages.length]).toEqual([0, 100]);
  });
});

describe('a wire client', () => {
  it('takes an answer that is compressed, and its status behind it', async () => {
    const server = createServer();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      const message = gzipSync(Buffer.alloc(100_000, 'a'));
      stream.end(Buffer.concat([Buffer.from([1, 0, 0, message.length >> 8, message.length]), message]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const channel = channelTo((server.address() as AddressInfo).port);
    const { status, answer } = await unary(channel, Buffer.from('x'));
    expect([status.code, answer?.equals(Buffer.alloc(100_000, 'a'))]).toEqual([0, true]);
    // One that has not said that it is done is reset from here, while its answer is being inflated.
    const open = begin(channel, '/a.B/C');
    open.call.write(Buffer.from('x'));
    expect([(await open.status).code, open.messages.length]).toEqual([0, 1]);
    channel.close();
    server.close();
  });

  it('says of an address without a server that nothing was sent, and waits before the next try', async () => {
    const channel = channelTo(await keptPort());
    for (let time = 0; time < 2; time++) {
      const { status } = await unary(channel, Buffer.from(''));
      expect(status).toMatchObject({ code: 14, origin: 'unsent' });
      expect(status.details).toMatch(/^cannot connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    }
  });

  it('connects again when its connection was lost, and tells what was on its way from what was not', async () => {
    const sockets: Socket[] = [];
    const server = createServer();
    server.on('connection', (socket: Socket) => sockets.push(socket));
    const held: ServerHttp2Stream[] = [];
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      held.push(stream);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const channel = channelTo((server.address() as AddressInfo).port);
    const first = begin(channel, '/a.B/C');
    first.call.writeLast(Buffer.from('x'));
    await eventually(() => expect(held).toHaveLength(1));
    sockets[0]!.destroy();
    expect(await first.status).toMatchObject({ code: 14, origin: 'lost' });
    const second = begin(channel, '/a.B/C');
    second.call.writeLast(Buffer.from('x'));
    await eventually(() => expect(held).toHaveLength(2));
    held[1]!.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
    expect(await second.status).toMatchObject({ code: 0 });
    // Refused: it may go elsewhere.
    const third = begin(channel, '/a.B/C');
    third.call.writeLast(Buffer.from('x'));
    await eventually(() => expect(held).toHaveLength(3));
    held[2]!.close(0x7);
    expect(await third.status).toMatchObject({ code: 14, origin: 'unsent' });
    for (const socket of sockets) socket.destroy();
  });

  it.each([
    [404, 'text/html', 12],
    [503, 'text/html', 14],
    [200, 'text/html', 2],
    [418, 'text/html', 2],
  ])('makes a status of HTTP %i', async (status, type, code) => {
    const server = createServer((_request, response) => response.writeHead(status, { 'content-type': type }).end('no'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const channel = channelTo((server.address() as AddressInfo).port);
    const made = await unary(channel, Buffer.from(''));
    expect(made.status).toMatchObject({ code, details: expect.stringContaining(`HTTP status ${status}`) as string });
    channel.close();
    server.close();
  });

  it('waits for room when the server takes no more streams', async () => {
    const unaryLater = (call: Call, send: Send): void => void setImmediate(() => send(null, call.request));
    const { port } = await serveOnWire({ unary: unaryLater }, { limits: { maxConcurrentStreams: 3 } });
    const channel = channelTo(port);
    await unary(channel, Buffer.from('first'));
    const many = await Promise.all(Array.from({ length: 100 }, (_, at) => unary(channel, Buffer.from(String(at)))));
    expect(many.map(({ answer }) => answer?.toString())).toEqual(many.map((_, at) => String(at)));
  });

  it('says that what was written before there was a connection has gone out', async () => {
    const { port } = await serveOnWire({}, {});
    const drained = Promise.withResolvers<undefined>();
    const events = { message: () => undefined, ended: () => undefined, drained: () => drained.resolve(undefined) };
    const call = channelTo(port).call(definition.Chat.path, { deadlineAt: Infinity }, events);
    call.write(Buffer.from('early'));
    expect(call.isBlocked).toBe(true);
    await drained.promise;
    expect(call.isBlocked).toBe(false);
    call.cancel();
  });

  it('goes to a new connection when the server says that it stops', async () => {
    const answers: Send[] = [];
    const { port, wire } = await serveOnWire({ unary: (_call: Call, send: Send) => void answers.push(send) }, {});
    const channel = channelTo(port);
    const made = begin(channel, definition.Unary.path);
    made.call.writeLast(Buffer.from('x'));
    await eventually(() => expect(answers).toHaveLength(1));
    const stopped = wire!.stop();
    await eventually(() => expect(channel.isConnected).toBe(false));
    answers[0]!(null, Buffer.from('done'));
    expect([(await made.status).code, made.messages.map(String)]).toEqual([0, ['done']]);
    await stopped;
  });
});

describe('a wire channel', () => {
  it('waits before its tries as it was told, and connects when it is asked to', async () => {
    const clock = new FakeClock();
    const port = await keptPort();
    const channel = channelTo(port, { clock, backoff: { firstMs: 100, mostMs: 150 } });
    const fails = async () => {
      const ended = Promise.withResolvers<CallStatus>();
      channel.call('/a.B/C', { deadlineAt: Infinity }, { message: () => undefined, ended: ended.resolve });
      expect(await ended.promise).toMatchObject({ code: 14, origin: 'unsent' });
    };
    await fails();
    clock.advance(100);
    await fails();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    let connections = 0;
    server.on('connection', (socket: Socket) => {
      connections++;
      cleanups.push(() => socket.destroy());
    });
    cleanups.push(() => server.close());
    // 160 by its growth, of which the bound leaves 150.
    clock.advance(149);
    channel.connect();
    await fails();
    await pause(50);
    expect(connections).toBe(0);
    clock.advance(1);
    channel.connect();
    channel.connect();
    await eventually(() => expect(channel.isConnected).toBe(true));
    channel.connect();
    expect(connections).toBe(1);
  });

  it('keeps its process alive while there are calls, and no longer', async () => {
    const answers: Send[] = [];
    const { port } = await serveOnWire({ unary: (_call: Call, send: Send) => void answers.push(send) }, {});
    const channel = channelTo(port);
    // Those that keep it alive; the server's own is always one of them.
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
    const during: number[] = [];
    for (let time = 1; time <= 3; time++) {
      const made = [begin(channel, definition.Unary.path), begin(channel, definition.Unary.path)];
      for (const { call } of made) call.writeLast(Buffer.from('x'));
      await eventually(() => expect(answers).toHaveLength(2 * time));
      during.push(sockets());
      for (const send of answers.slice(-2)) send(null, Buffer.from('y'));
      for (const { status } of made) expect((await status).code).toBe(0);
      await eventually(() => expect(sockets()).toBe(during[0]! - 1));
    }
    expect(during).toEqual([during[0], during[0], during[0]]);
  });

  it('opens what it held back when the server has said how many streams it takes', async () => {
    const held: ServerHttp2Stream[] = [];
    const server = createServer();
    server.on('connection', (socket: Socket) => cleanups.push(() => socket.destroy()));
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      held.push(stream);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const channel = channelTo((server.address() as AddressInfo).port);
    for (let count = 0; count < 300; count++) begin(channel, '/a.B/C').call.writeLast(Buffer.from('x'));
    await eventually(() => expect(held).toHaveLength(300));
  });

  it.each([3, 16_000, 16_384, 70_000])('ends a message of %i octets with what is given with it', async (size) => {
    const { port } = await serveOnWire({}, {});
    const channel = channelTo(port);
    const [octets, suffix] = [Buffer.alloc(size, 'm'), Buffer.from('its end')];
    const chat = begin(channel, definition.Chat.path);
    chat.call.write(octets, suffix);
    await eventually(() => expect(chat.messages).toHaveLength(1));
    chat.call.write(octets, suffix);
    chat.call.writeLast(octets, suffix);
    expect((await chat.status).code).toBe(0);
    const whole = Buffer.concat([octets, suffix]);
    expect(chat.messages.map((message) => message.equals(whole))).toEqual([true, true, true]);
  });
});

it('names an IPv6 address in brackets', async () => {
  const authorities: unknown[] = [];
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    authorities.push(headers[':authority']);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const channel = new WireChannel(`[::1]:${port}`, { clock: systemClock, random: { uniform: () => 0.5 } });
  cleanups.push(() => channel.close());
  expect((await unary(channel, Buffer.from('x'))).status.code).toBe(0);
  expect(authorities).toEqual([`[::1]:${port}`]);
});

it('sends no metadata that no header field can have', () => {
  const channel = new WireChannel('127.0.0.1:1', { clock: systemClock, random: { uniform: () => 0.5 } });
  cleanups.push(() => channel.close());
  for (const [name, value, why] of [
    ['a b', 'x', 'metadata: "a b" is no key'],
    ['a', 'x\ny', 'metadata: the value of a has other than printable ASCII'],
    ['a', 'ä', 'metadata: the value of a has other than printable ASCII'],
  ] as const)
    expect(() => begin(channel, definition.Unary.path, [name, value])).toThrow(why);
});
