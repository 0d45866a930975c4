import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerSide } from '../../test/connections.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { sendable } from './stream-states.ts';
import { describe as words, headers, request, rstStream, settings, windowUpdate } from '../../test/frames.ts';

const ok = [':status', '200', 'content-type', 'application/grpc'];
const trailers = ['grpc-status', '0'];
const repeated = [...ok.slice(2), ...trailers];

/** SETTINGS_INITIAL_WINDOW_SIZE. */
const window = (size: number): Buffer => settings(`0004 ${size.toString(16).padStart(8, '0')}`);

describe('an answer', () => {
  it('is header fields, data and trailers', () => {
    const side = ServerSide.begun({}, repeated);
    for (const streamId of [1, 3]) {
      side.write(request(streamId));
      const { stream } = side.last();
      side.connection.headers(stream, ok, true, false);
      side.connection.data(stream, Buffer.from('head'), Buffer.from('tail'), false);
      side.connection.headers(stream, trailers, true, true);
      const frames = side.frames();
      expect(frames.map(words)).toEqual([
        `HEADERS ${streamId}`,
        `DATA ${streamId} 8 octets`,
        `HEADERS ${streamId} END`,
      ]);
      expect(frames[1]!.payload.toString()).toBe('headtail');
      // The second time each field is an octet.
      if (streamId === 3) expect([frames[0]!.payload.length, frames[2]!.payload.length]).toEqual([2, 1]);
      expect(side.connection.streamCount).toBe(0);
    }
  });

  it('is its end only once', () => {
    const side = ServerSide.begun();
    side.write(request(1));
    const { stream } = side.last();
    side.connection.data(stream, undefined, Buffer.from('a'), true);
    side.connection.data(stream, undefined, Buffer.from('b'), true);
    side.connection.headers(stream, trailers, false, true);
    side.connection.cancel(stream, 'CANCEL');
    expect(side.read()).toEqual(['DATA 1 END 1 octets']);
  });

  it('has header fields in pieces where they are longer than a frame', () => {
    const side = ServerSide.begun();
    side.write(request(1));
    side.connection.headers(side.last().stream, ['a', 'x'.repeat(40_000)], false, true);
    const frames = side.frames();
    expect(frames.map(({ type, flags }) => [type, flags])).toEqual([
      ['HEADERS', 1],
      ['CONTINUATION', 0],
      ['CONTINUATION', 4],
    ]);
  });

  it.each([100, 4096, 8192, 8193, 20_000])(
    'has header fields of its own, however long they are (%i octets)',
    (octets) => {
      const side = ServerSide.begun();
      side.write(request(1), request(3), request(5));
      const values = ['x', 'y', 'z'].map((each) => each.repeat(octets));
      for (const [at, { stream }] of side.taken.entries())
        side.connection.headers(stream, ['a', values[at]!], false, true);
      const got = side.frames().filter(({ type }) => type !== 'SETTINGS');
      const decoder = new HpackDecoder({ maxListSize: 100_000 });
      const blocks = [1, 3, 5].map((id) => got.filter(({ streamId }) => streamId === id).map(({ payload }) => payload));
      expect(blocks.map((pieces) => decoder.decode(Buffer.concat(pieces)).fields)).toEqual(
        values.map((value) => ['a', value]),
      );
    },
  );
});

