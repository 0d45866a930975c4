import { afterEach, describe, expect, it } from 'vitest';
import { flags } from '../src/http2/frame-types.ts';
import { WireServer } from '../src/server/wire-server.ts';
import { block } from './client-connections.ts';
import { data, headers, rstStream } from './frames.ts';
import { RawClient } from './raw-client.ts';
import { systemClock } from './peers.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const end = flags.END_HEADERS | flags.END_STREAM;
const pseudo = [':method', 'POST', ':scheme', 'http', ':path', '/test.Echo/Unary'] as const;
const request = [...pseudo, 'content-type', 'application/grpc', 'te', 'trailers'] as const;
/** A message of three octets. */
const message = '00 00000003 616263';
const answer = [
  'HEADERS 1 :status 200 content-type application/grpc+proto',
  'DATA 1 8 octets',
  'HEADERS 1 END grpc-status 0',
];

/** A server that echoes, and a client of it that need not keep to anything. */
async function serve() {
  const calls: string[] = [];
  const wire = new WireServer({ clock: systemClock });
  wire.register('/test.Echo/Unary', {
    begin: (call) => {
      const messages: Buffer[] = [];
      calls.push('begun');
      call.sink = {
        message: (octets) => void messages.push(octets),
        halfClosed: () => {
          calls.push(`ended with ${messages.length}`);
          for (const octets of messages) call.write(octets);
          call.finish(0, '');
        },
        cancelled: (code) => void calls.push(`cancelled ${code}`),
        drained: () => undefined,
      };
    },
  });
  const port = await wire.listen('127.0.0.1', 0);
  const client = await RawClient.connect(port);
  cleanups.push(async () => {
    client.destroy();
    wire.close();
    await wire.stop();
  });
  return { client, calls };
}

describe('a call as bytes', () => {
  it('has a status first, then messages that are not compressed, and trailers without pseudo-header fields', async () => {
    const { client, calls } = await serve();
    client.write(headers(1, flags.END_HEADERS, block(...request)), data(1, message, flags.END_STREAM));
    expect(await client.heard(3)).toEqual(answer);
    expect(client.frames[1]!.payload.toString('hex')).toBe(message.replaceAll(' ', ''));
    expect(calls).toEqual(['begun', 'ended with 1']);
  });

  it('may say how long its content is, and have trailers', async () => {
    const { client } = await serve();
    client.write(
      headers(1, flags.END_HEADERS, block(...request, 'content-length', '8')),
      data(1, message),
      headers(1, end, block('a', 'b')),
    );
    expect(await client.heard(3)).toEqual(answer);
  });
});

describe('a request that is malformed is reset, and nobody else hears of it:', () => {
  const without = (name: string): string[] => {
    const at = request.indexOf(name as never);
    return request.filter((_, index) => index !== at && index !== at + 1);
  };

  it.each([
    ['a name in capitals', [...request, 'Bad', 'x']],
    ['a name with a space', [...request, 'b d', 'x']],
    ['a name with a colon', [...request, 'b:d', 'x']],
    ['a value with a line feed', [...request, 'bad', 'a\nb']],
    ['a value that ends with a space', [...request, 'bad', 'a ']],
    ['a field of HTTP/1', [...request, 'connection', 'close']],
    ['te other than trailers', [...without('te'), 'te', 'gzip']],
    ['no method', without(':method')],
    ['no scheme', without(':scheme')],
    ['no path', without(':path')],
    ['an empty path', [':path', '', ...without(':path')]],
    ['a pseudo-header field twice', [':path', '/', ...request]],
    ['a pseudo-header field of responses', [':status', '200', ...request]],
    ['an unknown pseudo-header field', [':foo', 'x', ...request]],
    ['a pseudo-header field behind others', [...without(':path'), ':path', '/test.Echo/Unary']],
    ['a user in the authority', [':authority', 'me@example.org', ...request]],
    ['a host other than the authority', [':authority', 'example.org', ...request, 'host', 'example.com']],
  ])('%s', async (_what, fields) => {
    const { client, calls } = await serve();
    client.write(headers(1, flags.END_HEADERS, block(...fields)), data(1, message, flags.END_STREAM));
    expect(await client.heard(1)).toEqual(['RST_STREAM 1 PROTOCOL_ERROR']);
    // Its connection goes on.
    client.write(headers(3, flags.END_HEADERS, block(...request)), data(3, message, flags.END_STREAM));
    expect((await client.heard(4)).at(-1)).toBe('HEADERS 3 END grpc-status 0');
    expect(calls).toEqual(['begun', 'ended with 1']);
  });

  it.each([
    ['header fields in the middle of it', [data(1, message), headers(1, flags.END_HEADERS, block('a', 'b'))]],
    ['a pseudo-header field in its trailers', [data(1, message), headers(1, end, block(':status', '200'))]],
    ['a name in capitals in its trailers', [data(1, message), headers(1, end, block('Bad', 'x'))]],
    ['a field of HTTP/1 in its trailers', [data(1, message), headers(1, end, block('upgrade', 'x'))]],
    ['less content than it says', [data(1, message.slice(0, -2), flags.END_STREAM)]],
    ['more content than it says', [data(1, message + '00', flags.END_STREAM)]],
    ['no content where it says some', [headers(1, end, block('a', 'b'))]],
  ])('%s', async (_what, frames) => {
    const { client, calls } = await serve();
    client.write(headers(1, flags.END_HEADERS, block(...request, 'content-length', '8')), ...frames);
    expect(await client.heard(1)).toEqual(['RST_STREAM 1 PROTOCOL_ERROR']);
    expect(calls).toEqual(['begun', 'cancelled 13']);
  });
});

describe('a request that is no call', () => {
  it.each([
    ['another method', [':method', 'GET', ...request.slice(2)], '405'],
    ['another type', [...pseudo, 'content-type', 'text/plain'], '415'],
    ['more fields than are taken', [...request, 'a', 'x'.repeat(16_250)], '431'],
  ])('is answered in the words of HTTP: %s', async (_what, fields, status) => {
    const { client, calls } = await serve();
    client.write(headers(1, end, block(...fields)));
    const [first] = await client.heard(1);
    expect(first).toMatch(
      new RegExp(`^HEADERS 1 END :status ${status} content-type application/grpc\\+proto grpc-status`),
    );
    expect(calls).toEqual([]);
  });

  it('is answered before it has ended, and need not go on then', async () => {
    const { client } = await serve();
    client.write(headers(1, flags.END_HEADERS, block(...pseudo)), data(1, message));
    const words = await client.heard(2);
    expect(words.map((text) => text.replace(/:status.*/, '').trim())).toEqual([
      'HEADERS 1 END',
      'RST_STREAM 1 NO_ERROR',
    ]);
  });

  it('is CONNECT, which is reset', async () => {
    const { client } = await serve();
    client.write(headers(1, flags.END_HEADERS, block(':method', 'CONNECT', ':authority', 'example.org:80')));
    expect(await client.heard(1)).toEqual(['RST_STREAM 1 PROTOCOL_ERROR']);
  });
});

it('a caller that resets its call with a code that nobody knows ends it as any other', async () => {
  const { client, calls } = await serve();
  client.write(headers(1, flags.END_HEADERS, block(...request)), rstStream(1, 0xfeed));
  client.write(headers(3, flags.END_HEADERS, block(...request)), data(3, message, flags.END_STREAM));
  expect((await client.heard(3)).at(-1)).toBe('HEADERS 3 END grpc-status 0');
  expect(calls).toEqual(['begun', 'cancelled 13', 'begun', 'ended with 1']);
});
