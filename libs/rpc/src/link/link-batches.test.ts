import { FakeClock } from '@sluice/testkit/fake-clock';
import { MethodStats } from '@sluice/telemetry/request-stats';
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  chunkOf,
  failureOf,
  frame,
  framesOf,
  helloOf,
  message,
  requestOf,
  typesOf,
  u32,
  u8,
} from '../../test/link-frames.ts';
import { Wires, mebi, settled } from '../../test/link-wires.ts';
import type { RawCall } from '../handlers.ts';
import { LinkClient } from './client.ts';
import { encodePairs, frameTypes } from './frames.ts';
import { Outgoing } from './outbox.ts';
import { LinkPeer, defaultLimits, maxBatchBytes } from './peer.ts';
import type { PeerOwner } from './peer.ts';
import { ServedLink } from './served-link.ts';

const echo = (bytes: Buffer, call: RawCall): void => call.respond(bytes);
const patient = { pingMs: 1e9, silenceMs: 1e9 };
const kibi = 1024;
/** What a REQUEST without metadata has beside its bytes. */
const requestHead = requestOf(1, 1, u8(1)).length - 1;

/** A link that stands, and nothing sent on it yet. */
function stands(options: ConstructorParameters<typeof Wires>[0] = {}): Wires {
  const wires = new Wires({ client: patient, ...options }).open();
  wires.sent.toServer.length = 0;
  wires.sent.toClient.length = 0;
  return wires;
}

/** The frames of each message, by type and call. */
const shape = (messages: readonly Buffer[]): string[] =>
  messages.map((each) =>
    framesOf([each])
      .map((bytes) => `${bytes[0]}:${bytes.readUInt32LE(5)}`)
      .join(' '),
  );

describe('a message', () => {
  it('leaves at the end of the turn, not within it', async () => {
    const sent: Buffer[] = [];
    const client = new LinkClient({
      ...{ address: 'runtime:1', clock: new FakeClock(), random: { uniform: () => 1 } },
      logger: { info: () => undefined, warn: () => undefined },
      dial: () => ({ send: (each) => void sent.push(each), end: () => undefined, abort: () => undefined }),
    });
    const wires = new Wires();
    const answered: Buffer[] = [];
    const server = new ServedLink(
      { peer: 'router:1', send: (each) => void answered.push(each), end: () => undefined },
      {
        ...{ core: wires.core, methods: [], stats: new MethodStats('Link'), options: {} },
        ...{ maxRequestBytes: mebi, ended: () => undefined },
      },
    );
    client.isConnected();
    server.receive(message(helloOf(1)));
    await Promise.resolve();
    expect([sent, answered]).toEqual([[], []]);
    await settled();
    expect([typesOf(sent), typesOf(answered)]).toEqual([[1], [1]]);
    client.close();
  });

  it('has all that came up while the one before it was being written', () => {
    const wires = stands();
    wires.stuck.toServer = true;
    for (let call = 0; call < 4; call++) {
      void wires.call(u8(1));
      wires.pump();
    }
    wires.stuck.toServer = false;
    wires.pump();
    expect(shape(wires.sent.toServer)).toEqual(['2:1', '2:2 2:3 2:4']);
  });

  it('takes no further frame at 256 KiB, and one more a byte before', () => {
    const half = 128 * kibi - requestHead;
    const [full, almost] = [stands(), stands()];
    for (const [wires, first] of [
      [full, half],
      [almost, half - 1],
    ] as const) {
      void wires.call(Buffer.alloc(first));
      for (const size of [half, 100]) void wires.call(Buffer.alloc(size));
      wires.pump();
    }
    expect(shape(full.sent.toServer)).toEqual(['2:1 2:2', '2:3']);
    expect(shape(almost.sent.toServer)).toEqual(['2:1 2:2 2:3']);
  });

  it('has control frames, small messages in their order, chunks, and small ones again if there is room', () => {
    const wires = stands();
    wires.stuck.toServer = true;
    void wires.call(Buffer.alloc(266 * kibi));
    const given = wires.call(u8(1));
    wires.pump();
    // That is being written, but for 10 KiB of the large one.
    for (let call = 3; call <= 6; call++) void wires.call(Buffer.alloc(60 * kibi));
    given.call.cancel();
    wires.events!.message(message(frame(7, u32(8))));
    wires.stuck.toServer = false;
    wires.pump();
    expect(shape(wires.sent.toServer)).toEqual(['2:2 2:1 6:1', '3:2 8:8 2:3 2:4 2:5 6:1 2:6']);
  });
});

