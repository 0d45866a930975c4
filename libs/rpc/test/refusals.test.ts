import http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { raw } from '../src/handlers.ts';
import type { RawCall } from '../src/handlers.ts';
import { cleanups } from './cleanups.ts';
import { transport, path, start } from './world.ts';

const limit = 4096;

function frame(message: Uint8Array, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function world(handler: (request: Buffer, call: RawCall) => void = (request, call) => call.respond(request)) {
  let refused = 0;
  const served = await start(
    {},
    { maxMessageBytes: limit },
    { modelInfer: raw(handler, () => ({ 'x-of-refusal': String(++refused) })) },
  );
  const session = http2.connect(`http://127.0.0.1:${served.port}`);
  cleanups.push(() => session.destroy());
  const send = async (bytes: Uint8Array, headers: Record<string, string> = {}) => {
    const start = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    const stream = session.request({ ...start, ...headers });
    const got: Record<string, unknown> = {};
    stream.on('response', (received) => Object.assign(got, received));
    stream.on('trailers', (received) => Object.assign(got, received));
    stream.resume().end(bytes);
    await new Promise<void>((resolve, reject) => stream.on('close', resolve).on('error', reject));
    return got;
  };
  const counted = () =>
    Object.fromEntries(
      served.metrics
        .method(path.slice(1))
        .codes()
        .map((each) => [each.name, each.count]),
    );
  return { served, send, counted };
}

describe('what grpc-js answers by itself', () => {
  it.each<[string, Uint8Array, Record<string, string>, string]>([
    ['a message over the limit', frame(Buffer.alloc(limit + 1)), {}, 'RESOURCE_EXHAUSTED'],
    ['a message far over it', frame(Buffer.alloc(3_000_000)), {}, 'RESOURCE_EXHAUSTED'],
    ['a zip bomb', frame(gzipSync(Buffer.alloc(1_000_000)), 1), { 'grpc-encoding': 'gzip' }, 'RESOURCE_EXHAUSTED'],
    ['bad gzip', frame(Buffer.from('no'), 1), { 'grpc-encoding': 'gzip' }, 'INTERNAL'],
    ['no message', Buffer.alloc(0), {}, 'UNIMPLEMENTED'],
    ['two messages', Buffer.concat([frame(Buffer.alloc(1)), frame(Buffer.alloc(1))]), {}, 'UNIMPLEMENTED'],
    ['a time-out that is none', frame(Buffer.alloc(1)), { 'grpc-timeout': 'soon' }, 'INTERNAL'],
  ])('%s: has the trailers of its method and is counted once', async (_name, bytes, headers, code) => {
    const { served, send, counted } = await world();
    const got = await send(bytes, headers);
    expect(got['x-of-refusal']).toBe('1');
    await eventually(() => expect(counted()).toEqual({ [code]: 1 }));
    expect(served.metrics.method(path.slice(1)).inFlight).toBe(0);
  });

  it('says what the limit is', async () => {
    const { send } = await world();
    const got = await send(frame(Buffer.alloc(limit + 1)));
    expect(decodeURI(String(got['grpc-message']))).toBe(
      'the request has 4097 bytes, more than the limit of 4096; send less at once',
    );
  });

  it('a deadline that passes has the trailers that the handler set, and the handler hears of it', async () => {
    const reasons: string[] = [];
    const { send, counted, served } = await world((_request, call) => {
      call.setTrailer('x-of-handler', 'set');
      call.onCancel((reason) => reasons.push(reason.kind));
    });
    const got = await send(frame(Buffer.alloc(1)), { 'grpc-timeout': '500m' });
    expect(got).toMatchObject({ 'grpc-status': '4', 'x-of-handler': 'set' });
    expect(got['x-of-refusal']).toBeUndefined();
    await eventually(() => expect(counted()).toEqual({ DEADLINE_EXCEEDED: 1 }));
    expect(reasons).toEqual(['deadline-exceeded']);
    expect(served.server.inFlight).toBe(0);
  });

  it('a caller that goes away is no deadline', async () => {
    const reasons: string[] = [];
    const { served, counted } = await world((_request, call) => call.onCancel((reason) => reasons.push(reason.kind)));
    const session = http2.connect(`http://127.0.0.1:${served.port}`);
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
    session
      .request(headers)
      .on('error', () => undefined)
      .end(frame(Buffer.alloc(1)));
    await eventually(() => expect(served.server.inFlight).toBe(1));
    session.destroy();
    await eventually(() => expect(reasons).toEqual(['cancelled']));
    expect(counted()).toEqual({ CANCELLED: 1 });
  });

  it.each(['597H', '99999999H', '99999999S', '4294968S', '71583M'])(
    'a time-out of %s does not pass at once',
    async (header) => {
      const deadlines: number[] = [];
      const { send } = await world((request, call) => {
        deadlines.push(call.deadlineMs - Date.now());
        systemClock.schedule(20, () => call.respond(request));
      });
      expect((await send(frame(Buffer.alloc(1)), { 'grpc-timeout': header }))['grpc-status']).toBe('0');
      expect(deadlines[0]).toBeGreaterThan(595 * 3_600_000);
      if (transport === 'grpc-js') expect(deadlines[0]).toBeLessThan(2 ** 31);
    },
  );
});
