import { describe, expect, it, vi } from 'vitest';
import { Wires, mebi, settled } from '../../test/link-wires.ts';
import type { RawCall } from '../handlers.ts';
import type { LinkFault } from './frames.ts';
import { encodeHello, encodePairs, envelopeBytes, frameTypes, numberFrame, writeEnvelope } from './frames.ts';
import { LinkedRequest } from './linked-request.ts';
import { Outbox, Outgoing } from './outbox.ts';
import { LinkPeer, defaultLimits, maxBatchBytes } from './peer.ts';
import type { PeerOwner } from './peer.ts';

const echo = (message: Buffer, call: RawCall): void => call.respond(message);
const patient = { pingMs: 1e9, silenceMs: 1e9 };
const bytesOn = (messages: readonly Buffer[]): number => messages.reduce((sum, message) => sum + message.length, 0);
const kibi = 1024;

describe('large messages', () => {
  it('use no more than the window either', () => {
    const wires = new Wires({ client: patient, server: { limits: { windowBytes: mebi } } }).open();
    wires.stuck.toClient = true;
    for (let index = 0; index < 4; index++) void wires.call(Buffer.alloc(8 * mebi));
    wires.pump();
    expect(bytesOn(wires.sent.toServer)).toBeGreaterThan(mebi);
    expect(bytesOn(wires.sent.toServer)).toBeLessThan(mebi + 200 * kibi);
  });

  it('have half of what is sent, however many small ones wait', () => {
    const sizes: number[] = [];
    const wires = new Wires({ handler: (message) => sizes.push(message.length) }).open();
    for (let index = 0; index < 1_000; index++) void wires.call(Buffer.alloc(8 * kibi));
    void wires.call(Buffer.alloc(mebi));
    wires.pump();
    expect(sizes).toHaveLength(1_001);
    // A MiB of it goes with a MiB of small ones: 128 of them, and those of the batch that has its end.
    expect(sizes.indexOf(mebi)).toBeGreaterThan(100);
    expect(sizes.indexOf(mebi)).toBeLessThan(180);
  });

  /** The order in which three large messages arrive, the last one the shortest. */
  const orderOf = (wires: Wires, sizes: readonly number[]): number[] => {
    const before = wires.got.length;
    for (const size of sizes) void wires.call(Buffer.alloc(size));
    wires.pump();
    return wires.got.slice(before).map(({ message }) => message.length);
  };
  const [long, short] = [600 * kibi, 200 * kibi];

  it('go in turn as long as the receiver puts so many bytes together', () => {
    const wires = new Wires({ handler: echo, server: { limits: { maxPartialBytes: 900 * kibi } } }).open();
    for (let round = 0; round < 5; round++) {
      expect(orderOf(wires, [long, short])).toEqual([short, long]);
      // 1 KiB too much: the short one waits.
      expect(orderOf(wires, [long, 301 * kibi])).toEqual([long, 301 * kibi]);
    }
    expect([wires.dials, wires.lines]).toEqual([1, []]);
  });

  it('that were given up on the way leave their place to others, on both sides', async () => {
    const wires = new Wires({
      handler: echo,
      client: patient,
      server: { limits: { maxPartialBytes: 900 * kibi } },
    }).open();
    for (let round = 0; round < 5; round++) {
      const given = [wires.call(Buffer.alloc(long)), wires.call(Buffer.alloc(short))];
      wires.pump(1);
      for (const each of given) each.call.cancel();
      await Promise.all(given);
      expect(orderOf(wires, [long, short])).toEqual([short, long]);
    }
    expect([wires.dials, wires.lines]).toEqual([1, []]);
  });

  it('that are answers to calls that were given up leave their place too', async () => {
    const client = { ...patient, limits: { maxPartialBytes: 3 * mebi } };
    const wires = new Wires({ handler: (_, call) => call.respond(Buffer.alloc(2 * mebi)), client }).open();
    for (let round = 0; round < 5; round++) {
      const given = wires.call(Buffer.of(1));
      // The request, and the first batch of its answer.
      wires.pump(4);
      given.call.cancel();
      expect((await given).error?.kind).toBe('cancelled');
      wires.pump();
    }
    const outcome = wires.call(Buffer.of(1));
    wires.pump();
    expect((await outcome).message).toHaveLength(2 * mebi);
    expect([wires.dials, wires.lines]).toEqual([1, []]);
    const moved = bytesOn(wires.sent.toClient);
    expect(moved).toBeGreaterThan(2 * mebi + 5 * 256 * kibi);
    expect(moved).toBeLessThan(6 * mebi);
  });

  it('that are answered before they are whole are not sent on, and leave their place', async () => {
    const limits = { maxPartialBytes: 900 * kibi, windowBytes: 256 * kibi };
    const wires = new Wires({ handler: echo, client: patient, server: { limits } }).open();
    for (let round = 0; round < 3; round++) {
      wires.sent.toServer.length = 0;
      wires.stuck.toClient = true;
      const late = wires.call(Buffer.alloc(850 * kibi), { deadlineMs: Infinity });
      wires.pump();
      // The server's default deadline.
      wires.clock.advance(30_250);
      wires.stuck.toClient = false;
      // Credit for all that had come arrives with the answer.
      wires.pump();
      expect((await late).error).toMatchObject({ kind: 'unavailable', origin: 'answered' });
      expect(bytesOn(wires.sent.toServer)).toBeLessThan(600 * kibi);
      expect(orderOf(wires, [long, short])).toEqual([short, long]);
    }
    expect([wires.dials, wires.lines]).toEqual([1, []]);
  });

  it('that begin where too many have begun end the link', () => {
    const wires = new Wires({ handler: echo, server: { limits: { maxPartialBytes: 300_000 } } });
    wires.mangle = (message, to) => {
      if (to === 'toServer' || message[2] !== frameTypes.HELLO) return message;
      const generous = Buffer.from(message);
      // The fourth limit of HELLO, said to be larger than it is.
      generous.writeUInt32LE(1e9, message.indexOf(Buffer.from(Uint32Array.of(300_000).buffer)));
      return generous;
    };
    for (let index = 0; index < 3; index++) void wires.call(Buffer.alloc(200_000));
    wires.pump(6);
    expect(wires.lines).toContainEqual(
      expect.objectContaining({ text: 'a link was closed', reason: 'messages of 400000 bytes arrive at once' }),
    );
  });
});