describe('chunks', () => {
  it('are of 128 KiB, from the first byte over that on', () => {
    const wires = stands();
    const large = 128 * kibi + 1;
    void wires.call(Buffer.alloc(128 * kibi), { deadlineMs: Infinity });
    void wires.call(Buffer.alloc(large), { deadlineMs: Infinity });
    wires.pump();
    expect(framesOf(wires.sent.toServer)).toEqual([
      requestOf(1, 128 * kibi, Buffer.alloc(128 * kibi)),
      requestOf(2, large, Buffer.alloc(128 * kibi)),
      chunkOf(2, u8(0)),
    ]);
  });

  it('go of a message that is larger than what the receiver puts together, when no other has begun', async () => {
    const wires = stands({ handler: echo, server: { limits: { maxPartialBytes: 900 * kibi } } });
    const outcomes = [2 * mebi, 2 * mebi].map((size) => wires.call(Buffer.alloc(size)));
    wires.pump();
    for (const outcome of outcomes) expect((await outcome).message).toHaveLength(2 * mebi);
    expect(wires.lines).toEqual([]);
    const calls = framesOf(wires.sent.toServer).map((bytes) => (bytes[0] === 9 ? 0 : bytes.readUInt32LE(5)));
    expect(calls.indexOf(2)).toBeGreaterThan(calls.lastIndexOf(1));
  });

  it('of two messages that are together as large as that go in turn', () => {
    const order: number[] = [];
    const wires = stands({
      handler: (bytes) => order.push(bytes.length),
      server: { limits: { maxPartialBytes: 900 * kibi } },
    });
    for (const size of [600, 300]) void wires.call(Buffer.alloc(size * kibi));
    wires.pump();
    expect(order).toEqual([300 * kibi, 600 * kibi]);
  });
});

/** One side alone, told by a HELLO what may be sent, that keeps what it sends. `take` gives it a message and lets it answer. */
function half(options: { readonly window?: number; readonly limits?: Partial<typeof defaultLimits> } = {}) {
  const sent: Buffer[] = [];
  const arrived: (readonly Buffer[])[] = [];
  const later: (() => void)[] = [];
  const owner: PeerOwner = {
    opened: () => undefined,
    begins: () => true,
    arrived: (_head, pieces) => arrived.push(pieces),
    cancelled: () => undefined,
    goaway: () => undefined,
    heard: () => undefined,
    broken: (fault) => expect.unreachable(fault.message),
  };
  const peer = new LinkPeer({
    ...{ owner, methods: [], maxBatchBytes, keepsPieces: true, monotonic: () => 0 },
    limits: { ...defaultLimits, ...options.limits },
    defer: (fn) => later.push(fn),
    send: (each, done) => void later.push(() => sent.push(each), done),
  });
  const take = (...frames: readonly Buffer[]): void => {
    if (frames.length > 0) peer.receive(message(...frames));
    for (let next = later.shift(); next !== undefined; next = later.shift()) next();
  };
  take(frame(1, u32(1, options.window ?? 1e6, 1e6, 2e6, 1e6), u8(0)));
  return { peer, sent, arrived, take };
}

