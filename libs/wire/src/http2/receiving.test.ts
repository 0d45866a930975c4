import { describe, expect, it } from 'vitest';
import { RecordingSink, ServerSide } from '../../test/connections.ts';
import {
  data,
  frame,
  goaway,
  headers,
  hello,
  ping,
  priority,
  request,
  requestBlock,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
  word,
} from '../../test/frames.ts';
import { give } from '../../test/given-octets.ts';
import { clientPreface, flags, frameTypes } from './frame-types.ts';

const fields = [':method', 'POST', ':scheme', 'http', ':path', '/'];

describe('the beginning of a connection', () => {
  it('is SETTINGS of the server, whatever comes, and an acknowledgement of those of the client', () => {
    const side = new ServerSide();
    expect(side.read()).toEqual(['SETTINGS', 'WINDOW_UPDATE 0 +16711681']);
    side.write(hello());
    expect(side.read()).toEqual(['SETTINGS ACK']);
    side.write(settingsAck(), request(1));
    expect([side.read(), side.last().block.fields]).toEqual([[], fields]);
  });

  it('is read however it is cut', () => {
    const bytes = Buffer.concat([hello(), settingsAck(), request(1), headers(3), data(3, 'aabbcc', flags.END_STREAM)]);
    for (let size = 1; size < 30; size++) {
      const side = new ServerSide();
      for (let at = 0; at < bytes.length; at += size) give(side.connection, bytes.subarray(at, at + size));
      expect(side.taken.map(({ ended }) => ended)).toEqual([true, false]);
      expect(side.last().sink.data_.toString('hex')).toBe('aabbcc');
      expect(side.last().sink.events.at(-1)).toBe('ended');
    }
  });

  it.each([
    ['HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'PROTOCOL_ERROR'],
    ['a preface that goes wrong at its end', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\rX'), 'PROTOCOL_ERROR'],
    ['another frame before SETTINGS', Buffer.concat([clientPreface, ping()]), 'PROTOCOL_ERROR'],
    ['HEADERS before SETTINGS', Buffer.concat([clientPreface, request(1)]), 'PROTOCOL_ERROR'],
    ['DATA before SETTINGS', Buffer.concat([clientPreface, data(1, '00')]), 'PROTOCOL_ERROR'],
    ['a frame of an unknown kind before SETTINGS', Buffer.concat([clientPreface, frame(0x42, 0, 0)]), 'PROTOCOL_ERROR'],
    ['an acknowledgement before SETTINGS', Buffer.concat([clientPreface, settingsAck()]), 'PROTOCOL_ERROR'],
  ])('is not %s', (_what, bytes, code) => {
    const side = new ServerSide();
    side.read();
    side.write(bytes);
    expect([side.read(), side.port.ended, side.taken]).toEqual([[`GOAWAY ${code}`], true, []]);
  });
});

describe('a frame that ends the connection', () => {
  const long = Buffer.alloc(16_385);
  it.each([
    ['longer than allowed', frame(frameTypes.DATA, 0, 1, long), 'FRAME_SIZE_ERROR'],
    ['longer than allowed, of an unknown kind', frame(0x42, 0, 0, long), 'FRAME_SIZE_ERROR'],
    ['DATA on stream 0', data(0, '00'), 'PROTOCOL_ERROR'],
    ['DATA with padding of its length', data(1, '03 0000', flags.PADDED), 'PROTOCOL_ERROR'],
    ['DATA padded without the length', data(1, '', flags.PADDED), 'FRAME_SIZE_ERROR'],
    ['HEADERS on stream 0', headers(0), 'PROTOCOL_ERROR'],
    ['HEADERS on an even stream', headers(2), 'PROTOCOL_ERROR'],
    ['HEADERS with padding of its length', headers(3, flags.END_HEADERS | flags.PADDED, '01'), 'PROTOCOL_ERROR'],
    ['HEADERS padded without the length', headers(3, flags.END_HEADERS | flags.PADDED, ''), 'FRAME_SIZE_ERROR'],
    [
      'HEADERS without room for a priority',
      headers(3, flags.END_HEADERS | flags.PRIORITY, '00000000'),
      'FRAME_SIZE_ERROR',
    ],
    ['HEADERS that do not decompress', headers(3, flags.END_HEADERS, '80'), 'COMPRESSION_ERROR'],
    ['HEADERS of an open stream that do not decompress', headers(1, flags.END_HEADERS, 'ff'), 'COMPRESSION_ERROR'],
    ['PRIORITY on stream 0', priority(0), 'PROTOCOL_ERROR'],
    ['PRIORITY of four octets on an idle stream', frame(frameTypes.PRIORITY, 0, 9, '00000000'), 'FRAME_SIZE_ERROR'],
    ['RST_STREAM on stream 0', rstStream(0), 'PROTOCOL_ERROR'],
    ['RST_STREAM of three octets', frame(frameTypes.RST_STREAM, 0, 1, '000000'), 'FRAME_SIZE_ERROR'],
    ['RST_STREAM of five octets', frame(frameTypes.RST_STREAM, 0, 1, '0000000000'), 'FRAME_SIZE_ERROR'],
    ['SETTINGS on a stream', frame(frameTypes.SETTINGS, 0, 1), 'PROTOCOL_ERROR'],
    ['SETTINGS of five octets', settings('0000000000'), 'FRAME_SIZE_ERROR'],
    ['an acknowledgement with settings', frame(frameTypes.SETTINGS, flags.ACK, 0, '000100000000'), 'FRAME_SIZE_ERROR'],
    ['SETTINGS_ENABLE_PUSH of 2', settings('0002 00000002'), 'PROTOCOL_ERROR'],
    ['SETTINGS_INITIAL_WINDOW_SIZE of 2^31', settings('0004 80000000'), 'FLOW_CONTROL_ERROR'],
    ['SETTINGS_MAX_FRAME_SIZE of 16,383', settings('0005 00003fff'), 'PROTOCOL_ERROR'],
    ['SETTINGS_MAX_FRAME_SIZE of 2^24', settings('0005 01000000'), 'PROTOCOL_ERROR'],
    ['33 settings', settings('0100 00000000'.repeat(33)), 'ENHANCE_YOUR_CALM'],
    ['PUSH_PROMISE', frame(frameTypes.PUSH_PROMISE, flags.END_HEADERS, 1, '00000002'), 'PROTOCOL_ERROR'],
    ['PING on a stream', frame(frameTypes.PING, 0, 1, '0000000000000000'), 'PROTOCOL_ERROR'],
    ['PING of seven octets', ping(0, '00000000000000'), 'FRAME_SIZE_ERROR'],
    ['PING of nine octets', ping(0, '000000000000000000'), 'FRAME_SIZE_ERROR'],
    ['GOAWAY on a stream', frame(frameTypes.GOAWAY, 0, 1, '0000000000000000'), 'PROTOCOL_ERROR'],
    ['GOAWAY of seven octets', frame(frameTypes.GOAWAY, 0, 0, '00000000000000'), 'FRAME_SIZE_ERROR'],
    ['WINDOW_UPDATE of three octets', frame(frameTypes.WINDOW_UPDATE, 0, 1, '000001'), 'FRAME_SIZE_ERROR'],
    ['WINDOW_UPDATE of five octets', frame(frameTypes.WINDOW_UPDATE, 0, 1, '0000010000'), 'FRAME_SIZE_ERROR'],
    ['WINDOW_UPDATE of 0 on the connection', windowUpdate(0, 0), 'PROTOCOL_ERROR'],
    ['WINDOW_UPDATE beyond 2^31 on the connection', windowUpdate(0, 0x7fff_ffff), 'FLOW_CONTROL_ERROR'],
    ['CONTINUATION without HEADERS', frame(frameTypes.CONTINUATION, flags.END_HEADERS, 1), 'PROTOCOL_ERROR'],
    ['CONTINUATION on stream 0', frame(frameTypes.CONTINUATION, flags.END_HEADERS, 0), 'PROTOCOL_ERROR'],
  ])('is %s', (_what, bytes, code) => {
    const side = ServerSide.begun();
    side.write(headers(1));
    side.write(bytes);
    expect([side.read(), side.port.ended]).toEqual([[`GOAWAY ${code}`], true]);
    expect(side.last().sink.events).toEqual([`aborted ${code} connection`]);
    // What still comes is dropped.
    side.write(ping());
    expect([side.read(), side.connection.isOver]).toEqual([[], true]);
  });

  it('names in GOAWAY the last stream that was taken up, and says why', () => {
    const side = ServerSide.begun();
    side.write(request(1), request(7), ping(0, '00'));
    const [last] = side.frames().slice(-1);
    expect(last!.payload.readUInt32BE(0)).toBe(7);
    expect(last!.payload.toString('utf8', 8)).toBe('PING of 1 octets');
  });
});

describe('a frame that ends its stream', () => {
  it.each([
    ['WINDOW_UPDATE of 0', windowUpdate(1, 0), 'PROTOCOL_ERROR'],
    ['WINDOW_UPDATE beyond 2^31', windowUpdate(1, 0x7fff_ffff), 'FLOW_CONTROL_ERROR'],
    ['PRIORITY of four octets', frame(frameTypes.PRIORITY, 0, 1, '00000000'), 'FRAME_SIZE_ERROR'],
  ])('is %s', (_what, bytes, code) => {
    const side = ServerSide.begun();
    side.write(headers(1), bytes, request(3));
    expect([side.read(), side.over]).toEqual([[`RST_STREAM 1 ${code}`], undefined]);
    expect(side.taken[0]!.sink.events).toEqual([`aborted ${code} here`]);
    expect(side.last().stream.id).toBe(3);
  });

  it('is DATA beyond the window of the stream, which counts for the connection all the same', () => {
    const side = ServerSide.begun({ streamWindow: 65_535, connectionWindow: 200_000 });
    side.write(headers(1));
    for (let count = 0; count < 4; count++) side.write(data(1, Buffer.alloc(16_384)));
    expect(side.read()).toEqual(['RST_STREAM 1 FLOW_CONTROL_ERROR']);
    expect(side.last().sink.data_).toHaveLength(3 * 16_384);
    // What follows is dropped, and given back to the connection.
    for (let count = 0; count < 4; count++) side.write(data(1, Buffer.alloc(16_384)));
    expect(side.read()).toEqual(['WINDOW_UPDATE 0 +114688']);
  });

  it('is nobody else than the one that opens too many', () => {
    const side = ServerSide.begun({ maxConcurrentStreams: 2 });
    side.write(headers(1), headers(3), headers(5), request(7));
    expect(side.read()).toEqual(['RST_STREAM 5 REFUSED_STREAM', 'RST_STREAM 7 REFUSED_STREAM']);
    side.write(data(5, 'aa', flags.END_STREAM), rstStream(1), request(9));
    expect([side.read(), side.taken.map(({ stream }) => stream.id)]).toEqual([[], [1, 3, 9]]);
  });
});

describe('a frame of 16,384 octets', () => {
  it.each([
    ['DATA', data(1, Buffer.alloc(16_384)), 'data 16384'],
    ['DATA with padding', data(1, Buffer.alloc(16_384, 'ff61'.repeat(8192), 'hex'), flags.PADDED), 'data 16128'],
    ['HEADERS', headers(1, flags.END_HEADERS | flags.END_STREAM, Buffer.alloc(16_384, 0x82)), 'headers  end'],
    ['an unknown kind', frame(0x42, 0, 1, Buffer.alloc(16_384)), undefined],
    ['GOAWAY', frame(frameTypes.GOAWAY, 0, 0, Buffer.alloc(16_384)), undefined],
  ])('is taken: %s', (_what, bytes, event) => {
    const side = ServerSide.begun();
    side.write(headers(1), bytes);
    expect([side.last().sink.events.at(-1), side.read(), side.over]).toEqual([event, [], undefined]);
  });
});

describe('a header block', () => {
  it('comes in pieces, with nothing in between', () => {
    const side = ServerSide.begun();
    side.write(
      headers(1, flags.END_STREAM, '83'),
      frame(frameTypes.CONTINUATION, 0, 1, '86'),
      frame(frameTypes.CONTINUATION, 0, 1, ''),
      frame(frameTypes.CONTINUATION, flags.END_HEADERS, 1, '84'),
    );
    expect([side.last().block.fields, side.last().ended]).toEqual([fields, true]);
  });

  it.each([
    ['DATA', data(1)],
    ['HEADERS', headers(3)],
    ['PING', ping()],
    ['SETTINGS', settings()],
    ['PRIORITY', priority(1)],
    ['a frame of an unknown kind', frame(0x42, 0, 1)],
    ['CONTINUATION of another stream', frame(frameTypes.CONTINUATION, flags.END_HEADERS, 3)],
  ])('is not interrupted by %s', (_what, bytes) => {
    const side = ServerSide.begun();
    side.write(headers(1, 0, '83'), bytes);
    expect([side.read(), side.taken]).toEqual([['GOAWAY PROTOCOL_ERROR'], []]);
  });

  it('has padding and a priority around it', () => {
    const side = ServerSide.begun();
    const all = flags.END_HEADERS | flags.PADDED | flags.PRIORITY;
    side.write(headers(1, all, `04 80000000ff ${requestBlock} 00000000`));
    expect([side.last().block.fields, side.read()]).toEqual([fields, []]);
  });

  it('of a stream that was reset is decoded', () => {
    const side = ServerSide.begun();
    side.write(headers(1));
    side.connection.cancel(side.last().stream, 'CANCEL');
    side.write(headers(1, flags.END_HEADERS | flags.END_STREAM, '40 01 61 01 62'));
    side.write(headers(3, flags.END_HEADERS, `${requestBlock} be`));
    expect(side.last().block.fields).toEqual([...fields, 'a', 'b']);
  });

  it('of a stream that is refused is decoded', () => {
    const side = ServerSide.begun({ maxConcurrentStreams: 1 });
    side.write(headers(1), headers(3, flags.END_HEADERS, `${requestBlock} 40 01 61 01 62`), rstStream(1));
    side.write(headers(5, flags.END_HEADERS, `${requestBlock} be`));
    expect(side.last().block.fields).toEqual([...fields, 'a', 'b']);
  });

  it('comes a second time as trailers', () => {
    const side = ServerSide.begun();
    side.write(headers(1), data(1, 'aa'), headers(1, flags.END_HEADERS | flags.END_STREAM, '00 01 61 01 62'));
    expect(side.last().sink.events).toEqual(['data 1', 'headers a b end']);
  });
});

describe('data', () => {
  it('come without their padding, which is given back at once', () => {
    const side = ServerSide.begun({ streamWindow: 65_535, connectionWindow: 65_535 });
    side.write(headers(1), data(1, `05 616263 0000000000`, flags.PADDED | flags.END_STREAM));
    expect([side.last().sink.events, side.last().sink.data_.toString()]).toEqual([['data 3', 'ended'], 'abc']);
    // 9 octets of the window, of which three are data; then padding and nothing else.
    side.write(headers(3));
    expect(side.last().stream.unreturned).toBe(0);
    side.write(data(3, `ff 61 ${'00'.repeat(255)}`, flags.PADDED));
    expect(side.last().stream.unreturned).toBe(256);
    side.write(data(3, '02 0000', flags.PADDED));
    expect([side.last().stream.unreturned, side.last().sink.events, side.over]).toEqual([259, ['data 1'], undefined]);
  });

  it('are given back to the peer when they are consumed, in few frames', () => {
    const side = ServerSide.begun({ streamWindow: 100_000, connectionWindow: 1_000_000 });
    side.write(headers(1));
    const { stream, sink } = side.last();
    side.write(data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)));
    expect(sink.data_).toHaveLength(3 * 16_384);
    for (let count = 0; count < 49; count++) side.connection.consume(stream, 1000);
    expect(side.read()).toEqual([]);
    side.connection.consume(stream, 1000);
    expect(side.read()).toEqual(['WINDOW_UPDATE 1 +50000']);
    // Nothing more is to come of a stream that has ended.
    side.write(data(1, '', flags.END_STREAM));
    side.connection.consume(stream, 90_000);
    expect(side.read()).toEqual([]);
  });

  it('may come up to the default window before our settings are acknowledged', () => {
    const side = new ServerSide({ streamWindow: 1000 });
    side.write(hello(), headers(1), data(1, Buffer.alloc(16_384)));
    expect(side.last().sink.data_).toHaveLength(16_384);
    side.write(settingsAck(), headers(3), data(3, Buffer.alloc(1001)));
    expect(side.read().at(-1)).toBe('RST_STREAM 3 FLOW_CONTROL_ERROR');
  });

  it('are given back to the connection as they come, consumed or not', () => {
    const side = ServerSide.begun({ streamWindow: 1_000_000, connectionWindow: 65_535 });
    side.write(headers(1));
    for (let count = 0; count < 100; count++) side.write(data(1, Buffer.alloc(1000)));
    expect(side.over).toBeUndefined();
    expect(side.read()).toEqual(Array<string>(3).fill('WINDOW_UPDATE 0 +33000'));
  });

  it('that use up the window of their stream keep nothing else from being taken', () => {
    const side = ServerSide.begun({ streamWindow: 65_535 });
    side.write(headers(1), data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)), data(1, Buffer.alloc(16_384)));
    side.write(data(1, Buffer.alloc(16_383)), ping(), settings(), windowUpdate(1, 1000), headers(3));
    expect([side.last().stream.id, side.taken[0]!.stream.receiveWindow]).toEqual([3, 0]);
    side.write(headers(1, flags.END_HEADERS | flags.END_STREAM, '00 01 61 01 62'));
    expect(side.taken[0]!.sink.events.at(-1)).toBe('headers a b end');
    expect(side.read()).toEqual(['PING ACK', 'SETTINGS ACK']);
  });

  it('that say nothing are an end, or a waste', () => {
    const side = ServerSide.begun();
    side.write(headers(1), data(1), data(1, '', flags.END_STREAM));
    expect(side.last().sink.events).toEqual(['ended']);
  });

  it('are dropped when their stream ends while they come', () => {
    const side = ServerSide.begun();
    side.write(headers(1));
    const { stream, sink } = side.last();
    sink.onData = () => side.connection.cancel(stream, 'CANCEL');
    const bytes = data(1, Buffer.alloc(1000), flags.END_STREAM);
    side.write(bytes.subarray(0, 500));
    side.write(bytes.subarray(500), request(3));
    expect(sink.events).toEqual(['data 491', 'aborted CANCEL here']);
    expect([side.read(), side.last().stream.id]).toEqual([['RST_STREAM 1 CANCEL'], 3]);
  });
});

