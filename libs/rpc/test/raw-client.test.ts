import { createServer, constants } from 'node:http2';
import type { Http2Server, ServerHttp2Stream } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { keptPort } from '@sluice/testkit/kept-port';
import { describe, expect, it, vi } from 'vitest';
import { raw } from '../src/handlers.ts';
import { hopBytes } from '../src/options.ts';
import type { RawCallOptions, RawClient, RawClientOptions, RawOutcome } from '../src/raw-client.ts';
import { cleanups } from './cleanups.ts';
import { path, rawClientOf, start, transport } from './world.ts';

/** A server of HTTP/2 that none of the two stacks is. */
async function peer(
  onStream: (stream: ServerHttp2Stream) => void,
  at = 0,
): Promise<Http2Server & { readonly port: number }> {
  const sockets: Socket[] = [];
  const server = createServer();
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    onStream(stream);
  });
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

const head = { ':status': 200, 'content-type': 'application/grpc' };
const framed = (octets: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, octets.length >> 8, octets.length]), octets]);

/** Answers with messages and a status, as many as there are. */
function answer(stream: ServerHttp2Stream, messages: readonly string[], trailers: Record<string, string>): void {
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(Buffer.concat(messages.map((text) => framed(Buffer.from(text)))));
}

describe('a raw client', () => {
  function send(client: RawClient, message: Uint8Array, options: Partial<RawCallOptions> = {}) {
    const { promise, resolve } = Promise.withResolvers<RawOutcome>();
    const call = client.call(path, message, { deadlineMs: Date.now() + 20_000, ...options }, resolve);
    return Object.assign(promise, { call });
  }

  const failureOf = async (outcome: Promise<RawOutcome>) => {
    const { error, message, messageArrived } = await outcome;
    expect(message).toBeUndefined();
    return { kind: error?.kind, origin: error?.origin, message: error?.message, messageArrived };
  };

  it('sends and takes messages of every size, and what ends them', async () => {
    const { port } = await start({}, {}, { modelInfer: raw((request, call) => call.respond(request)) });
    const client = rawClientOf(port);
    const suffix = Buffer.from('and its end');
    for (const size of [0, 1, 16_372, 16_373, 16_384, 70_000, 3_000_000]) {
      const message = Buffer.alloc(size, `${size}, and so on`);
      const [plain, ended] = await Promise.all([send(client, message), send(client, message, { suffix })]);
      expect([size, plain.error, plain.message?.equals(message), plain.messageArrived]).toEqual([
        size,
        undefined,
        true,
        true,
      ]);
      expect(ended.message?.equals(Buffer.concat([message, suffix]))).toBe(true);
    }
    const many = await Promise.all(Array.from({ length: 1_000 }, (_, at) => send(client, Buffer.from(`call ${at}`))));
    expect(many.map(({ message }) => message?.toString())).toEqual(many.map((_, at) => `call ${at}`));
  });

  it('sends metadata and takes trailers, of text', async () => {
    const { port } = await peer((stream) =>
      answer(stream, ['a'], { 'grpc-status': '0', 'x-back': 'one', 'x-back-bin': 'AQI=' }),
    );
    const outcome = await send(rawClientOf(port), Buffer.alloc(1));
    expect(['x-back', 'x-back-bin', 'x-none'].map((key) => outcome.trailer(key))).toEqual([
      'one',
      undefined,
      undefined,
    ]);
    const world = await start(
      {},
      {},
      {
        modelInfer: raw((_request, call) => {
          call.setTrailer('sluice-prediction-id', call.metadata('sluice-unit') ?? 'none');
          call.respond(Buffer.alloc(1));
        }),
      },
    );
    const told = await send(rawClientOf(world.port), Buffer.alloc(1), { metadata: { 'sluice-unit': 'u 1' } });
    expect(told.trailer('sluice-prediction-id')).toBe('u 1');
  });

  it.each([{ 'sluice-unit': 'a\nb' }, { 'sluice-unit': 'ä' }, { 'a key': 'x' }, { 'x-bin': 'x' }])(
    'refuses metadata that cannot be sent: %j',
    (metadata: Record<string, string>) => {
      const client = rawClientOf(1);
      expect(() => client.call(path, Buffer.alloc(1), { deadlineMs: Infinity, metadata }, () => undefined)).toThrow(
        /metadata|keys that end/i,
      );
    },
  );

  it('gives up at the deadline and when it is told, which the server hears of, and its caller only later', async () => {
    const reasons: string[] = [];
    let begun = 0;
    const modelInfer = raw((_, call) => {
      begun++;
      call.onCancel(({ kind }) => reasons.push(kind));
    });
    const { port } = await start({}, {}, { modelInfer });
    const client = rawClientOf(port);
    const late = send(client, Buffer.alloc(1), { deadlineMs: Date.now() + 1_000 });
    expect(await failureOf(late)).toMatchObject({ kind: 'deadline-exceeded', origin: 'local', messageArrived: false });
    await eventually(() => expect(reasons).toHaveLength(1));
    const given = Promise.withResolvers<RawOutcome>();
    let told = false;
    const call = client.call(path, Buffer.alloc(1), { deadlineMs: Infinity }, (outcome) => {
      told = true;
      given.resolve(outcome);
    });
    await eventually(() => expect(begun).toBe(2));
    call.cancel();
    expect(told).toBe(false);
    expect(await failureOf(given.promise)).toMatchObject({ kind: 'cancelled', origin: 'local' });
    call.cancel();
    await eventually(() => expect(reasons).toHaveLength(2));
    const passed = send(client, Buffer.alloc(1), { deadlineMs: Date.now() - 5 });
    expect(await failureOf(passed)).toMatchObject({ kind: 'deadline-exceeded', origin: 'local' });
  });

  it('says of an address without a server that nothing was sent, and finds one that comes', async () => {
    const port = await keptPort();
    const client = rawClientOf(port);
    for (let time = 0; time < 2; time++) {
      const failed = await failureOf(send(client, Buffer.alloc(1)));
      expect(failed).toMatchObject({ kind: 'unavailable', origin: 'unsent', messageArrived: false });
      expect(failed.message).toMatch(/^127\.0\.0\.1:\d+ cannot be reached: connect ECONNREFUSED 127/);
    }
    let told = false;
    client.call(path, Buffer.alloc(1), { deadlineMs: Infinity }, () => (told = true));
    expect(told).toBe(false);
    await eventually(() => expect(told).toBe(true));
    expect(client.isConnected()).toBe(false);
    await peer((stream) => answer(stream, ['a'], { 'grpc-status': '0' }), port);
    await eventually(() => expect(client.isConnected()).toBe(true));
    expect((await send(client, Buffer.alloc(1))).message?.toString()).toBe('a');
  });

  it('takes and gives no more than its limit, and what a proxy adds', async () => {
    const { port } = await start(
      {},
      {},
      { modelInfer: raw((request, call) => call.respond(Buffer.alloc(request.readUInt16BE()))) },
    );
    const client = rawClientOf(port, { maxMessageBytes: 1_000 });
    const of = (bytes: number, answered: number): Promise<RawOutcome> => {
      const request = Buffer.alloc(bytes);
      request.writeUInt16BE(answered);
      return send(client, request);
    };
    expect((await of(1_000, 1_000 + hopBytes)).message).toHaveLength(1_000 + hopBytes);
    for (const outcome of [of(1_001, 0), of(2, 1_001 + hopBytes)])
      expect(await failureOf(outcome)).toMatchObject({
        kind: 'resource-exhausted',
        origin: 'answered',
        messageArrived: false,
      });
    const ended = send(client, Buffer.alloc(999), { suffix: Buffer.alloc(2) });
    expect(await failureOf(ended)).toMatchObject({ kind: 'resource-exhausted', origin: 'answered' });
  });

  it.each([
    ['REFUSED_STREAM', constants.NGHTTP2_REFUSED_STREAM, 'unavailable', 'unsent'],
    ['CANCEL', constants.NGHTTP2_CANCEL, 'unavailable', 'lost'],
    ['INTERNAL_ERROR', constants.NGHTTP2_INTERNAL_ERROR, 'unavailable', 'lost'],
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR, 'unavailable', 'lost'],
    ['ENHANCE_YOUR_CALM', constants.NGHTTP2_ENHANCE_YOUR_CALM, 'resource-exhausted', 'answered'],
    ['INADEQUATE_SECURITY', constants.NGHTTP2_INADEQUATE_SECURITY, 'permission-denied', 'answered'],
  ])('reads a reset with %s', async (_name, code, kind, origin) => {
    const { port } = await peer((stream) => stream.close(code));
    expect(await failureOf(send(rawClientOf(port), Buffer.alloc(1)))).toMatchObject({ kind, origin });
  });

  it.each([
    ['5', { 'sluice-kind': 'not-found' }, 'not-found', 'answered'],
    ['14', { 'sluice-kind': 'unavailable' }, 'unavailable', 'answered'],
    ['1', { 'sluice-kind': 'cancelled' }, 'cancelled', 'answered'],
    ['4', {}, 'deadline-exceeded', 'local'],
    ['14', {}, 'unavailable', 'answered'],
    ['99', {}, 'internal', 'answered'],
  ])('reads the status %s with %j', async (status, trailers, kind, origin) => {
    const { port } = await peer((stream) => {
      stream.respond({ ...head, 'grpc-status': status, 'grpc-message': 'so it is', ...trailers }, { endStream: true });
    });
    expect(await failureOf(send(rawClientOf(port), Buffer.alloc(1)))).toMatchObject({
      kind,
      origin,
      message: 'so it is',
    });
  });

  it('has what a failure says beside its status: when to come back, and trailers', async () => {
    const { port } = await peer((stream) => {
      const told = { 'sluice-kind': 'resource-exhausted', 'grpc-retry-pushback-ms': '40', 'x-more': 'm' };
      answer(stream, ['in vain'], { 'grpc-status': '8', 'grpc-message': 'full%21', ...told });
    });
    const outcome = await send(rawClientOf(port), Buffer.alloc(1));
    expect(outcome.error).toMatchObject({ kind: 'resource-exhausted', message: 'full!', retryAfterMs: 40, code: 8 });
    expect([outcome.error?.trailers['x-more'], outcome.trailer('x-more')]).toEqual(['m', 'm']);
    expect(outcome.error?.trailers).not.toHaveProperty('grpc-status');
    expect([outcome.message, outcome.messageArrived]).toEqual([undefined, true]);
  });

  it('takes OK without a message for a failure', async () => {
    const { port } = await peer((stream) => answer(stream, [], { 'grpc-status': '0' }));
    const failed = await failureOf(send(rawClientOf(port), Buffer.alloc(1)));
    expect(failed).toMatchObject({ kind: 'internal', origin: 'answered', messageArrived: false });
    expect(failed.message).toMatch(/answered OK without a message$/);
  });

  it('takes an end without a status for a connection that broke', async () => {
    const { port } = await peer((stream) => {
      stream.respond(head);
      stream.end(framed(Buffer.from('a')));
    });
    const failed = await failureOf(send(rawClientOf(port), Buffer.alloc(1)));
    expect(failed).toMatchObject({ kind: 'unavailable', origin: 'lost', messageArrived: true });
  });

  it('loses what is on its way with its connection, and makes another', async () => {
    const held: ServerHttp2Stream[] = [];
    const { port } = await peer((stream) => held.push(stream));
    const client = rawClientOf(port);
    const outcomes = Array.from({ length: 20 }, () => send(client, Buffer.alloc(10)));
    await eventually(() => expect(held).toHaveLength(20));
    expect(client.isConnected()).toBe(true);
    held[0]!.session!.destroy();
    for (const outcome of outcomes)
      expect(await failureOf(outcome)).toMatchObject({ kind: 'unavailable', origin: 'lost', messageArrived: false });
    await eventually(() => expect(client.isConnected()).toBe(true));
    const next = send(client, Buffer.alloc(1));
    await eventually(() => expect(held).toHaveLength(21));
    answer(held[20]!, ['a'], { 'grpc-status': '0' });
    expect((await next).message?.toString()).toBe('a');
  });

  it('that is closed ends what is in flight, and then its connection', async () => {
    const held: ServerHttp2Stream[] = [];
    const server = await peer((stream) => held.push(stream));
    let connections = 0;
    server.on('session', (session) => {
      connections++;
      session.on('close', () => connections--);
    });
    const client = rawClientOf(server.port);
    const outcome = send(client, Buffer.alloc(1));
    await eventually(() => expect(held).toHaveLength(1));
    client.close();
    answer(held[0]!, ['a'], { 'grpc-status': '0' });
    expect((await outcome).message?.toString()).toBe('a');
    await eventually(() => expect(connections).toBe(0));
    expect(client.isConnected()).toBe(false);
  });
});

