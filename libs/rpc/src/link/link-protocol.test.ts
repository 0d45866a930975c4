import { describe, expect, it, vi } from 'vitest';
import { frame, message, pairs, u32, u8 } from '../../test/link-frames.ts';
import { Wires, inferPath } from '../../test/link-wires.ts';
import type { RawCall } from '../handlers.ts';
import type { RawOutcome } from '../raw-client.ts';
import type { UnaryCalls } from './client.ts';
import { encodeHello, envelopeBytes, frameTypes, numberFrame, writeEnvelope } from './frames.ts';

const echo = (message: Buffer, call: RawCall): void => call.respond(message);
const small = Buffer.from('a request');
const inEnvelope = (frames: Buffer): Buffer => {
  const bytes = Buffer.alloc(envelopeBytes(frames.length) + frames.length);
  bytes.set(frames, writeEnvelope(bytes, frames.length));
  return bytes;
};

/** Unary calls that answer what they are told. */
function unaryDouble() {
  const calls: Buffer[] = [];
  const cancel = vi.fn();
  const unary: UnaryCalls = {
    call: (_path, message, _options, done) => {
      calls.push(Buffer.from(message));
      const outcome = {
        error: undefined,
        message: Buffer.from('one by one'),
        messageArrived: true,
        trailer: () => 'u',
      };
      queueMicrotask(() => done(outcome));
      return { cancel };
    },
    isConnected: () => true,
    close: vi.fn(),
  };
  return { calls, cancel, unary: () => unary };
}

describe('a peer without a link', () => {
  const unimplemented = { code: 12, details: 'no such method', trailers: {} };

  it('gets calls one by one, those that waited first; the log says it once', async () => {
    const { calls, unary } = unaryDouble();
    const wires = new Wires({ client: { unary, askAgainMs: 1_000 } });
    wires.refusal = unimplemented;
    const early = wires.call(small);
    wires.pump();
    expect((await early).message?.toString()).toBe('one by one');
    expect((await early).trailer('any')).toBe('u');
    expect((await wires.call(small)).message?.toString()).toBe('one by one');
    expect(wires.client.isConnected()).toBe(true);
    for (let step = 0; step < 50; step++) {
      wires.clock.advance(100);
      wires.pump();
    }
    expect(wires.dials).toBe(6);
    expect(calls).toHaveLength(2);
    expect(wires.lines.map(({ text }) => text)).toEqual(['there is no link to it: calls go one by one']);
  });

  it('is asked again, and calls go over the link when it has one', async () => {
    const { unary } = unaryDouble();
    const wires = new Wires({ handler: echo, client: { unary, askAgainMs: 1_000 } });
    wires.refusal = unimplemented;
    wires.client.isConnected();
    wires.pump();
    wires.refusal = undefined;
    wires.clock.advance(1_000);
    wires.pump();
    const outcome = wires.call(small);
    wires.pump();
    expect((await outcome).message?.toString()).toBe('a request');
    expect(wires.lines.at(-1)).toMatchObject({ level: 'info', text: 'calls go over a link again' });
  });

  it('is asked again every 30 s', () => {
    const { unary } = unaryDouble();
    const wires = new Wires({ client: { unary } });
    wires.refusal = unimplemented;
    wires.open();
    for (const dials of [2, 3]) {
      wires.clock.advance(29_999);
      expect(wires.dials).toBe(dials - 1);
      wires.clock.advance(1);
      wires.pump();
      expect(wires.dials).toBe(dials);
    }
  });

  it('that goes away is still asked for a link now and then only', () => {
    const { unary } = unaryDouble();
    const wires = new Wires({ client: { unary, askAgainMs: 1_000 } });
    wires.refusal = unimplemented;
    wires.open();
    wires.refusal = { code: 14, details: 'connect ECONNREFUSED', trailers: {} };
    for (let step = 0; step < 50; step++) {
      wires.clock.advance(100);
      wires.pump();
    }
    expect(wires.dials).toBe(6);
    expect(wires.lines).toHaveLength(1);
  });

  it('may still be given up on', async () => {
    const { cancel, unary } = unaryDouble();
    const wires = new Wires({ client: { unary } });
    wires.refusal = unimplemented;
    const early = wires.call(small);
    wires.pump();
    early.call.cancel();
    expect((await early).error?.kind).toBe('cancelled');
    expect(cancel).toHaveBeenCalledOnce();
  });

  it('for a method gets calls of that method one by one', async () => {
    const { unary } = unaryDouble();
    const wires = new Wires({ client: { unary } }).open();
    const outcome = await new Promise<RawOutcome>((resolve) => {
      wires.client.call('/other.Service/Method', small, { deadlineMs: Infinity }, resolve);
    });
    expect(outcome.message?.toString()).toBe('one by one');
    wires.clock.advance(1e6);
    expect(wires.client.inFlight).toBe(0);
  });

  const hello = { windowBytes: 1e6, maxFrameBytes: 1e6, maxBatchBytes: 2e6, maxPartialBytes: 1e6 };
  const methods = [inferPath.slice(1)];

  it.each([
    [0, true],
    [2, true],
    [3, false],
  ])('of version %d talks to version 1: %s', async (version, talks) => {
    const { calls, unary } = unaryDouble();
    const wires = new Wires({ handler: echo, client: { unary } });
    wires.mangle = (message, to) =>
      message[2] === frameTypes.HELLO && to === 'toClient'
        ? inEnvelope(encodeHello({ ...hello, version, methods }))
        : message;
    const outcome = wires.call(small);
    wires.pump();
    expect((await outcome).error).toBeUndefined();
    expect(calls).toHaveLength(talks ? 0 : 1);
  });

  it('a client of a version that is too new is told so', async () => {
    const { unary } = unaryDouble();
    const wires = new Wires({ client: { unary } });
    wires.mangle = (message, to) =>
      to === 'toServer' ? inEnvelope(encodeHello({ ...hello, version: 3, methods: [] })) : message;
    wires.client.isConnected();
    const stats = wires.stats.link;
    wires.pump();
    expect(stats.count(9)).toBe(1);
    expect(wires.server).toBeUndefined();
  });

  it('that refuses the version of its client gets calls one by one', async () => {
    const { calls, unary } = unaryDouble();
    const wires = new Wires({ client: { unary } });
    wires.refusal = { code: 9, details: 'the caller speaks version 1 of the link, this server 3', trailers: {} };
    const early = wires.call(small);
    wires.pump();
    expect((await early).error).toBeUndefined();
    expect(calls).toHaveLength(1);
  });

  it('that takes too short frames gets calls one by one', async () => {
    const { calls, unary } = unaryDouble();
    const wires = new Wires({ client: { unary } });
    const short = { ...hello, maxFrameBytes: 192 * 1024 - 1, version: 1, methods };
    wires.mangle = (message, to) => (to === 'toClient' ? inEnvelope(encodeHello(short)) : message);
    const early = wires.call(small);
    wires.pump();
    expect((await early).error).toBeUndefined();
    expect(calls).toHaveLength(1);
  });

  it('that takes too short messages gets calls one by one', async () => {
    const { calls, unary } = unaryDouble();
    const wires = new Wires({ client: { unary }, maxRequestBytes: 10_000 });
    const outcome = wires.call(small);
    wires.pump();
    await outcome;
    expect(calls).toHaveLength(1);
  });
});

