import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  chunkOf,
  failureOf,
  frame,
  framesOf,
  helloOf,
  message,
  pairs,
  requestOf,
  typesOf,
  u16,
  u32,
  u8,
} from '../../test/link-frames.ts';
import { Wires, method } from '../../test/link-wires.ts';
import type { RawCall } from '../handlers.ts';
import { encodePairs } from './frames.ts';

const echo = (bytes: Buffer, call: RawCall): void => call.respond(bytes);
const small = Buffer.from('a request');
const noDeadline = { deadlineMs: Infinity };

/** A link that stands, and nothing sent on it yet. */
function stands(options: ConstructorParameters<typeof Wires>[0] = {}): Wires {
  const wires = new Wires(options).open();
  wires.sent.toServer.length = 0;
  wires.sent.toClient.length = 0;
  return wires;
}

describe('on the wire', () => {
  it('pairs are their count, and each a key behind its length and a value behind its length', () => {
    const bytes = Buffer.concat([u8(2), u8(1), Buffer.from('k'), u16(2), Buffer.from('é'), u8(0), u16(0)]);
    expect(encodePairs({ k: 'é', '': '' })).toEqual(bytes);
    expect(encodePairs({ k: 'x'.repeat(300) }).subarray(0, 5)).toEqual(Buffer.concat([u8(1, 1), u8(107), u16(300)]));
  });

  it('HELLO has version, window, longest frame, longest message, bytes in parts, methods and flags', () => {
    const wires = new Wires().open();
    const limits = u32(1, 4 * 1024 * 1024, 192 * 1024, 1024 * 1024, 128 * 1024 * 1024);
    expect(wires.sent.toServer).toEqual([message(frame(1, limits, u8(0), u8(1)))]);
    const methods = [u8(1), u8(method.length), Buffer.from(method), u16(0)];
    expect(wires.sent.toClient).toEqual([message(frame(1, limits, ...methods, u8(0)))]);
  });

  it('REQUEST has call, method, length, time left, metadata and bytes', () => {
    const wires = stands();
    const metadata = { traceparent: '00-1' };
    void wires.call(small, { metadata, deadlineMs: wires.clock.now() + 499.5, suffix: Buffer.from('!') });
    void wires.call(small, noDeadline);
    wires.pump();
    expect(wires.sent.toServer).toEqual([
      message(
        frame(2, u32(1), u8(0), u32(10, 500), pairs(metadata), small, u8(0x21)),
        frame(2, u32(2), u8(0), u32(9, 0xffff_ffff), u8(0), small),
      ),
    ]);
  });

  it('CANCEL has call, and 1 when its deadline has passed', async () => {
    const wires = stands();
    const [late, given] = [wires.call(small, { deadlineMs: wires.clock.now() + 100 }), wires.call(small)];
    wires.pump();
    wires.sent.toServer.length = 0;
    wires.clock.advance(100);
    given.call.cancel();
    wires.pump();
    expect(wires.sent.toServer).toEqual([message(frame(3, u32(1, 1)), frame(3, u32(2, 0)))]);
    await Promise.all([late, given]);
  });

  it('ANSWER has call, 0, length, trailers and bytes', () => {
    const trailers = { 'sluice-prediction-id': 'p1' };
    const wires = stands({
      handler: (bytes, call) => {
        for (const [key, value] of Object.entries(trailers)) call.setTrailer(key, value);
        call.respond(bytes);
      },
    });
    void wires.call(small);
    wires.pump();
    expect(wires.sent.toClient).toEqual([message(frame(4, u32(1), u8(0), u32(9), pairs(trailers), small))]);
  });

  it('FAILURE has call, status, length of the text, trailers and text', () => {
    const wires = stands({
      handler: (_bytes, call) => call.fail(new SluiceError('not-found', 'no such model', { retryAfterMs: 7 })),
    });
    void wires.call(small);
    wires.pump();
    const trailers = pairs({ 'sluice-kind': 'not-found', 'grpc-retry-pushback-ms': '7' });
    const text = Buffer.from('no such model');
    expect(wires.sent.toClient).toEqual([message(frame(5, u32(1), u8(5), u32(text.length), trailers, text))]);
  });

  it('CHUNK has call and bytes', () => {
    const wires = stands({ handler: echo });
    const large = Buffer.alloc(131_072 + 5, 'large');
    void wires.call(large, noDeadline);
    wires.pump();
    const [head, tail] = [large.subarray(0, 131_072), large.subarray(131_072)];
    expect(wires.sent.toServer[0]).toEqual(message(requestOf(1, large.length, head), chunkOf(1, tail)));
    const frames = framesOf(wires.sent.toClient).filter((each) => each[0] !== 9);
    expect(frames).toEqual([answerOf(1, large.length, head), chunkOf(1, tail)]);
  });

  it('PING is answered by a PONG with its number, on both sides', () => {
    const wires = stands();
    wires.server!.receive(message(frame(7, u32(0xfffffffe)), frame(7, u32(3))));
    wires.events!.message(message(frame(7, u32(5))));
    wires.pump();
    expect(wires.sent.toClient).toEqual([message(frame(8, u32(0xfffffffe)), frame(8, u32(3)))]);
    expect(wires.sent.toServer).toEqual([message(frame(8, u32(5)))]);
  });

  it('WINDOW has the bytes that may be sent more', () => {
    const wires = stands({ server: { limits: { windowBytes: 40 } } });
    void wires.call(small, noDeadline);
    wires.pump();
    expect(wires.sent.toClient).toEqual([message(frame(9, u32(requestOf(1, 9, small).length)))]);
  });

  it('GOAWAY has nothing', () => {
    const wires = stands();
    wires.server!.drain();
    wires.pump();
    expect(wires.sent.toClient).toEqual([message(frame(10))]);
  });

  it.each([
    ['a CANCEL', frame(3, u32(9, 0)), 'toClient'],
    ['a REQUEST', requestOf(9, 1, u8(1)), 'toClient'],
    ['an ANSWER', answerOf(9, 1, u8(1)), 'toServer'],
    ['a FAILURE', failureOf(9, 14, 'gone'), 'toServer'],
    ['a GOAWAY', frame(10), 'toServer'],
  ] as const)('%s from the wrong side ends the link', (_what, bytes, to) => {
    const wires = stands();
    void wires.call(small);
    wires.pump();
    if (to === 'toServer') wires.server!.receive(message(bytes));
    else wires.events!.message(message(bytes));
    wires.pump();
    expect([wires.server, wires.client.inFlight]).toEqual([undefined, 0]);
    expect(wires.stats.link.inFlight).toBe(0);
  });
});