describe('a server that has no time left', () => {
  it('answers all that it has, also where its caller gives no credit and a message is under way', async () => {
    const wires = new Wires({ client: { ...patient, limits: { windowBytes: 10 } } }).open();
    const outcomes = Array.from({ length: 20 }, () => wires.call(Buffer.of(1)));
    wires.pump();
    wires.stuck.toClient = true;
    wires.got[0]!.call.respond(Buffer.alloc(1_000));
    wires.got[1]!.call.respond(Buffer.alloc(1_000));
    wires.pump();
    wires.server!.expire();
    wires.stuck.toClient = false;
    wires.pump();
    const origins = (await Promise.all(outcomes)).map(({ error }) => error?.origin);
    expect(origins).toEqual([undefined, undefined, ...Array.from({ length: 18 }, () => 'answered')]);
  });
});

it('a call that was answered is held by nothing until its deadline', async () => {
  const expire = vi.spyOn(LinkedRequest.prototype, 'expire');
  const wires = new Wires({ handler: echo }).open();
  const outcome = wires.call(Buffer.of(1), { deadlineMs: wires.clock.now() + 100 });
  wires.pump();
  await outcome;
  wires.clock.advance(100);
  expect(expire).not.toHaveBeenCalled();
  expire.mockRestore();
});

it('a link that ends with FAILED_PRECONDITION after it stood is opened again', async () => {
  const wires = new Wires({ handler: echo, client: { unary: () => expect.unreachable('calls go over links') } }).open();
  wires.events!.ended({ code: 9, details: 'whatever', trailers: {} });
  wires.clock.advance(1_000);
  wires.pump();
  const outcome = wires.call(Buffer.of(1));
  wires.pump();
  expect((await outcome).error).toBeUndefined();
});