describe('data that the windows do not allow', () => {
  it('wait for the window of their stream, and trailers behind them', () => {
    const side = ServerSide.begun();
    side.write(window(5), request(1));
    side.read();
    const { stream, sink } = side.last();
    side.connection.headers(stream, ok, false, false);
    side.connection.data(stream, Buffer.from('ab'), Buffer.from('cdefghij'), false);
    side.connection.headers(stream, trailers, false, true);
    expect(side.read()).toEqual(['HEADERS 1', 'DATA 1 2 octets', 'DATA 1 3 octets']);
    side.write(windowUpdate(1, 4));
    expect(side.read()).toEqual(['DATA 1 4 octets']);
    side.write(windowUpdate(1, 100));
    expect(side.read()).toEqual(['DATA 1 1 octets', 'HEADERS 1 END']);
    expect([side.connection.streamCount, sink.events]).toEqual([0, []]);
  });

  it('wait for the window of the connection, and others with them', () => {
    const side = ServerSide.begun();
    side.write(window(1_000_000), request(1), request(3));
    side.read();
    const [one, other] = side.taken as [(typeof side.taken)[0], (typeof side.taken)[0]];
    side.connection.data(one.stream, undefined, Buffer.alloc(65_530), true);
    side.connection.data(other.stream, undefined, Buffer.alloc(10), true);
    expect(side.read().at(-1)).toBe('DATA 3 5 octets');
    side.write(windowUpdate(0, 3));
    expect(side.read()).toEqual(['DATA 3 3 octets']);
    side.write(windowUpdate(0, 3));
    expect(side.read()).toEqual(['DATA 3 END 2 octets']);
  });

  it('wait for a window that was taken back', () => {
    const side = ServerSide.begun();
    side.write(request(1));
    const { stream } = side.last();
    side.connection.data(stream, undefined, Buffer.alloc(60_000), false);
    side.write(window(1000));
    side.connection.data(stream, undefined, Buffer.from('x'), true);
    side.read();
    expect(stream.sendWindow).toBe(1000 - 60_000);
    side.write(windowUpdate(1, 59_000));
    expect(side.read()).toEqual([]);
    side.write(windowUpdate(1, 1));
    expect(side.read()).toEqual(['DATA 1 END 1 octets']);
  });

  it('go on when all streams are allowed more', () => {
    const side = ServerSide.begun();
    side.write(window(1), request(1));
    side.connection.data(side.last().stream, undefined, Buffer.from('abc'), true);
    side.read();
    side.write(window(100));
    expect(side.read()).toEqual(['SETTINGS ACK', 'DATA 1 END 2 octets']);
    side.write(request(3));
    side.connection.data(side.last().stream, undefined, Buffer.from('d'), false);
    side.write(windowUpdate(3, 0x7fff_ff00), settings('0004 00001000'));
    expect(side.read().at(-1)).toBe('GOAWAY FLOW_CONTROL_ERROR');
  });

  it('are forgotten with their stream', () => {
    const side = ServerSide.begun();
    side.write(window(1), request(1), request(3));
    for (const { stream } of side.taken) side.connection.data(stream, undefined, Buffer.from('abc'), true);
    side.read();
    side.write(rstStream(1), windowUpdate(1, 100), windowUpdate(3, 100));
    expect(side.read()).toEqual(['DATA 3 END 2 octets']);
  });

  it('say that they have left', () => {
    const side = ServerSide.begun();
    side.write(window(1), headers(1));
    const { stream, sink } = side.last();
    side.connection.data(stream, undefined, Buffer.from('ab'), false);
    expect(sink.events).toEqual([]);
    side.write(windowUpdate(1, 1));
    expect(sink.events).toEqual(['drained']);
  });
});

