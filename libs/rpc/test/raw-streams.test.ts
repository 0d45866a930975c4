import http2 from 'node:http2';
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ClientDuplexStream, StatusObject } from '@grpc/grpc-js';
import { SluiceError } from '@sluice/domain/errors';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { rawStream } from '../src/handlers.ts';
import type { RawCall, RawUnaryHandler } from '../src/handlers.ts';
import { clientChannelOptions } from '../src/options.ts';
import type { RpcServerOptions } from '../src/server.ts';
import { echoCodec } from './echo-codec.ts';
import { cleanups } from './cleanups.ts';
import { start } from './world.ts';

const method = 'inference.GRPCInferenceService/ModelStreamInfer';
const bytesOf = (bytes: Buffer): Buffer => bytes;

/** A stream of grpc-js's own, and what came on it. */
interface Caller {
  readonly stream: ClientDuplexStream<Buffer, Buffer>;
  readonly got: string[];
  readonly status: Promise<StatusObject>;
}

async function world(handler: RawUnaryHandler, options: Partial<RpcServerOptions> = {}, maxInFlight = 8) {
  const served = await start({}, options, { modelStreamInfer: rawStream(handler, { codec: echoCodec, maxInFlight }) });
  const client = new Client(`127.0.0.1:${served.port}`, credentials.createInsecure(), clientChannelOptions(1 << 26));
  cleanups.push(() => client.close());
  const open = (metadata: Record<string, string> = {}, deadline = Infinity): Caller => {
    const sent = new Metadata();
    for (const [key, value] of Object.entries(metadata)) sent.set(key, value);
    const stream = client.makeBidiStreamRequest(`/${method}`, bytesOf, bytesOf, sent, { deadline });
    const got: string[] = [];
    stream.on('data', (message: Buffer) => got.push(message.toString()));
    stream.on('error', () => undefined);
    const status = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
    return { stream, got, status };
  };
  return { ...served, open };
}

/** Answers `wait…` when told, fails `bad…`, throws at `throw…`, and answers all else at once. */
function handlerOf(held: Map<string, RawCall>): RawUnaryHandler {
  return (request, call) => {
    const text = request.toString();
    if (text.startsWith('wait')) held.set(text, call);
    else if (text.startsWith('bad')) call.fail(new SluiceError('not-found', `no ${text}`));
    else if (text.startsWith('throw')) throw new RangeError('hunter2');
    else if (text.startsWith('later')) return Promise.reject(new SluiceError('conflict', 'not now'));
    else call.respond(Buffer.from(call.metadata('sluice-unit') ?? 'yes'));
    return undefined;
  };
}