/** One side alone, that keeps what it is told and what it sends. */
function half(limits: Partial<typeof defaultLimits>) {
  const faults: LinkFault[] = [];
  const sent: { readonly message: Buffer; readonly done: () => void }[] = [];
  const owner: PeerOwner = {
    opened: () => undefined,
    begins: () => true,
    arrived: () => undefined,
    cancelled: () => undefined,
    goaway: () => undefined,
    heard: () => undefined,
    broken: (fault) => faults.push(fault),
  };
  const peer = new LinkPeer({
    ...{ owner, methods: [], maxBatchBytes, monotonic: () => 0, defer: (fn) => fn() },
    limits: { ...defaultLimits, ...limits },
    send: (message, done) => void sent.push({ message, done }),
  });
  const receive = (...frames: Buffer[]): void => {
    const body = Buffer.concat(frames);
    const bytes = Buffer.alloc(envelopeBytes(body.length) + body.length);
    bytes.set(body, writeEnvelope(bytes, body.length));
    peer.receive(bytes);
  };
  const hello = { version: 1, windowBytes: 1_000, maxFrameBytes: 1e6, maxBatchBytes: 1e6, maxPartialBytes: 1e6 };
  receive(encodeHello({ ...hello, methods: [] }));
  return { peer, faults, sent, receive };
}

/** Bytes of all WINDOW frames in these messages; each of them has no other frame. */
const givenBack = (sent: readonly { readonly message: Buffer }[]): number =>
  sent.reduce((sum, { message }) => sum + (message[2] === frameTypes.WINDOW ? message.readUInt32LE(7) : 0), 0);

function requestFrame(call: number, total: number, bytes: number): Buffer {
  const outbox: Buffer[] = [];
  const box = new Outbox({
    ...{ chunkBytes: 1e6, batchBytes: 1e6, monotonic: () => 0, defer: (fn) => fn(), onSent: () => undefined },
    send: (message) => void outbox.push(message),
  });
  box.open({ windowBytes: 1e6, maxPartialBytes: 1e6 });
  box.add(new Outgoing(frameTypes.REQUEST, call, 0, encodePairs(undefined), Buffer.alloc(bytes)));
  const frame = Buffer.from(outbox[0]!.subarray(envelopeBytes(bytes + 19)));
  frame.writeUInt32LE(total, 10);
  return frame;
}

describe('credit', () => {
  it('is given back in quarters of the window', () => {
    const { sent, receive, peer } = half({ windowBytes: 1_000 });
    expect(requestFrame(1, 100, 100)).toHaveLength(119);
    receive(requestFrame(1, 100, 100), requestFrame(2, 100, 100));
    expect(givenBack(sent)).toBe(0);
    receive(requestFrame(3, 100, 100));
    expect(givenBack(sent)).toBe(357);
    peer.close();
  });

  it('is held back while too much waits to be sent, and given when that has left', () => {
    const { sent, receive, peer } = half({ windowBytes: 1_000, stallBytes: 2_000 });
    // The first uses up what the other side takes; two wait behind it.
    for (let call = 1; call <= 3; call++)
      peer.send(new Outgoing(frameTypes.ANSWER, call, 0, encodePairs(undefined), Buffer.alloc(1_000)));
    receive(requestFrame(10, 300, 300));
    expect(givenBack(sent)).toBe(0);
    receive(numberFrame(frameTypes.WINDOW, 10_000));
    expect(givenBack(sent)).toBe(0);
    // Nothing arrives any more: the message that leaves makes room.
    for (let index = 0; index < sent.length; index++) sent[index]!.done();
    expect(givenBack(sent)).toBe(319);
    peer.close();
  });
});

describe('a message', () => {
  it.each([
    ['longer than it said', [requestFrame(1, 10, 5), chunk(1, 6)], /call 1 is longer than the 10 bytes/],
    ['with more bytes than it said', [requestFrame(1, 4, 5)], /a message of 5 bytes that was said to have 4/],
    ['that begins twice', [requestFrame(1, 10, 5), requestFrame(1, 10, 5)], /call 1 begins a second message/],
    ['that begins without a byte', [requestFrame(1, 10, 0)], /begins without a byte/],
    ['with an empty chunk', [requestFrame(1, 10, 5), chunk(1, 0)], /a frame of type 6 with 4 bytes/],
  ])('%s is a fault', (_what, frames, reason) => {
    const { faults, receive } = half({});
    receive(...frames);
    expect(faults.map(({ message }) => message)).toEqual([expect.stringMatching(reason)]);
  });

  it('that nobody knows of is thrown away', async () => {
    const { faults, receive } = half({});
    receive(chunk(7, 10));
    await settled();
    expect(faults).toEqual([]);
  });
});

function chunk(call: number, bytes: number): Buffer {
  const frame = Buffer.alloc(9 + bytes);
  frame[0] = frameTypes.CHUNK;
  frame.writeUInt32LE(4 + bytes, 1);
  frame.writeUInt32LE(call, 5);
  return frame;
}
