import { describe, expect, it } from 'vitest';
import { block } from '../../test/client-connections.ts';
import { FakePort } from '../../test/connections.ts';
import { data, describe as inWords, headers, hello, parse, settingsAck } from '../../test/frames.ts';
import { give } from '../../test/given-octets.ts';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { Deadlines } from '../deadlines.ts';
import { Backlog } from '../http2/backlog.ts';
import { flags } from '../http2/frame-types.ts';
import { defaultLimits } from '../http2/limits.ts';
import { ServerConnection } from '../http2/server-connection.ts';
import { accept } from '../server/accept.ts';
import { repeatedFields } from './answering.ts';
import { Inflater } from './inflater.ts';
import { Memory } from './memory.ts';
import { prefixOf } from './message-reader.ts';
import type { CallSink, MessageRoom, ServerCall } from './server-call.ts';

const kibi = 1024;
const frameOctets = 16 * kibi;
const path = '/test/Large';
const fields = block(':method', 'POST', ':scheme', 'http', ':path', path, 'te', 'trailers');
const head = block('content-type', 'application/grpc');

/** Octets of which each can be told from those beside it, and from those of other frames. */
const numbered = (octets: number): Buffer =>
  Buffer.alloc(octets, Buffer.from(Array.from({ length: 251 }, (_, at) => at)));

/** Calls of a method with one request; the test is their client. */
class Calls {
  readonly port = new FakePort();
  readonly memory: Memory;
  readonly messages: Buffer[] = [];
  readonly kept: Buffer[] = [];
  readonly calls: ServerCall[] = [];
  readonly #connection: ServerConnection;

  constructor(sink: Partial<CallSink> = {}, maxBuffered = 64 * kibi * kibi) {
    const clock = new FakeClock();
    this.memory = new Memory(maxBuffered);
    const host = {
      ...{ clock, maxRequestOctets: 64 * kibi * kibi, memory: this.memory, peer: 'test' },
      ...{ deadlines: new Deadlines(clock), inflater: new Inflater(64 * kibi * kibi) },
    };
    const begin = (call: ServerCall): void => {
      this.calls.push(call);
      call.sink = {
        takesOne: true,
        message: (octets) => {
          this.messages.push(octets);
          this.kept.push(call.hold(octets));
        },
        ...{ halfClosed: () => call.finish(0, ''), cancelled: () => undefined, drained: () => undefined },
        ...sink,
      };
    };
    this.#connection = new ServerConnection({
      ...{ port: this.port, clock, limits: defaultLimits, repeated: repeatedFields, backlog: new Backlog() },
      accept: (stream, fieldBlock, ended) =>
        accept(new Map([[path, { begin }]]), host, { connection: this.#connection, stream, block: fieldBlock, ended }),
      closed: () => undefined,
    });
    this.give(hello(), settingsAck());
    this.sent();
  }