describe('what the peer says of the connection', () => {
  it('is answered: PING with its own octets', () => {
    const side = ServerSide.begun();
    side.write(ping(0, '00112233445566ff'), ping(flags.ACK));
    const got = side.frames();
    expect(got.map(({ flags: flag, payload }) => [flag, payload.toString('hex')])).toEqual([[1, '00112233445566ff']]);
  });

  it('is not known, and ignored: frames, flags and settings', () => {
    const side = ServerSide.begun();
    side.write(frame(0x42, 0xff, 7, 'abcd'), settings('00ff 12345678'), ping(0xfe), request(1));
    expect(side.read()).toEqual(['SETTINGS ACK', 'PING ACK']);
    expect(side.taken).toHaveLength(1);
  });

  it('is an error by a code that is not known, and means what any other does', () => {
    const side = ServerSide.begun();
    side.write(headers(1), headers(3), rstStream(1, 0x1234_5678), goaway(0, 0xffff_ffff));
    expect(side.taken[0]!.sink.events).toEqual(['aborted error code 305419896 peer']);
    side.connection.headers(side.last().stream, [':status', '200'], false, false);
    expect([side.read(), side.over]).toEqual([['HEADERS 3'], undefined]);
  });

  it('has the last of several values of one setting', () => {
    const side = ServerSide.begun();
    side.write(settings('0004 00000001 0004 00000003'), request(1));
    side.connection.data(side.last().stream, undefined, Buffer.from('abcdef'), false);
    expect(side.read()).toEqual(['SETTINGS ACK', 'DATA 1 3 octets']);
  });

  it('has the reserved bit of a stream, of an increment and of a GOAWAY ignored', () => {
    const side = ServerSide.begun();
    const bytes = request(1);
    bytes[5]! |= 0x80;
    side.write(settings('0004 00000000'), bytes, frame(frameTypes.WINDOW_UPDATE, 0, 1, word(0x8000_0003)));
    side.connection.data(side.last().stream, undefined, Buffer.from('abcdef'), false);
    side.write(goaway(0x8000_0000));
    expect([side.read(), side.over]).toEqual([['SETTINGS ACK', 'DATA 1 3 octets'], undefined]);
  });

  it('is that it goes away, and nothing that comes behind it in the same octets is read', () => {
    const side = ServerSide.begun();
    side.write(goaway(), ping(), request(1));
    expect([side.over, side.port.ended, side.taken]).toEqual([{ error: undefined }, true, []]);
    expect(side.read()).toEqual(['GOAWAY NO_ERROR']);
  });

  it('is that it goes away: what is open is finished, and then it ends', () => {
    const side = ServerSide.begun();
    side.write(request(1), goaway());
    expect(side.over).toBeUndefined();
    side.connection.headers(side.last().stream, [':status', '200'], false, true);
    const [answer, last] = side.frames();
    // It is told up to which stream all was taken up, although it is the one that left (RFC 9113, section 6.8).
    expect([answer!.type, last!.type, last!.payload.readUInt32BE(0), side.port.ended]).toEqual([
      ...['HEADERS', 'GOAWAY'],
      1,
      true,
    ]);
    expect(side.over).toEqual({ error: undefined });
  });
});

it('a sink that throws costs its connection, with nothing of the error told', () => {
  const side = ServerSide.begun();
  side.write(headers(1));
  side.last().stream.sink = Object.assign(new RecordingSink(), {
    data: () => {
      throw new TypeError('secret');
    },
  });
  side.write(data(1, 'aa'));
  const [last] = side.frames().slice(-1);
  expect(last!.payload.toString('utf8', 8)).toBe('internal error');
  expect(side.over?.error?.message).toBe('secret');
});
