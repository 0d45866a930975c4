import { describe, expect, it } from 'vitest';
import { ClientSide } from '../../test/client-connections.ts';
import { ServerSide } from '../../test/connections.ts';
import {
  data,
  describe as words,
  headers,
  hello,
  parse,
  ping,
  request,
  settings,
  windowUpdate,
} from '../../test/frames.ts';
import type { Parsed } from '../../test/frames.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { flags } from './frame-types.ts';

/** Flags that we set, by the kind of frame. The others of HEADERS and DATA are for padding and priorities, which nobody here sends. */
const used: Readonly<Record<string, number>> = {
  DATA: flags.END_STREAM,
  HEADERS: flags.END_STREAM | flags.END_HEADERS,
  RST_STREAM: 0,
  SETTINGS: flags.ACK,
  PING: flags.ACK,
  GOAWAY: 0,
  WINDOW_UPDATE: 0,
  CONTINUATION: flags.END_HEADERS,
};

const answer = [':status', '200', 'content-type', 'application/grpc'];
const ofConnection = new Set(['SETTINGS', 'PING', 'GOAWAY']);

/** A server's connection in the course of which every kind of frame is sent. */
function everyKind(): Parsed[] {
  const side = new ServerSide({}, answer);
  side.write(hello(), ping(), request(1), headers(3), headers(5), data(3, Buffer.alloc(16_384)));
  const [one, three, five] = side.taken.map(({ stream }) => stream) as [never, never, never];
  side.connection.headers(one, answer, true, false);
  side.connection.data(one, Buffer.from('head'), Buffer.alloc(100_000), true);
  side.connection.headers(three, ['a', 'x'.repeat(40_000)], false, false);
  side.connection.consume(three, 600_000);
  side.connection.cancel(five, 'CANCEL');
  side.write(windowUpdate(0, 100_000), windowUpdate(1, 100_000));
  side.connection.announceDrain();
  side.connection.drain();
  return side.frames();
}

/** The same of a client, which sends fewer. */
function everyKindOfClient(): Parsed[] {
  const side = new ClientSide();
  const frames = side.beginning();
  const { stream } = side.open();
  side.connection.data(stream, undefined, Buffer.from('a'), false);
  side.write(settings(), ping());
  side.connection.cancel(stream, 'CANCEL');
  side.connection.drain();
  return [...frames, ...side.frames()];
}

describe('frames that are sent', () => {
  it('are of every kind but those that we have no use for', () => {
    expect(new Set(everyKind().map(({ type }) => type))).toEqual(new Set(Object.keys(used)));
  });

  it.each([
    ['a server', everyKind],
    ['a client', everyKindOfClient],
  ])('have no flag and no reserved bit set that has no meaning, of %s', (_whose, frames) => {
    for (const { type, flags: flag, streamId, payload } of frames()) {
      expect([type, flag & ~used[type]!]).toEqual([type, 0]);
      // The highest bit of the stream, and of what stands for a stream or a window in the payload.
      expect([type, streamId < 2 ** 31]).toEqual([type, true]);
      if (type === 'WINDOW_UPDATE' || type === 'GOAWAY') expect([type, payload[0]! < 0x80]).toEqual([type, true]);
    }
  });

  it.each([
    ['a server', everyKind],
    ['a client', everyKindOfClient],
  ])('are on stream 0 or on another as their kind wants it, and of its size, of %s', (_whose, frames) => {
    for (const { type, flags: flag, streamId, payload } of frames()) {
      if (type !== 'WINDOW_UPDATE') expect([type, streamId === 0]).toEqual([type, ofConnection.has(type)]);
      if (type === 'PING') expect(payload).toHaveLength(8);
      if (type === 'RST_STREAM' || type === 'WINDOW_UPDATE') expect(payload).toHaveLength(4);
      if (type === 'SETTINGS') expect(payload.length % 6).toBe(0);
      if (type === 'SETTINGS' && flag === flags.ACK) expect(payload).toHaveLength(0);
    }
  });

  it('are no larger than 16,384 octets unless the peer wants larger ones', () => {
    const sizes = everyKind().map(({ payload }) => payload.length);
    expect(Math.max(...sizes)).toBe(16_384);
  });

  it('do not come between those of a header block', () => {
    const side = ServerSide.begun();
    side.write(settings('0004 00100000'), windowUpdate(0, 1_000_000), request(1), request(3));
    side.read();
    side.port.holds = true;
    const [one, three] = side.taken.map(({ stream }) => stream) as [never, never];
    side.connection.data(three, undefined, Buffer.alloc(600_000), true);
    side.connection.headers(one, [...answer, 'a', 'x'.repeat(40_000)], false, true);
    side.write(ping());
    const frames: Parsed[] = [];
    for (let turns = 0; turns < 10; turns++) frames.push(...side.frames());
    const first = frames.findIndex(({ type }) => type === 'HEADERS');
    const block = frames.slice(first, first + 3).map(({ type, streamId, flags: flag }) => [type, streamId, flag]);
    expect(block).toEqual([
      ['HEADERS', 1, flags.END_STREAM],
      ['CONTINUATION', 1, 0],
      ['CONTINUATION', 1, flags.END_HEADERS],
    ]);
    expect(frames.filter(({ type }) => type === 'DATA').length).toBeGreaterThan(30);
  });
});

describe('the SETTINGS of a server', () => {
  it('say nothing of pushes and of frame sizes, which stay as they are', () => {
    const side = new ServerSide();
    const [first] = side.frames();
    // MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE, INITIAL_WINDOW_SIZE.
    expect([first!.type, first!.payload.toString('hex')]).toEqual([
      'SETTINGS',
      '000300000400' + '000600004000' + '000400100000',
    ]);
  });

  it('are the first that it sends, whatever it hears', () => {
    const side = new ServerSide();
    side.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(parse(side.port.take()).map(words)[0]).toBe('SETTINGS');
  });
});

describe('the settings of a peer', () => {
  it('have the table of header fields emptied before the next block', () => {
    const side = ServerSide.begun({}, answer.slice(2));
    const decoder = new HpackDecoder({ maxListSize: 1000 });
    const blocks: string[] = [];
    for (const streamId of [1, 3, 5, 7]) {
      if (streamId === 5) {
        side.write(settings('0001 00000000'));
        expect(side.read()).toEqual(['SETTINGS ACK']);
        decoder.allowTableSize(0);
      }
      side.write(request(streamId));
      side.connection.headers(side.last().stream, answer, true, true);
      const [frame] = side.frames();
      expect(decoder.decode(frame!.payload).fields).toEqual(answer);
      blocks.push(frame!.payload.subarray(0, 2).toString('hex'));
    }
    // Known by its index the second time; then the update to a size of 0, once.
    expect(blocks).toEqual(['885f', '88be', '2088', '880f']);
    expect(decoder.tableSize).toBe(0);
  });
});
