import { describe, expect, it } from 'vitest';
import { block } from '../../test/client-connections.ts';
import { data, headers, hello, settingsAck } from '../../test/frames.ts';
import { GrpcSide } from '../../test/grpc-side.ts';
import type { MethodName } from '../../test/grpc-side.ts';
import { flags } from '../http2/frame-types.ts';
import { defaultLimits } from '../http2/limits.ts';

const floods = { ...defaultLimits.floods, resets: { burst: 10, perSecond: 0 } };
const pseudo = [':method', 'POST', ':scheme', 'http'];
const fields = (method: MethodName): string[] => [
  ...[...pseudo, ':path', `/fuzz/${method}`, 'te', 'trailers', 'content-type', 'application/grpc'],
];
const open = (streamId: number, method: MethodName, ...more: string[]): Buffer =>
  headers(streamId, flags.END_HEADERS, block(...fields(method), ...more));
const end = flags.END_HEADERS | flags.END_STREAM;

/** How many streams it takes until the connection ends; a hundred are tried. */
function until(make: (streamId: number) => Buffer): number {
  const side = new GrpcSide({ limits: { floods } });
  side.feed(Buffer.concat([hello(), settingsAck()]));
  let count = 0;
  while (side.over === undefined && count < 100) side.feed(make(2 * count++ + 1));
  side.check();
  return count;
}

describe('a call that ends before its answer for what its caller did', () => {
  it.each<[string, (streamId: number) => Buffer]>([
    ['header fields that do not end it', (id) => Buffer.concat([open(id, 'Never'), open(id, 'Never')])],
    ['trailers that are malformed', (id) => Buffer.concat([open(id, 'Never'), headers(id, end, block(':path', '/'))])],
    [
      'less content than it said',
      (id) => Buffer.concat([open(id, 'Never', 'content-length', '1'), data(id, '', flags.END_STREAM)]),
    ],
    ['no path', (id) => headers(id, flags.END_HEADERS, block(...pseudo))],
    ['no field at all', (id) => headers(id, end, '')],
  ])('is counted as reset: %s', (_what, make) => {
    expect(until(make)).toBe(11);
  });

  it.each<[string, (streamId: number) => Buffer]>([
    [
      'a method that is not there',
      (id) =>
        headers(
          id,
          flags.END_HEADERS,
          block(...pseudo, ':path', '/a/b', 'te', 'trailers', 'content-type', 'application/grpc'),
        ),
    ],
    ['a request that is no gRPC', (id) => headers(id, flags.END_HEADERS, block(...pseudo, ':path', '/a/b'))],
    ['a message that cannot be', (id) => Buffer.concat([open(id, 'Never'), data(id, '02 00000000')])],
    ['a message that is too large', (id) => Buffer.concat([open(id, 'Never'), data(id, '00 7fffffff')])],
  ])('is not where it was answered: %s', (_what, make) => {
    expect(until(make)).toBe(100);
  });

  it('is not where its deadline was short', () => {
    const side = new GrpcSide({ limits: { floods } });
    side.feed(Buffer.concat([hello(), settingsAck()]));
    for (let at = 0; at < 100; at++) {
      side.feed(open(2 * at + 1, 'Never', 'grpc-timeout', '1m'));
      side.clock.advance(1);
    }
    expect([side.over, side.connection.streamCount]).toEqual([undefined, 0]);
  });
});