describe('HELLO', () => {
  it('is the first frame of each side, and the server waits for that of the client', () => {
    const wires = new Wires();
    wires.stuck.toServer = true;
    void wires.call(small);
    wires.pump();
    wires.clock.advance(1_000);
    wires.pump();
    expect(wires.sent).toEqual({ toServer: [], toClient: [] });
    wires.stuck.toServer = false;
    wires.pump();
    expect([typesOf(wires.sent.toServer), typesOf(wires.sent.toClient)]).toEqual([[1, 2], [1]]);
  });

  it.each([
    ['REQUEST', requestOf(1, 1, u8(1)), 'toServer'],
    ['CANCEL', frame(3, u32(1, 0)), 'toServer'],
    ['CHUNK', chunkOf(1, u8(1)), 'toServer'],
    ['PING', frame(7, u32(1)), 'toServer'],
    ['WINDOW', frame(9, u32(1)), 'toServer'],
    ['ANSWER', answerOf(1, 1, u8(1)), 'toClient'],
    ['FAILURE', failureOf(1, 14, 'gone'), 'toClient'],
    ['PONG', frame(8, u32(1)), 'toClient'],
    ['GOAWAY', frame(10), 'toClient'],
  ] as const)('comes before %s, or the link ends', async (_type, bytes, to) => {
    const wires = new Wires();
    const early = wires.call(small);
    wires.mangle = (each, way) => (way === to ? message(bytes) : each);
    wires.pump();
    const { error } = await early;
    expect([error?.origin, wires.server]).toEqual(['unsent', undefined]);
    const reason = 'a link that does not begin with HELLO';
    expect(wires.lines).toContainEqual(expect.objectContaining({ reason: expect.stringContaining(reason) as string }));
  });

  it.each([0, 1, 2])('of a client of version %d is taken by a server of version 1', (version) => {
    const wires = new Wires({ handler: echo });
    wires.mangle = (each, to) => (to === 'toServer' && typesOf([each])[0] === 1 ? message(helloOf(version)) : each);
    wires.open();
    void wires.call(small);
    wires.pump();
    expect(typesOf(wires.sent.toClient)).toEqual([1, 4]);
  });

  it('names the longest frame: one byte more ends the link', () => {
    const wires = stands();
    const longest = 192 * 1024;
    const call = (number: number, length: number): Buffer => {
      const head = requestOf(number, 1, u8(1)).length - 1;
      return message(requestOf(number, length - head, Buffer.alloc(length - head)));
    };
    wires.server!.receive(call(1, longest));
    expect([wires.got.length, wires.lines]).toEqual([1, []]);
    wires.server!.receive(call(2, longest + 1));
    expect(wires.got).toHaveLength(1);
    expect(wires.lines).toContainEqual(expect.objectContaining({ reason: `a frame of ${longest + 1 - 5} bytes` }));
  });

  it('of 0 bytes of window ends the link', () => {
    const wires = new Wires();
    const limits = u32(1, 0, 196_608, 1_048_576, 134_217_728);
    wires.mangle = (each, to) => (to === 'toServer' ? message(frame(1, limits, u8(0))) : each);
    wires.open();
    expect(wires.lines).toContainEqual(expect.objectContaining({ reason: 'a HELLO with a window of 0 bytes' }));
  });
});