  give(...frames: readonly Buffer[]): this {
    give(this.#connection, Buffer.concat(frames));
    return this;
  }

  begin(streamId: number): this {
    return this.give(headers(streamId, flags.END_HEADERS, Buffer.concat([fields, head])));
  }

  /** What was sent since the last time, in words. */
  sent(): string[] {
    this.#connection.sent();
    return parse(this.port.take()).map(inWords);
  }
}

/** A message in frames, the last of which ends its stream where that is asked for. */
function framesOf(streamId: number, message: Buffer, ends = true): Buffer[] {
  const octets = Buffer.concat([prefixOf(message.length), message]);
  const frames: Buffer[] = [];
  for (let at = 0; at < octets.length; at += frameOctets) {
    const isLast = ends && at + frameOctets >= octets.length;
    frames.push(data(streamId, octets.subarray(at, at + frameOctets), isLast ? flags.END_STREAM : 0));
  }
  return frames;
}

describe('the window of a call with one request', () => {
  const updates = (calls: Calls): string[] => calls.sent().filter((frame) => frame.startsWith('WINDOW_UPDATE 1'));

  it('is not opened again for a request that has room in it as it is', () => {
    const calls = new Calls().begin(1);
    const message = numbered(1000 * kibi);
    const seen: string[] = [];
    for (const frame of framesOf(1, message, false)) seen.push(...updates(calls.give(frame)));
    expect([seen, calls.messages[0]!.equals(message)]).toEqual([[], true]);
  });

  it('is opened for a longer one as far as that goes, and always before it is closed', () => {
    const calls = new Calls().begin(1);
    const message = numbered(3 * 1024 * kibi);
    let window = defaultLimits.streamWindow;
    for (const frame of framesOf(1, message)) {
      window -= frame.length - 9;
      expect(window).toBeGreaterThanOrEqual(0);
      for (const update of updates(calls.give(frame))) window += Number(update.split(' ')[2]);
    }
    expect(calls.messages[0]!.equals(message)).toBe(true);
  });

  it('is never closed to a caller that sends more than its one request, so that it can be told', () => {
    for (const octets of [100 * kibi, defaultLimits.streamWindow - 5]) {
      const calls = new Calls({ message: () => undefined }).begin(1);
      let window = defaultLimits.streamWindow;
      for (let count = 0; count < 20; count++)
        for (const frame of framesOf(1, Buffer.alloc(octets), false)) {
          window -= frame.length - 9;
          for (const update of updates(calls.give(frame))) window += Number(update.split(' ')[2]);
          expect(window).toBeGreaterThan(0);
        }
    }
  });

  it('is opened for streams of requests as these are read', () => {
    const calls = new Calls({ takesOne: false }).begin(1);
    const seen: string[] = [];
    for (const frame of framesOf(1, numbered(1000 * kibi), false)) seen.push(...updates(calls.give(frame)));
    expect(seen).toHaveLength(1);
  });
});

describe('memory that was used before', () => {
  const room = (isNew: boolean, given: Buffer[] = []) => ({
    room: (octets: number): MessageRoom => {
      const memory = Buffer.alloc(octets + 100, 0xee);
      given.push(memory);
      return { octets: memory.subarray(0, octets), isNew };
    },
  });

  it('counts as held at once, new memory as octets come, and neither when the message is whole', () => {
    for (const isNew of [true, false]) {
      const message = numbered(50 * kibi);
      const given: Buffer[] = [];
      const calls = new Calls(room(isNew, given)).begin(1);
      const [first, ...others] = framesOf(1, message, false);
      calls.give(first!);
      expect(calls.memory.used).toBe(isNew ? frameOctets - 5 : message.length);
      calls.give(...others);
      // As the one request, until its call goes on.
      expect(calls.memory.used).toBe(message.length);
      calls.give(data(1, '', flags.END_STREAM));
      expect([calls.memory.used, calls.messages[0]!.equals(message)]).toEqual([0, true]);
      expect(calls.messages[0]!.buffer).toBe(given[0]!.buffer);
    }
  });

  it('is not taken where it has no room, and nothing of it counts then', () => {
    const calls = new Calls(room(false), 50 * kibi).begin(1);
    calls.give(framesOf(1, numbered(50 * kibi + 1))[0]!);
    expect([calls.sent().some((frame) => frame.startsWith('HEADERS')), calls.memory.used]).toEqual([true, 0]);
    expect([calls.calls[0]!.isOver, calls.messages]).toEqual([true, []]);
  });

  it('is given back to the bound with its call, whatever ends that', () => {
    for (const isNew of [true, false]) {
      const calls = new Calls(room(isNew)).begin(1);
      calls.give(framesOf(1, numbered(50 * kibi))[0]!);
      calls.calls[0]!.refuse(13, 'enough');
      expect(calls.memory.used).toBe(0);
    }
  });
});

describe('a small request', () => {
  it('shares memory where its caller ends with it, and has its own where the caller may take its time', () => {
    const calls = new Calls();
    const small = numbered(300);
    const framed = Buffer.concat([prefixOf(small.length), small]);
    calls.begin(1).give(data(1, framed, flags.END_STREAM));
    calls.begin(3).give(data(3, framed));
    expect(calls.kept.map((octets) => octets.equals(small))).toEqual([true, true]);
    expect(calls.kept[0]).toBe(calls.messages[0]);
    expect(calls.kept[0]!.buffer.byteLength).toBeGreaterThan(16 * kibi);
    expect(calls.kept[1]!.buffer.byteLength).toBe(small.length);
    // Padding may be followed by more of the frame.
    const padded = Buffer.concat([Buffer.from([3]), framed, Buffer.alloc(3)]);
    calls.begin(5).give(data(5, padded, flags.END_STREAM | flags.PADDED));
    expect([calls.kept[2]!.equals(small), calls.kept[2]!.buffer.byteLength]).toEqual([true, small.length]);
  });
});