describe('the window', () => {
  const bytes = Buffer.alloc(1_500);

  it.each([
    ['REQUEST', [requestOf(1, 1_500, bytes)]],
    ['ANSWER', [answerOf(1, 1_500, bytes)]],
    ['FAILURE', [failureOf(1, 14, 'x'.repeat(1_500))]],
    ['CHUNK', [chunkOf(1, bytes)]],
  ])('counts the whole of a %s', (_type, frames) => {
    const { sent, take } = half({ limits: { windowBytes: 4_000 } });
    take(...frames);
    expect(sent).toEqual([message(frame(9, u32(Buffer.concat(frames).length)))]);
  });

  it('does not count frames of other types', () => {
    const { sent, take } = half({ limits: { windowBytes: 4_000 } });
    for (let index = 0; index < 500; index++) take(frame(3, u32(1, 0)), frame(8, u32(1)), frame(9, u32(1)));
    expect(sent).toEqual([]);
  });

  it('is overdrawn by one frame at most, and by none when it is used up', () => {
    const answer = (call: number): Outgoing =>
      new Outgoing(frameTypes.ANSWER, call, 0, encodePairs(undefined), Buffer.alloc(86));
    expect(answerOf(1, 86, Buffer.alloc(86))).toHaveLength(101);
    for (const [window, leave] of [
      [302, 3],
      [303, 3],
      [304, 4],
    ] as const) {
      const { peer, sent, take } = half({ window });
      for (let call = 1; call <= 5; call++) peer.send(answer(call));
      take();
      expect(typesOf(sent)).toEqual(Array.from({ length: leave }, () => 4));
      take(frame(9, u32(500)));
      expect(typesOf(sent)).toHaveLength(5);
    }
  });

  it('of a server is held back while more than 64 MiB of answers wait', () => {
    const answer = Buffer.alloc(8 * mebi);
    /** Bytes that it gave back of 2 MiB of requests, with so many answers under way that its client has no room for. */
    const givenBack = (answers: number): number => {
      const wires = stands({ handler: (request, call) => (request.length === 1 ? call.respond(answer) : undefined) });
      wires.mangle = (each, to) =>
        to === 'toServer' && typesOf([each]).every((type) => type === 9) ? undefined : each;
      for (let call = 0; call < answers; call++) void wires.call(u8(1));
      wires.pump();
      wires.sent.toClient.length = 0;
      for (let call = 0; call < 20; call++) void wires.call(Buffer.alloc(100 * kibi));
      wires.pump();
      const windows = framesOf(wires.sent.toClient).filter(([type]) => type === 9);
      return windows.reduce((sum, each) => sum + each.readUInt32LE(5), 0);
    };
    expect(givenBack(8)).toBeGreaterThan(mebi);
    expect(givenBack(9)).toBe(0);
  });
});

it('requests of more than 256 MiB do not wait at a client: they fail unsent', async () => {
  const wires = stands({ client: { ...patient, maxMessageBytes: 64 * mebi } });
  const large = Buffer.alloc(60 * mebi);
  wires.stuck.toServer = true;
  for (let call = 0; call < 4; call++) void wires.call(large);
  const refused = wires.call(large);
  const taken = wires.call(Buffer.alloc(15 * mebi));
  expect((await refused).error).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
  expect(wires.client.inFlight).toBe(5);
  taken.call.cancel();
  expect((await taken).error?.origin).toBe('local');
});

it('pieces of an answer are copied out of messages that are far larger than they are', () => {
  const { arrived, take } = half();
  // Each comes with 900 KiB that nobody waits for.
  const rest = Array.from({ length: 6 }, () => chunkOf(99, Buffer.alloc(150 * kibi)));
  take(answerOf(1, 30, Buffer.from('pieces of ')), ...rest);
  take(chunkOf(1, Buffer.from('an answer ')), ...rest);
  take(chunkOf(1, Buffer.from('in chunks.')));
  const pieces = arrived[0]!;
  expect(Buffer.concat(pieces).toString()).toBe('pieces of an answer in chunks.');
  // Two of them would hold more than 1 MiB and twice their 30 bytes.
  expect(pieces.map(({ buffer }) => buffer.byteLength > 900 * kibi)).toEqual([true, false, false]);
});