describe('the number of a call', () => {
  it('is free again when its call has ended, however it did', () => {
    const wires = stands({ handler: (bytes, call) => (bytes[0] === 1 ? call.respond(bytes) : undefined) });
    const request = (byte: number): Buffer => message(requestOf(7, 1, u8(byte)));
    // Answered, cancelled while it ran, cancelled before it was whole.
    wires.server!.receive(request(1));
    wires.server!.receive(request(2));
    wires.server!.receive(message(frame(3, u32(7, 0))));
    wires.server!.receive(message(requestOf(7, 10, u8(3))));
    wires.server!.receive(message(frame(3, u32(7, 0))));
    wires.server!.receive(request(1));
    wires.pump();
    expect(wires.got.map(({ message: [byte] }) => byte)).toEqual([1, 2, 1]);
    expect(wires.lines).toEqual([]);
  });

  it.each([
    ['CHUNK', chunkOf(1, u8(1, 2, 3)), 'toServer'],
    ['CANCEL', frame(3, u32(1, 0)), 'toServer'],
    ['ANSWER', answerOf(1, 9, small), 'toClient'],
    ['FAILURE', failureOf(1, 14, 'gone'), 'toClient'],
    ['CHUNK', chunkOf(1, u8(1, 2, 3)), 'toClient'],
  ] as const)('of one that has ended may still be in a %s, which is dropped', async (_type, bytes, to) => {
    const wires = stands({ handler: echo });
    const ended = wires.call(small);
    wires.pump();
    await ended;
    if (to === 'toServer') wires.server!.receive(message(bytes));
    else wires.events!.message(message(bytes));
    const next = wires.call(small);
    wires.pump();
    expect((await next).error).toBeUndefined();
    expect([wires.dials, wires.lines, wires.got.length]).toEqual([1, [], 2]);
  });
});
