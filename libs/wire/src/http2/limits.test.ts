import { describe, expect, it } from 'vitest';
import { defaultLimits } from './limits.ts';
import { ServerSide } from '../../test/connections.ts';
import { data, frame, headers, hello, ping, request, rstStream, settings, windowUpdate } from '../../test/frames.ts';
import { flags, frameTypes } from './frame-types.ts';

describe('a header block', () => {
  it('of too many octets ends the connection, in one frame or in many', () => {
    const one = ServerSide.begun({ maxHeaderBlock: 1000 });
    one.write(headers(1, flags.END_HEADERS, Buffer.alloc(1001, 0x82)));
    expect(one.read()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
    const many = ServerSide.begun({ maxHeaderBlock: 1000 });
    many.write(headers(1, 0, Buffer.alloc(600, 0x82)), frame(frameTypes.CONTINUATION, 0, 1, Buffer.alloc(401, 0x82)));
    expect(many.read()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
  });

  it('in too many pieces ends the connection', () => {
    const side = ServerSide.begun();
    side.write(headers(1, 0));
    for (let count = 0; count < 8; count++) side.write(frame(frameTypes.CONTINUATION, 0, 1));
    expect(side.over).toBeUndefined();
    side.write(frame(frameTypes.CONTINUATION, 0, 1));
    expect(side.read()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
  });

  it('that stands for too many fields is given without them', () => {
    const side = ServerSide.begun({ maxHeaderListSize: 4096 });
    side.write(headers(1, flags.END_HEADERS, `40 01 61 7f c11e ${'78'.repeat(4032 - 1)}`.replace('c11e', 'c01e')));
    expect(side.last().block.tooLong).toBe(false);
    side.write(headers(3, flags.END_HEADERS, Buffer.alloc(16_000, 0xbe)));
    expect(side.last().block).toMatchObject({ tooLong: true, fields: [] });
    expect(side.over).toBeUndefined();
  });

  it('with too many fields is given without them', () => {
    const side = ServerSide.begun();
    const most = defaultLimits.maxHeaderFields;
    side.write(headers(1, flags.END_HEADERS, Buffer.alloc(most, 0x82)));
    side.write(headers(3, flags.END_HEADERS, Buffer.alloc(most + 1, 0x82)));
    expect(side.taken.map(({ block }) => [block.tooLong, block.fields.length])).toEqual([
      [false, 2 * most],
      [true, 0],
    ]);
  });
});

describe('a peer that takes too long', () => {
  const over = (side: ServerSide): unknown => [side.read(), side.over?.error?.message];

  it('to begin', () => {
    const side = new ServerSide();
    side.read();
    side.clock.advance(9_999);
    side.connection.tick();
    expect(side.over).toBeUndefined();
    side.connection.receive(hello().subarray(0, 5));
    side.clock.advance(1);
    side.connection.tick();
    expect(over(side)).toEqual([['GOAWAY SETTINGS_TIMEOUT'], 'no SETTINGS within 10000 ms']);
  });

  it('to acknowledge settings', () => {
    const side = new ServerSide();
    side.write(hello(), request(1));
    side.clock.advance(10_000);
    side.connection.tick();
    expect(over(side)).toEqual([
      expect.arrayContaining(['GOAWAY SETTINGS_TIMEOUT']),
      'no acknowledgement of SETTINGS within 10000 ms',
    ]);
  });

  it('to end a header block', () => {
    const side = ServerSide.begun();
    side.write(headers(1, 0));
    for (let second = 0; second < 10; second++) {
      side.clock.advance(1_000);
      side.connection.tick();
      if (second < 9) side.write(frame(frameTypes.CONTINUATION, 0, 1).subarray(second, second + 1));
    }
    expect(over(side)).toEqual([['GOAWAY ENHANCE_YOUR_CALM'], 'a header block that took over 10000 ms']);
  });

  it('to read', () => {
    const side = ServerSide.begun();
    side.port.holds = true;
    side.write(ping());
    side.clock.advance(20_000);
    side.connection.tick();
    expect(side.over?.error?.message).toBe('nothing was read for 20000 ms');
    // GOAWAY comes behind what it did not read; without that there is no end.
    expect(side.port.ended).toBe(false);
    side.connection.sent();
    side.connection.sent();
    expect([side.read(), side.port.ended]).toEqual([['PING ACK', 'GOAWAY ENHANCE_YOUR_CALM'], true]);
  });

  it('to open the window of a stream', () => {
    const side = ServerSide.begun();
    side.write(settings('0004 00000000'), request(1), request(3));
    side.connection.data(side.taken[0]!.stream, undefined, Buffer.from('a'), true);
    side.read();
    for (let second = 0; second < 60; second++) {
      side.clock.advance(1_000);
      side.write(ping());
      side.connection.tick();
    }
    expect(side.read().slice(-2)).toEqual(['PING ACK', 'RST_STREAM 1 ENHANCE_YOUR_CALM']);
    expect([side.over, side.connection.streamCount]).toEqual([undefined, 1]);
  });

  it('to read an answer, of which it allows an octet at a time', () => {
    const side = ServerSide.begun();
    side.write(settings('0004 00000000'), request(1), request(3));
    for (const { stream } of side.taken) side.connection.data(stream, undefined, Buffer.alloc(100_000), true);
    for (let second = 0; second < 60; second++) {
      side.clock.advance(1_000);
      side.write(windowUpdate(1, 68), windowUpdate(3, 69));
      side.connection.tick();
    }
    expect([side.read().at(-1), side.over, side.connection.streamCount]).toEqual([
      'RST_STREAM 1 ENHANCE_YOUR_CALM',
      undefined,
      1,
    ]);
  });

  it('to read has all the time with a stream of small answers', () => {
    const side = ServerSide.begun();
    side.write(settings('0004 00000000'), request(1));
    const { stream } = side.last();
    for (let count = 0; count < 20; count++) {
      side.connection.data(stream, undefined, Buffer.alloc(20), false);
      for (let second = 0; second < 40; second++) {
        side.clock.advance(1_000);
        side.connection.tick();
      }
      side.write(windowUpdate(1, 20));
    }
    expect(side.connection.streamCount).toBe(1);
  });

  it('to say anything is asked for a sign of life', () => {
    const side = ServerSide.begun();
    side.write(headers(1));
    side.clock.advance(59_999);
    side.connection.tick();
    expect(side.read()).toEqual([]);
    side.clock.advance(1);
    side.connection.tick();
    expect(side.read()).toEqual(['PING']);
    side.clock.advance(10_000);
    side.write(ping(flags.ACK));
    side.connection.tick();
    side.clock.advance(60_000);
    side.connection.tick();
    expect(side.read()).toEqual(['PING']);
    side.clock.advance(19_999);
    side.connection.tick();
    expect(side.over).toBeUndefined();
    side.clock.advance(1);
    side.connection.tick();
    expect(over(side)).toEqual([['GOAWAY NO_ERROR'], 'no answer to a ping within 20000 ms']);
    expect(side.last().sink.events).toEqual(['aborted NO_ERROR connection']);
  });

  it('and has no streams is left alone where only calls are worth a ping', () => {
    const side = ServerSide.begun({ keepaliveIdle: false });
    side.clock.advance(60_000);
    side.connection.tick();
    expect(side.read()).toEqual([]);
    side.write(headers(1));
    side.clock.advance(60_000);
    side.connection.tick();
    expect(side.read()).toEqual(['PING']);
  });

  it('with its next stream has to connect again', () => {
    const side = ServerSide.begun({ idleTimeoutMs: 5_000 });
    side.write(headers(1));
    side.clock.advance(6_000);
    side.connection.tick();
    side.write(rstStream(1));
    side.clock.advance(4_999);
    side.connection.tick();
    expect(side.over).toBeUndefined();
    side.clock.advance(1);
    side.connection.tick();
    expect([side.read(), side.over]).toEqual([['GOAWAY NO_ERROR'], { error: undefined }]);
  });

  it('is in use by streams that no look at it finds', () => {
    const side = ServerSide.begun({ idleTimeoutMs: 5_000, keepaliveMs: 60_000 });
    for (let streamId = 1; streamId < 41; streamId += 2) {
      side.write(headers(streamId), rstStream(streamId));
      side.clock.advance(1_000);
      side.connection.tick();
    }
    expect(side.over).toBeUndefined();
  });
});

describe('a peer that takes its time', () => {
  it('with a frame has to end it', () => {
    const side = ServerSide.begun({ headersTimeoutMs: 5_000 });
    side.write(headers(1).subarray(0, 11));
    side.connection.tick();
    side.clock.advance(4_999);
    side.connection.tick();
    expect(side.over).toBeUndefined();
    side.clock.advance(1);
    side.connection.tick();
    expect(side.read()).toEqual(['GOAWAY ENHANCE_YOUR_CALM']);
  });

  it('may always be within some frame', () => {
    const side = ServerSide.begun({ headersTimeoutMs: 2_000, idleTimeoutMs: 60_000 });
    const whole = ping();
    for (let count = 0; count < 20; count++) {
      side.write(count === 0 ? whole.subarray(0, 11) : Buffer.concat([whole.subarray(11), whole.subarray(0, 11)]));
      side.clock.advance(1_000);
      side.connection.tick();
    }
    expect(side.over).toBeUndefined();
  });

  it('with data takes as long as it likes', () => {
    const side = ServerSide.begun({ headersTimeoutMs: 2_000 });
    side.write(headers(1), data(1, '0102030405').subarray(0, 11));
    for (let count = 0; count < 20; count++) {
      side.clock.advance(1_000);
      side.connection.tick();
    }
    expect(side.over).toBeUndefined();
  });
});

describe('a peer that does not read', () => {
  it('has its socket given up behind the last word, which it will not read', () => {
    const side = ServerSide.begun({ writeTimeoutMs: 5_000 });
    side.port.holds = true;
    side.write(ping());
    side.clock.advance(5_000);
    side.connection.tick();
    expect([side.over?.error?.message, side.port.ended]).toEqual([expect.stringMatching(/nothing was read/), false]);
    expect(side.port.destroyed).toBe(true);
  });

  it('is not read either, when too much waits for it', () => {
    const side = ServerSide.begun({ maxUnsent: 100_000 });
    side.write(settings('0004 7fffffff'), windowUpdate(0, 0x7000_0000));
    side.read();
    side.port.holds = true;
    side.write(...Array.from({ length: 20 }, (_, at) => request(2 * at + 1)));
    for (const { stream } of side.taken) side.connection.data(stream, undefined, Buffer.alloc(10_000), true);
    side.write(ping());
    expect(side.port.paused).toBe(true);
    const got = side.read();
    expect([got.length, got.at(-1), side.port.paused, side.connection.streamCount]).toEqual([21, 'PING ACK', false, 0]);
  });
});

describe('a connection that is to stop', () => {
  it('says so, takes what is on its way, and then says what it took', () => {
    const side = ServerSide.begun();
    side.write(headers(1));
    side.connection.announceDrain();
    const [away, probe] = side.frames();
    expect([away!.type, away!.payload.readUInt32BE(0), probe!.type]).toEqual(['GOAWAY', 0x7fff_ffff, 'PING']);
    side.write(request(3), ping(flags.ACK));
    expect(side.taken).toHaveLength(2);
    side.connection.drain();
    expect(side.frames()[0]!.payload.readUInt32BE(0)).toBe(3);
    side.write(request(5), data(5, 'aa'));
    expect([side.read(), side.taken.length]).toEqual([['RST_STREAM 5 REFUSED_STREAM'], 2]);
    side.connection.headers(side.taken[1]!.stream, [':status', '200'], false, true);
    expect([side.read(), side.over]).toEqual([['HEADERS 3 END'], undefined]);
    side.write(rstStream(1));
    expect([side.over, side.port.ended]).toEqual([{ error: undefined }, true]);
  });

  it('decodes and counts all the same what it takes no more', () => {
    const side = ServerSide.begun({ connectionWindow: 65_535 });
    side.write(headers(1));
    side.connection.drain();
    side.read();
    side.write(headers(3, flags.END_HEADERS, '83 86 84 40 01 61 01 62'), data(3, Buffer.alloc(16_384)));
    side.write(data(3, Buffer.alloc(16_384), flags.END_STREAM), headers(1, flags.END_HEADERS | flags.END_STREAM, 'be'));
    expect(side.read()).toEqual(['RST_STREAM 3 REFUSED_STREAM', 'WINDOW_UPDATE 0 +32768']);
    expect(side.last().sink.events).toEqual(['headers a b end']);
  });

  it('ends at once without streams, or when it must', () => {
    const idle = ServerSide.begun();
    idle.connection.drain();
    expect([idle.read(), idle.port.ended]).toEqual([['GOAWAY NO_ERROR'], true]);
    const busy = ServerSide.begun();
    busy.write(headers(1));
    busy.connection.close();
    expect([busy.read(), busy.last().sink.events]).toEqual([['GOAWAY NO_ERROR'], ['aborted NO_ERROR connection']]);
  });

  it('tells its streams when the socket goes', () => {
    const side = ServerSide.begun();
    side.write(headers(1));
    side.connection.lost(new Error('ECONNRESET'));
    expect([side.over?.error?.message, side.last().sink.events]).toEqual([
      'ECONNRESET',
      ['aborted NO_ERROR connection'],
    ]);
    side.connection.lost(undefined);
    side.connection.tick();
    side.connection.drain();
    side.connection.close();
    expect(side.read()).toEqual([]);
  });
});