describe('a large answer', () => {
  it('is cut into frames as the peer wants them', () => {
    const side = ServerSide.begun();
    side.write(settings('0005 00008000 0004 00100000'), windowUpdate(0, 1_000_000), request(1));
    side.read();
    side.connection.data(side.last().stream, Buffer.from('12345'), Buffer.alloc(70_000), true);
    const sizes = side.frames().map(({ payload }) => payload.length);
    expect(sizes).toEqual([5, 32_768, 32_768, 70_000 - 65_536]);
  });

  it('is cut into frames of 64 KiB, where the peer wants larger ones', () => {
    const side = ServerSide.begun();
    side.write(settings('0005 00ffffff 0004 00100000'), windowUpdate(0, 1_000_000), request(1));
    side.read();
    side.connection.data(side.last().stream, undefined, Buffer.alloc(150_000), true);
    expect(side.frames().map(({ payload }) => payload.length)).toEqual([65_536, 65_536, 150_000 - 131_072]);
  });

  it('takes turns with others, and small ones pass it', () => {
    const side = ServerSide.begun();
    side.write(window(10_000_000), windowUpdate(0, 20_000_000), request(1), request(3), request(5));
    side.read();
    side.port.holds = true;
    const [a, b, c] = side.taken.map(({ stream }) => stream) as [never, never, never];
    side.connection.data(a, undefined, Buffer.alloc(1_000_000), true);
    side.connection.data(b, undefined, Buffer.alloc(1_000_000), true);
    side.connection.data(c, undefined, Buffer.alloc(100), true);
    const streams: number[] = [];
    for (let turns = 0; turns < 20 && side.connection.streamCount > 0; turns++)
      streams.push(...side.frames().map(({ streamId }) => streamId));
    const half = streams.slice(0, streams.length / 2);
    expect(streams.indexOf(5)).toBeLessThan(20);
    expect(half.filter((id) => id === 1).length / half.filter((id) => id === 3).length).toBeLessThan(2.5);
    expect([streams.filter((id) => id === 1).length, streams.filter((id) => id === 3).length]).toEqual([62, 62]);
  });

  it('is not copied', () => {
    const side = ServerSide.begun();
    side.write(window(1_000_000), windowUpdate(0, 1_000_000), request(1));
    side.read();
    const octets = Buffer.alloc(100_000, 7);
    const seen: Buffer[] = [];
    const send = side.port.send.bind(side.port);
    side.port.send = (pieces) => {
      seen.push(...pieces);
      send(pieces);
    };
    side.connection.data(side.last().stream, undefined, octets, true);
    side.frames();
    const shared = seen.filter(({ buffer }) => buffer === octets.buffer);
    expect(shared.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(90_000);
  });
});

it('every octet arrives once and in order, and no window is exceeded, whatever is sent and allowed', () => {
  const message = fc.record({ stream: fc.nat(2), size: fc.nat(60_000) });
  const allowance = fc.record({ to: fc.nat(3), increment: fc.integer({ min: 1, max: 40_000 }) });
  const step = fc.oneof(message, allowance, fc.constant('sent' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 70_000 }), (steps, initial) => {
      const side = ServerSide.begun();
      side.write(window(initial), headers(1), headers(3), headers(5));
      side.read();
      side.port.holds = true;
      const sent = [0, 0, 0];
      const given = [0, 0, 0];
      const windows = [initial, initial, initial];
      let connection = 65_535;
      let value = 0;
      const expected = [Buffer.alloc(0), Buffer.alloc(0), Buffer.alloc(0)];
      const check = (): void => {
        for (const { type, streamId, payload } of side.frames()) {
          expect([type, sendable[side.taken[(streamId - 1) / 2]!.stream.state].has('DATA')]).toEqual(['DATA', true]);
          const at = (streamId - 1) / 2;
          windows[at]! -= payload.length;
          connection -= payload.length;
          expect(Math.min(windows[at]!, connection)).toBeGreaterThanOrEqual(0);
          expect(payload.length).toBeLessThanOrEqual(16_384);
          expect(expected[at]!.subarray(0, payload.length).equals(payload)).toBe(true);
          expected[at] = expected[at]!.subarray(payload.length);
          sent[at]! += payload.length;
        }
      };
      for (const each of steps) {
        if (each === 'sent') check();
        else if ('size' in each) {
          value = (value + 1) % 256;
          given[each.stream]! += each.size;
          const octets = Buffer.alloc(each.size, value);
          expected[each.stream] = Buffer.concat([expected[each.stream]!, octets]);
          side.connection.data(side.taken[each.stream]!.stream, undefined, octets, false);
        } else {
          if (each.to === 3) connection += each.increment;
          else windows[each.to]! += each.increment;
          side.write(windowUpdate(each.to === 3 ? 0 : 2 * each.to + 1, each.increment));
        }
      }
      for (let turns = 0; turns < 30; turns++) check();
      // As much is sent as all windows allow.
      const open = given.map((total, at) => Math.min(total - sent[at]!, windows[at]!));
      expect(connection === 0 || open.every((octets) => octets <= 0)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