// What grpc-js does otherwise, or shows to nobody.
describe.runIf(transport === 'wire')('a raw client on wire', () => {
  const unary = (port: number, options: RawClientOptions = {}) => {
    const client = rawClientOf(port, options);
    return { client, outcome: () => new Promise<RawOutcome>((resolve) => call(client, resolve)) };
  };
  const call = (client: RawClient, done: (outcome: RawOutcome) => void) =>
    client.call(path, Buffer.alloc(1), { deadlineMs: Infinity }, done);

  it('takes two messages for a failure', async () => {
    const { port } = await peer((stream) => answer(stream, ['a', 'b'], { 'grpc-status': '0' }));
    const { error, message } = await unary(port).outcome();
    expect([error?.kind, error?.message, message]).toEqual([
      'internal',
      `127.0.0.1:${port} answered OK with more than one message`,
      undefined,
    ]);
  });

  it('knows that a server that goes away had not taken a call up', async () => {
    const held: ServerHttp2Stream[] = [];
    const { port } = await peer((stream) => {
      if (held.push(stream) === 2) stream.session!.goaway(0, 1);
    });
    const { outcome } = unary(port);
    const [first, second] = [outcome(), outcome()];
    expect((await second).error).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
    answer(held[0]!, ['a'], { 'grpc-status': '0' });
    expect((await first).message?.toString()).toBe('a');
  });

  it('goes on when one that is told throws, which is not hidden', async () => {
    const { port } = await peer((stream) => answer(stream, ['a'], { 'grpc-status': '0' }));
    const { client, outcome } = unary(port);
    await outcome();
    const later: (() => void)[] = [];
    const spy = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((fn) => void later.push(fn));
    cleanups.push(() => spy.mockRestore());
    call(client, () => {
      throw new Error('a defect');
    });
    expect((await outcome()).message?.toString()).toBe('a');
    await eventually(() => expect(later).toHaveLength(1));
    expect(later[0]).toThrow('a defect');
    expect((await outcome()).message?.toString()).toBe('a');
  });

  it('that is closed sends nothing', async () => {
    const { client, outcome } = unary(1);
    client.close();
    expect((await outcome()).error).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
    expect(client.isConnected()).toBe(false);
  });

  it('waits between its tries to connect as one on grpc-js: 100 ms first, 2 s at most', async () => {
    const clock = new FakeClock();
    const { outcome } = unary(await keptPort(), { clock, random: { uniform: () => 0.5 } });
    const failed = async () => expect((await outcome()).error?.origin).toBe('unsent');
    await failed();
    for (const ms of [100, 160, 256, 409.6, 655.36, 1048.576, 1677.7216, 2000]) {
      expect(clock.pendingTimers).toBe(1);
      clock.advance(ms - 0.01);
      expect(clock.pendingTimers).toBe(1);
      clock.advance(0.02);
      expect(clock.pendingTimers).toBe(0);
      await failed();
    }
  });

  it('asks a server that says nothing for a sign of life while there are calls: after 10 s, for 5 s', async () => {
    const clock = new FakeClock();
    let heard = Buffer.alloc(0);
    // It says what every server says first, and nothing more.
    const server = createTcpServer((socket) => {
      cleanups.push(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => (heard = Buffer.concat([heard, chunk])));
      socket.write(Buffer.from('000000040000000000' + '000000040100000000', 'hex'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close());
    const ping = Buffer.from('000008060000000000', 'hex');
    const settingsAck = Buffer.from('000000040100000000', 'hex');
    const { client, outcome } = unary((server.address() as AddressInfo).port, { clock });
    const connected = () =>
      eventually(() => {
        client.isConnected();
        expect(heard.includes(settingsAck)).toBe(true);
      });
    await connected();
    for (let second = 0; second < 60; second++) clock.advance(1_000);
    const first = outcome();
    await pause();
    expect(heard.includes(ping)).toBe(false);
    clock.advance(1_000);
    await eventually(() => expect(heard.includes(ping)).toBe(true));
    clock.advance(5_000);
    expect((await first).error).toMatchObject({ kind: 'unavailable', origin: 'lost' });
    heard = Buffer.alloc(0);
    await connected();
    let isOver = false;
    const second = outcome().finally(() => (isOver = true));
    clock.advance(9_000);
    await pause();
    expect(heard.includes(ping)).toBe(false);
    clock.advance(1_000);
    await eventually(() => expect(heard.includes(ping)).toBe(true));
    clock.advance(4_000);
    await pause();
    expect(isOver).toBe(false);
    clock.advance(1_000);
    expect((await second).error).toMatchObject({ kind: 'unavailable', origin: 'lost' });
  });
});

/** A turn of the event loop in which sockets had theirs. */
const pause = (): Promise<void> => new Promise((resolve) => void systemClock.schedule(20, resolve));
