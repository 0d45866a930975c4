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

const request = (method: MethodName): string[] => {
  const control = [':method', 'POST', ':scheme', 'http', ':path', `/fuzz/${method}`];
  return [...control, 'content-type', 'application/grpc'];
};

/** A call whose messages may be compressed. Those here are too long to be inflated at once. */
function call(method: MethodName, options: GrpcSideOptions): GrpcSide {
  const side = new GrpcSide(options);
  const block = Buffer.from(encoder.encode([...request(method), 'grpc-encoding', 'gzip']));
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
    expect(side.peer.stream(1).grpcStatus).toBe('8');
  });
  expect([side.records[0]!.cancelled, side.over]).toEqual([true, undefined]);
  side.finish();
});

it('a message that is not what it says ends its call', async () => {
  const side = call('Echo', {});
  side.feed(data(1, message(noise(3000), true)));
  await eventually(() => {
    side.check();
    expect(side.peer.stream(1).grpcStatus).toBe('13');
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
  expect(side.peer.stream(1).grpcStatus).toBe('13');
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
  expect(side.peer.stream(1).grpcStatus).toBe('8');
  side.finish();
});

it('memory is taken for a message that is not whole, and given back when it is', () => {
  const side = call('Echo', {});
  const bytes = message(noise(10_000));
  side.feed(data(1, bytes.subarray(0, 5000)));
  expect(side.memory.used).toBeGreaterThan(4000);
  side.feed(data(1, bytes.subarray(5000)));
  expect([side.memory.used, side.records[0]!.messages.length]).toEqual([0, 1]);
  side.finish();
});

it('nothing is read behind the end of a call, and no memory taken', () => {
  const side = call('Early', {});
  // The handler has had enough after the first, and the third will never be whole.
  side.feed(data(1, Buffer.concat([message(noise(10)), message(noise(10)), message(noise(1000)).subarray(0, 500)])));
  expect([side.memory.used, side.records[0]!.messages.length]).toEqual([0, 1]);
  side.finish();
});

it('a call that ends with its head has no messages, and is answered', () => {
  const side = new GrpcSide();
  const block = Buffer.from(encoder.encode([...request('Echo')]));
  side.feed(Buffer.concat([hello(), settingsAck(), headers(1, flags.END_HEADERS | flags.END_STREAM, block)]));
  expect([side.records[0]!.halfClosed, side.peer.stream(1).grpcStatus]).toEqual([true, '0']);
  side.finish();
});