describe('streams of requests', () => {
  it('answer out of order, with failures between, and end well', async () => {
    const held = new Map<string, RawCall>();
    const { open, server, metrics, logged } = await world(handlerOf(held));
    const { stream, got, status } = open({ 'sluice-unit': 'u1' });
    for (const text of ['wait', 'a', 'bad', 'throw', 'later', 'b']) stream.write(Buffer.from(text));
    stream.end();
    await eventually(() => expect(got).toHaveLength(5));
    expect(server.inFlight).toBe(2);
    held.get('wait')!.respond(Buffer.from('at last'));
    expect((await status).code).toBe(0);
    expect(got.sort()).toEqual([
      'a = u1',
      'b = u1',
      'bad ! no bad',
      'later ! not now',
      'throw ! internal error',
      'wait = at last',
    ]);
    await eventually(() => expect(server.inFlight).toBe(0));
    expect(metrics.method(method).codes()).toEqual([{ name: 'OK', count: 1 }]);
    const counted = Object.fromEntries(
      metrics
        .streamedRequests(method)
        .codes()
        .map(({ name, count }) => [name, count]),
    );
    expect(counted).toEqual({ OK: 3, NOT_FOUND: 1, ABORTED: 1, INTERNAL: 1 });
    expect(logged().filter((line) => line['msg'] === 'a handler failed')).toHaveLength(1);
  });

  it('take 5,000 requests with 8 of them under way at most', async () => {
    let [most, now] = [0, 0];
    const { open } = await world((_request, call) => {
      most = Math.max(most, ++now);
      setImmediate(() => {
        now--;
        call.respond(Buffer.from('yes'));
      });
    });
    const { stream, got, status } = open();
    for (let index = 0; index < 5_000; index++) stream.write(Buffer.from(String(index)));
    stream.end();
    expect((await status).code).toBe(0);
    expect(new Set(got).size).toBe(5_000);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('hold their sender back, whatever the size of its messages', async () => {
    const held = new Map<string, RawCall>();
    const { open } = await world((request, call) => held.set(request.subarray(0, 8).toString(), call), {}, 2);
    const { stream, got, status } = open();
    let flushed = 0;
    for (let index = 0; index < 40; index++) {
      const message = Buffer.alloc(1 << 20, ' ');
      message.write(`wait${String(index).padStart(4, '0')}`);
      stream.write(message, () => flushed++);
    }
    stream.end();
    await eventually(() => expect(held.size).toBe(2));
    let before = -1;
    const standsStill = (): void => {
      const last = before;
      before = flushed;
      expect(flushed).toBe(last);
    };
    await eventually(standsStill, 10_000, 200);
    // Two that are worked on, one read ahead, and what flow control lets travel.
    expect(flushed).toBeLessThan(10);
    for (let index = 0; index < 40; index++) {
      const name = `wait${String(index).padStart(4, '0')}`;
      await eventually(() => expect(held.has(name)).toBe(true));
      held.get(name)!.respond(Buffer.from('yes'));
    }
    expect((await status).code).toBe(0);
    expect(got).toHaveLength(40);
  });

  it('make no answers pile up for a caller that does not read, and end with it', async () => {
    let answered = 0;
    const { server, port, metrics } = await world(
      (_request, call) => {
        answered++;
        call.respond(Buffer.alloc(1 << 20));
      },
      { streamIdleMs: 400 },
      64,
    );
    const session = http2.connect(`http://127.0.0.1:${port}`);
    cleanups.push(() => session.destroy());
    const stream = session.request({ ':method': 'POST', ':path': `/${method}`, 'content-type': 'application/grpc' });
    stream.on('error', () => undefined);
    // Nobody listens for data, so nothing is read.
    const closed = new Promise((resolve) => stream.on('close', resolve));
    stream.write(Buffer.concat(Array.from({ length: 500 }, () => Buffer.from([0, 0, 0, 0, 1, 0x61]))));
    await eventually(() => expect(answered).toBeGreaterThan(3));
    await eventually(() => expect(server.inFlight).toBe(0));
    // 4 MiB wait, and flow control has a little on its way.
    expect(answered).toBeLessThan(10);
    expect(metrics.method(method).count(4)).toBe(1);
    // What waits is not kept: the stream is reset.
    await closed;
    expect(stream.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
  });

  it('that their caller leaves tell the handler of each request', async () => {
    const told: string[] = [];
    const { open, server, metrics } = await world((request, call) => {
      call.onCancel((reason) => void told.push(`${request.toString()} ${reason.kind}`));
    });
    const { stream, status } = open();
    stream.write(Buffer.from('a'));
    stream.write(Buffer.from('b'));
    await eventually(() => expect(server.inFlight).toBe(3));
    stream.cancel();
    expect((await status).code).toBe(1);
    await eventually(() => expect(told).toEqual(['a cancelled', 'b cancelled']));
    expect(server.inFlight).toBe(0);
    expect(metrics.method(method).count(1)).toBe(1);
  });

  it('end with their own deadline, and their requests with them', async () => {
    const told: string[] = [];
    const { open } = await world((_request, call) => call.onCancel((reason) => void told.push(reason.kind)));
    const { stream, status } = open({}, Date.now() + 1_000);
    stream.write(Buffer.from('a'));
    expect((await status).code).toBe(4);
    await eventually(() => expect(told).toEqual(['deadline-exceeded']));
  });

  it('end with their own deadline also where answers wait for the caller to read', async () => {
    const { port, metrics } = await world((_request, call) => call.respond(Buffer.alloc(1 << 20)));
    const session = http2.connect(`http://127.0.0.1:${port}`);
    cleanups.push(() => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${method}`,
      'content-type': 'application/grpc',
      'grpc-timeout': '300m',
      te: 'trailers',
    });
    const status = new Promise((resolve) => {
      stream.on('trailers', (trailers) => resolve(trailers['grpc-status']));
      stream.on('close', () => resolve('closed without a status'));
    });
    stream.on('error', () => undefined);
    const request = Buffer.from([0, 0, 0, 0, 1, 97]);
    stream.write(Buffer.concat([request, request, request]));
    await eventually(async () => expect(await metrics.text()).toMatch(/ModelStreamInfer",code="DEADLINE_EXCEEDED"/));
    // Now it reads what was on its way.
    stream.resume();
    expect(await status).toBe('4');
  });

  it('outlive the default deadline, which their requests have', async () => {
    const { open } = await world(handlerOf(new Map()), { defaultDeadlineMs: 300 });
    const { stream, got, status } = open();
    stream.write(Buffer.from('wait'));
    await eventually(() => expect(got).toEqual(["wait ! not answered within the server's default deadline of 300 ms"]));
    stream.write(Buffer.from('a'));
    stream.end();
    expect((await status).code).toBe(0);
    expect(got[1]).toBe('a = yes');
  });

  it('end at their first failure when asked to, after the answers before it', async () => {
    const { open, server } = await world((request, call) => {
      call.setTrailer('x', `of ${request.toString()}`);
      return handlerOf(new Map())(request, call);
    });
    const { stream, got, status } = open({ 'ends-at-failure': 'true' });
    for (const text of ['a', 'wait', 'bad', 'b']) stream.write(Buffer.from(text));
    const { code, details, metadata } = await status;
    expect([code, details, metadata.get('x')]).toEqual([5, 'no bad', ['of bad']]);
    expect(got).toEqual(['a = yes']);
    await eventually(() => expect(server.inFlight).toBe(0));
  });

  it('end with a message over the limit, and not with one that is cut off before the answers are sent', async () => {
    const held = new Map<string, RawCall>();
    const { open, port, server } = await world(handlerOf(held), { maxMessageBytes: 1_000 });
    const { stream, status } = open();
    stream.write(Buffer.from('wait'));
    stream.write(Buffer.alloc(1_001));
    expect(await status).toMatchObject({
      code: 8,
      details: expect.stringMatching(/1001 bytes.*limit of 1000/) as string,
    });
    await eventually(() => expect(server.inFlight).toBe(0));
    const session = http2.connect(`http://127.0.0.1:${port}`);
    cleanups.push(() => session.destroy());
    const request = session.request({ ':method': 'POST', ':path': `/${method}`, 'content-type': 'application/grpc' });
    const seen: Record<string, unknown> = {};
    let bytes = Buffer.alloc(0);
    request.on('trailers', (trailers) => Object.assign(seen, trailers));
    request.on('data', (data: Buffer) => (bytes = Buffer.concat([bytes, data])));
    request.end(Buffer.from([0, 0, 0, 0, 1, 0x61, 0, 0, 0, 0, 9, 0x61]));
    await new Promise((resolve) => request.on('close', resolve));
    expect(bytes.subarray(5).toString()).toBe('a = yes');
    // Spaces may be encoded and need not.
    expect([seen['grpc-status'], decodeURIComponent(String(seen['grpc-message']))]).toEqual([
      '3',
      'the stream of requests ended within a message',
    ]);
  });

  it('are answered to the end when the server stops, and then fail', async () => {
    const held = new Map<string, RawCall>();
    const { open, server } = await world(handlerOf(held));
    const [busy, idle] = [open(), open()];
    busy.stream.write(Buffer.from('wait'));
    idle.stream.write(Buffer.from('a'));
    await eventually(() => expect([held.size, idle.got.length]).toEqual([1, 1]));
    const stopped = server.tryShutdown(10_000);
    expect(await idle.status).toMatchObject({ code: 14, details: 'the server is stopping' });
    busy.stream.write(Buffer.from('too late'));
    held.get('wait')!.respond(Buffer.from('yes'));
    expect(await busy.status).toMatchObject({ code: 14, details: 'the server is stopping' });
    expect([busy.got, await stopped]).toEqual([['wait = yes'], []]);
  });

  it('and their requests are named when the time for a stop is over', async () => {
    const { open, server } = await world(handlerOf(new Map()));
    const { stream, status } = open();
    stream.write(Buffer.from('wait'));
    await eventually(() => expect(server.inFlight).toBe(2));
    const unfinished = await server.tryShutdown(50);
    expect(unfinished).toEqual([
      expect.stringMatching(/ModelStreamInfer from .* for \d+ ms/),
      expect.stringMatching(/ModelStreamInfer from .* for \d+ ms/),
    ]);
    expect((await status).code).toBe(14);
  });
});
