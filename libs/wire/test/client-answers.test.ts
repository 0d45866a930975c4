import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallStatus } from '../src/client/call-status.ts';
import { WireChannel } from '../src/client/wire-channel.ts';
import { clientPreface, flags } from '../src/http2/frame-types.ts';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { data, describe as words, headers, parse, settings, settingsAck } from './frames.ts';
import { systemClock } from './peers.ts';

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const block = (...fields: string[]): Buffer => Buffer.from(new HpackEncoder([]).encode(fields));
const endHeaders = flags.END_HEADERS;
const endAll = flags.END_HEADERS | flags.END_STREAM;
const ok = headers(1, endHeaders, block(':status', '200', 'content-type', 'application/grpc'));
const trailers = headers(1, endAll, block('grpc-status', '0'));
const message = data(1, '00 00000001 61');

/** A server that answers the first request with bytes of the test, and what its client sent. */
async function answering(...answer: readonly Uint8Array[]) {
  return answeringTo(true, ...answer);
}

/** @param isLast the client says that its first message is its last */
async function answeringTo(isLast: boolean, ...answer: readonly Uint8Array[]) {
  let received = Buffer.alloc(0);
  const server = createServer((socket: Socket) => {
    cleanups.push(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([settings(), settingsAck()]));
    socket.on('data', (chunk: Buffer) => {
      const isFirst = !received.includes('application/grpc');
      received = Buffer.concat([received, chunk]);
      if (isFirst && received.includes('application/grpc')) socket.write(Buffer.concat(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const channel = new WireChannel(`127.0.0.1:${port}`, { clock: systemClock, random: { uniform: () => 0.5 } });
  cleanups.push(() => channel.close());
  const messages: string[] = [];
  const ended = Promise.withResolvers<CallStatus>();
  const metadata = ['Host', 'elsewhere', 'X-Mine', ' a ', 'connection', 'close', 'te', 'gzip'];
  const deadlineAt = systemClock.monotonic() + 10_000;
  const events = { message: (octets: Buffer) => void messages.push(String(octets)), ended: ended.resolve };
  const call = channel.call('/a.B/C', { deadlineAt, metadata }, events);
  if (isLast) call.writeLast(Buffer.from('x'));
  else call.write(Buffer.from('x'));
  const sent = () => parse(received.subarray(clientPreface.length));
  return { status: await ended.promise, messages, sent, port };
}

describe('a response that is malformed', () => {
  it.each<[string, readonly Uint8Array[]]>([
    ['without a status', [headers(1, endHeaders, block('content-type', 'application/grpc'))]],
    ['with a status that is none', [headers(1, endHeaders, block(':status', 'ok'))]],
    ['with a field of requests', [headers(1, endHeaders, block(':status', '200', ':path', '/'))]],
    ['with a name in upper case', [headers(1, endHeaders, block(':status', '200', 'X-A', 'b'))]],
    ['with a field of HTTP/1', [headers(1, endHeaders, block(':status', '200', 'connection', 'close'))]],
    ['with a line break in a value', [headers(1, endHeaders, block(':status', '200', 'a', 'b\nc'))]],
    ['with data before its fields', [message]],
    ['with a pseudo-header field in its trailers', [ok, message, headers(1, endAll, block(':status', '200'))]],
    ['with fields in its middle', [ok, message, headers(1, endHeaders, block('a', 'b'))]],
    ['with an interim response as its end', [headers(1, endAll, block(':status', '103'))]],
    [
      'of another length than it says',
      [
        headers(1, endHeaders, block(':status', '200', 'content-type', 'application/grpc', 'content-length', '7')),
        message,
        trailers,
      ],
    ],
  ])('%s is not taken', async (_what, answer) => {
    const { status, sent } = await answering(...answer);
    expect(status).toMatchObject({ code: 13, origin: 'answered' });
    if (!answer.some((frame) => frame === trailers || (frame[4]! & flags.END_STREAM) !== 0))
      await eventually(() => expect(sent().map(words)).toContain('RST_STREAM 1 PROTOCOL_ERROR'));
  });

  it('is none that has interim responses before it, or nothing but a status', async () => {
    const interim = headers(1, endHeaders, block(':status', '103', 'link', 'x'));
    expect(await answering(interim, ok, message, trailers)).toMatchObject({ status: { code: 0 }, messages: ['a'] });
    const fields = block(
      ':status',
      '200',
      'content-type',
      'application/grpc',
      'grpc-status',
      '5',
      'grpc-message',
      'no%20',
    );
    expect(await answering(headers(1, endAll, fields))).toMatchObject({ status: { code: 5, details: 'no ' } });
  });

  it('is one that ends without trailers, or within a message', async () => {
    const cut = data(1, '00 00000005 61', flags.END_STREAM);
    expect((await answering(ok, cut)).status).toMatchObject({ code: 2, details: 'the server ended without a status' });
    expect((await answering(ok, data(1, '00 00000005 61'), trailers)).status).toMatchObject({ code: 13 });
  });
});

it('an answer that is being inflated when its stream is over is whole all the same', async () => {
  const noise = createHash('shake256', { outputLength: 10_000 }).update('noise').digest();
  const packed = gzipSync(noise);
  const prefix = Buffer.from([1, 0, 0, packed.length >> 8, packed.length & 0xff]);
  const fields = block(':status', '200', 'content-type', 'application/grpc', 'grpc-encoding', 'gzip');
  // In one piece, so that the status is there before the message; the client has more to say, and says it no more.
  const answer = [headers(1, endHeaders, fields), data(1, Buffer.concat([prefix, packed])), trailers];
  const { status, messages, sent } = await answeringTo(false, ...answer);
  expect([status.code, messages]).toEqual([0, [String(noise)]]);
  await eventually(() => expect(sent().map(words)).toContain('RST_STREAM 1 NO_ERROR'));
});

it('what a client asks', async () => {
  const { sent, port } = await answering(ok, message, trailers);
  const [request] = sent().filter(({ type }) => type === 'HEADERS');
  const { fields } = new HpackDecoder({ maxListSize: 10_000 }).decode(request!.payload);
  const pairs = Array.from({ length: fields.length / 2 }, (_, at) => fields.slice(2 * at, 2 * at + 2).join(' '));
  expect(pairs.slice(0, -1)).toEqual([
    ':method POST',
    ':scheme http',
    ':path /a.B/C',
    `:authority 127.0.0.1:${port}`,
    'te trailers',
    'content-type application/grpc',
    'grpc-accept-encoding identity,deflate,gzip',
    'x-mine a',
  ]);
  expect(pairs.at(-1)).toMatch(/^grpc-timeout \d+m$/);
});