describe('what is not of the protocol', () => {
  it.each([
    ['random bytes', Buffer.from('GET / HTTP/1.1')],
    ['an unknown frame', inEnvelope(numberFrame(99, 1))],
    ['a frame that does not end', inEnvelope(numberFrame(frameTypes.PING, 1).subarray(0, -1))],
    ['a frame that is too long', inEnvelope(Buffer.from([frameTypes.PING, 0, 0, 0, 1]))],
    [
      'a second HELLO',
      inEnvelope(
        encodeHello({
          version: 1,
          windowBytes: 1,
          maxFrameBytes: 1,
          maxBatchBytes: 1,
          maxPartialBytes: 1,
          methods: [],
        }),
      ),
    ],
    ['a frame that only the other side sends', inEnvelope(numberFrame(frameTypes.GOAWAY))],
    ['a frame that is too short', message(frame(frameTypes.PING, u8(1, 2, 3)))],
    ['a call of a method that was not offered', message(frame(frameTypes.REQUEST, u32(9), u8(1), u32(0, 0), pairs()))],
  ])('%s ends the link at the server, with one line in the log', async (_what, bytes) => {
    const wires = new Wires().open();
    const lost = wires.call(small);
    wires.pump();
    wires.mangle = (message, to) => (to === 'toServer' ? bytes : message);
    void wires.call(small);
    wires.pump();
    expect((await lost).error).toMatchObject({ kind: 'unavailable', origin: 'lost' });
    const closed = wires.lines.filter(({ text }) => text === 'a link was closed');
    expect(closed).toMatchObject([{ level: 'warn', peer: 'router:1', inFlight: 1 }]);
    expect(wires.core.active.size).toBe(0);
  });

  it('ends the link at the client, fails what was on it, and the next one works', async () => {
    const wires = new Wires({ handler: echo }).open();
    wires.live(2_000);
    wires.mangle = (message, to) => (to === 'toClient' ? Buffer.from('nonsense') : message);
    const lost = wires.call(small);
    wires.pump(6);
    wires.mangle = (message) => message;
    wires.pump();
    expect((await lost).error?.message).toBe(
      'the connection to runtime:1 broke: it does not speak the protocol: a message that is not of the link',
    );
    expect(wires.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    const next = wires.call(small);
    wires.pump();
    expect((await next).error).toBeUndefined();
  });

  it('a number that is in flight twice ends the link', async () => {
    const wires = new Wires().open();
    const lost = wires.call(small);
    wires.pump();
    wires.server!.receive(wires.sent.toServer.at(-1)!);
    wires.pump();
    expect((await lost).error?.origin).toBe('lost');
    expect(wires.lines).toContainEqual(expect.objectContaining({ reason: 'call 1 is in flight already' }));
  });

  it('more than the window ends the link', () => {
    const wires = new Wires({ handler: () => undefined, server: { limits: { windowBytes: 1_000 } } });
    wires.mangle = (message, to) =>
      to === 'toClient' && message[2] === frameTypes.HELLO
        ? inEnvelope(
            encodeHello({
              ...{ version: 1, windowBytes: 1e9, maxFrameBytes: 1e9, maxBatchBytes: 1e9, maxPartialBytes: 1e9 },
              methods: [inferPath.slice(1)],
            }),
          )
        : message;
    for (let index = 0; index < 5; index++) void wires.call(Buffer.alloc(100_000));
    wires.pump(8);
    expect(wires.lines).toContainEqual(expect.objectContaining({ reason: 'more than the window of 1000 bytes' }));
  });
});
