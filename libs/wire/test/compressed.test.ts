import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { expect, it } from 'vitest';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { flags } from '../src/http2/frame-types.ts';
import { data, headers, hello, settingsAck } from './frames.ts';
import { message } from './fuzz-streams.ts';
import { GrpcSide } from './grpc-side.ts';
import type { GrpcSideOptions, MethodName } from './grpc-side.ts';

const encoder = new HpackEncoder([]);

/** A call whose messages are compressed. Those here are too long to be inflated at once. */
function call(method: MethodName, options: GrpcSideOptions): GrpcSide {
  const side = new GrpcSide(options);
  const fields = [':method', 'POST', ':scheme', 'http', ':path', `/fuzz/${method}`, 'content-type', 'application/grpc'];
  const block = Buffer.from(encoder.encode([...fields, 'grpc-encoding', 'gzip']));
  side.feed(Buffer.concat([hello(), settingsAck(), headers(1, flags.END_HEADERS, block)]));
  return side;
}

const noise = (length: number): Buffer => randomBytes(length);
const packed = (octets: Buffer): Buffer => message(gzipSync(octets), true);

it('messages are inflated in their order, however long each takes', async () => {
  const side = call('Echo', {});
  const messages = [9000, 1, 6000, 0, 3000, 2000].map(noise);
  for (const octets of messages) side.feed(data(1, packed(octets)));
  side.feed(data(1, message(Buffer.from('plain')), flags.END_STREAM));
  await eventually(() => expect(side.records[0]!.halfClosed).toBe(true));
  expect(side.records[0]!.messages).toEqual([...messages, Buffer.from('plain')]);
  side.finish();
});

it('a message that has no room when it is inflated ends its call, and nothing else', async () => {
  const side = call('Held', { maxBuffered: 15_000 });
  side.feed(data(1, packed(Buffer.concat([noise(4000), Buffer.alloc(20_000)]))));
  await eventually(() => {
    side.check();
    expect(side.peer.stream(1).trailers).toContain('8');
  });
  expect([side.records[0]!.cancelled, side.over]).toEqual([true, undefined]);
  side.finish();
});

it('a message that is not what it says ends its call', async () => {
  const side = call('Echo', {});
  side.feed(data(1, message(noise(3000), true)));
  await eventually(() => {
    side.check();
    expect(side.peer.stream(1).trailers).toContain('13');
  });
  side.finish();
});

it('a handler that throws at a message that was inflated ends its call, as the process goes on', async () => {
  const side = call('Echo', {});
  const [record] = side.records;
  record!.call!.sink!.message = () => {
    throw new Error('secret');
  };
  side.feed(data(1, packed(noise(3000))));
  await eventually(() => expect(record!.call!.isOver).toBe(true));
  side.check();
  expect(side.peer.stream(1).trailers).toContain('13');
  side.finish();
});

it('messages that wait to be inflated are counted, and their sender waits with them', async () => {
  const side = call('Echo', { limits: { streamWindow: 65_535 }, maxBuffered: 60_000 });
  const pieces = Array.from({ length: 4 }, () => packed(noise(10_000)));
  for (const piece of pieces) side.feed(data(1, piece));
  expect(side.memory.used).toBeGreaterThan(40_000);
  expect(side.peer.stream(1).granted).toBe(0);
  await eventually(() => expect(side.records[0]!.messages).toHaveLength(4));
  side.check();
  expect([side.memory.used, side.peer.stream(1).granted > 40_000]).toEqual([0, true]);
  const many = Array.from({ length: 6 }, () => packed(noise(10_000)));
  for (const piece of many) side.feed(data(1, piece));
  side.check();
  expect(side.peer.stream(1).trailers).toContain('8');
  side.finish();
});
