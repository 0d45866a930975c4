import { describe, expect, it } from 'vitest';
import { ClientSide, block, requestFields } from '../../test/client-connections.ts';
import { RecordingSink } from '../../test/connections.ts';
import {
  data,
  describe as words,
  frame,
  goaway,
  headers,
  ping,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from '../../test/frames.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { flags, frameTypes } from './frame-types.ts';
import { defaultLimits } from './limits.ts';
import { received, streamStates } from './stream-states.ts';
import type { StreamState } from './stream-states.ts';

const ok = block(':status', '200');
const end = flags.END_HEADERS | flags.END_STREAM;
const answer = (streamId: number, flag: number = flags.END_HEADERS) => headers(streamId, flag, ok);

describe('a client', () => {
  it('begins with the preface and SETTINGS, which want no pushes', () => {
    const frames = new ClientSide().beginning();
    expect(frames.map(words)).toEqual(['SETTINGS', 'WINDOW_UPDATE 0 +16711681']);
    // ENABLE_PUSH 0, MAX_HEADER_LIST_SIZE, INITIAL_WINDOW_SIZE.
    expect(frames[0]!.payload.toString('hex')).toBe('000200000000' + '000600004000' + '000400100000');
  });

  it('acknowledges the SETTINGS of the server behind its own', () => {
    const side = new ClientSide();
    side.write(settings('0003 00000001'));
    expect(side.beginning().map(words)).toEqual(['SETTINGS', 'WINDOW_UPDATE 0 +16711681', 'SETTINGS ACK']);
  });

  it.each([
    ['HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), 'FRAME_SIZE_ERROR'],
    ['another frame before SETTINGS', ping(), 'PROTOCOL_ERROR'],
    ['GOAWAY before SETTINGS', goaway(), 'PROTOCOL_ERROR'],
    ['an acknowledgement before SETTINGS', settingsAck(), 'PROTOCOL_ERROR'],
  ])('does not go on with a server that begins with %s', (_what, bytes, code) => {
    const side = new ClientSide();
    side.write(bytes);
    expect([side.beginning().map(words).at(-1), side.port.ended]).toEqual([`GOAWAY ${code}`, true]);
  });

  it('opens streams with odd numbers that rise, without an end until it is given', () => {
    const side = ClientSide.begun();
    const streams = [side.open(), side.open(true), side.open()].map(({ stream }) => [stream.id, stream.state]);
    expect(streams).toEqual([
      [1, 'open'],
      [3, 'half-closed (local)'],
      [5, 'open'],
    ]);
    const frames = side.frames();
    expect(frames.map(words)).toEqual(['HEADERS 1', 'HEADERS 3 END', 'HEADERS 5']);
    const decoder = new HpackDecoder({ maxListSize: 1000 });
    for (const { payload } of frames) expect(decoder.decode(payload).fields).toEqual(requestFields);
  });

  it('hands over a response as it comes, interim ones and trailers included', () => {
    const side = ClientSide.begun();
    const { sink } = side.open(true);
    side.write(headers(1, flags.END_HEADERS, block(':status', '103')), answer(1), data(1, 'aabb'));
    side.write(headers(1, end, block('grpc-status', '0')));
    const events = ['headers :status 103', 'headers :status 200', 'data 2', 'headers grpc-status 0 end'];
    expect([sink.events, side.connection.streamCount]).toEqual([['sent end', ...events], 0]);
  });

  it('has a response that was whole before the server reset the rest of the request', () => {
    const side = ClientSide.begun();
    const { stream, sink } = side.open();
    side.write(answer(1), data(1, 'aa', flags.END_STREAM), rstStream(1, 0));
    expect(sink.events).toEqual(['headers :status 200', 'data 1', 'ended', 'aborted NO_ERROR peer']);
    side.connection.data(stream, undefined, Buffer.from('more'), true);
    expect(side.read().slice(1)).toEqual([]);
  });

  it('sees any other code of a reset, known or not, and goes on', () => {
    const side = ClientSide.begun();
    const sinks = [side.open().sink, side.open().sink];
    side.write(rstStream(1, 7), rstStream(3, 0x1234_5678));
    expect(sinks.map(({ events }) => events)).toEqual([
      ['aborted REFUSED_STREAM peer'],
      ['aborted error code 305419896 peer'],
    ]);
    expect([side.over, side.connection.hasRoom]).toEqual([undefined, true]);
  });

  it('sends as much as both windows of the server allow', () => {
    const side = ClientSide.begun('0004 00000003');
    const { stream, sink } = side.open();
    side.connection.data(stream, Buffer.from('ab'), Buffer.from('cde'), true);
    expect(side.read()).toEqual(['HEADERS 1', 'DATA 1 2 octets', 'DATA 1 1 octets']);
    side.write(windowUpdate(1, 10));
    expect([side.read(), sink.events]).toEqual([['DATA 1 END 2 octets'], ['sent end']]);
  });
});

describe('the number of streams that a server allows', () => {
  it('is taken for a hundred until it has said', () => {
    const side = new ClientSide();
    for (let count = 0; count < 100; count++) {
      expect(side.connection.hasRoom).toBe(true);
      side.open();
    }
    expect([side.connection.hasRoom, side.connection.mayOpen]).toEqual([false, true]);
    side.write(settings('0003 00000065'));
    expect(side.connection.hasRoom).toBe(true);
    side.open();
    expect(side.connection.hasRoom).toBe(false);
  });

  it('is not exceeded: one at the limit, and one less', () => {
    const side = ClientSide.begun('0003 00000002');
    expect(side.connection.hasRoom).toBe(true);
    side.open();
    expect(side.connection.hasRoom).toBe(true);
    side.open(true);
    expect([side.connection.hasRoom, side.connection.mayOpen]).toEqual([false, true]);
    side.write(answer(3, end));
    expect(side.connection.hasRoom).toBe(true);
  });

  it('may become less than are open, and none', () => {
    const side = ClientSide.begun();
    side.open(true);
    side.open(true);
    side.write(settings('0003 00000001'), answer(1, end));
    expect(side.connection.hasRoom).toBe(false);
    side.write(answer(3, end));
    expect(side.connection.hasRoom).toBe(true);
    side.write(settings('0003 00000000'));
    expect([side.connection.hasRoom, side.over]).toEqual([false, undefined]);
  });
});

describe('a server that goes away', () => {
  it('has those finished that it took, and the others begin elsewhere', () => {
    const side = ClientSide.begun();
    const [one, two, three] = [side.open(true), side.open(true), side.open(true)];
    side.write(goaway(3));
    const refused = 'aborted REFUSED_STREAM peer';
    expect([one.sink.events, three.sink.events]).toEqual([['sent end'], ['sent end', refused]]);
    expect([side.connection.mayOpen, side.connection.hasRoom, side.over]).toEqual([false, false, undefined]);
    side.write(answer(1, end), answer(3, end));
    expect(two.sink.events.at(-1)).toBe('headers :status 200 end');
    expect([side.over, side.port.ended, side.goaways]).toEqual([{ error: undefined }, true, [[0, '']]]);
  });

  it('takes less the second time than it announced', () => {
    const side = ClientSide.begun();
    const [one, two] = [side.open(true), side.open(true)];
    side.write(goaway(0x7fff_ffff));
    expect([one.sink.events, two.sink.events, side.connection.mayOpen]).toEqual([['sent end'], ['sent end'], false]);
    side.write(goaway(1));
    expect([one.sink.events, two.sink.events.at(-1)]).toEqual([['sent end'], 'aborted REFUSED_STREAM peer']);
    expect([side.over, side.goaways.length]).toEqual([undefined, 2]);
  });

  it('gets no stream from those who begin again at once', () => {
    const side = ClientSide.begun();
    const seen: unknown[] = [];
    const look = (): void => void seen.push([side.connection.mayOpen, side.connection.hasRoom]);
    side.onGoaway = look;
    side.open(true, Object.assign(new RecordingSink(), { aborted: look }));
    side.write(goaway(0));
    expect(seen).toEqual([
      [false, false],
      [false, false],
    ]);
    expect([side.over, side.port.ended]).toEqual([{ error: undefined }, true]);
  });

  it('says why, and what else it sends on what it refused is dropped', () => {
    const side = ClientSide.begun();
    side.open(true);
    const { sink } = side.open(true);
    side.read();
    side.write(frame(frameTypes.GOAWAY, 0, 0, Buffer.concat([goaway(1, 0xb).subarray(9), Buffer.from('too many')])));
    expect(side.goaways).toEqual([[0xb, 'too many']]);
    // It is decoded all the same: the table of the next block has it.
    side.write(headers(3, flags.END_HEADERS, '40 01 61 01 62'), data(3, 'aa'));
    side.write(headers(1, end, 'be'));
    expect([side.read(), sink.events.at(-1)]).toEqual([['GOAWAY NO_ERROR'], 'aborted REFUSED_STREAM peer']);
    expect(side.over).toEqual({ error: undefined });
  });
});

describe('a frame of a server that ends the connection', () => {
  it.each([
    ['PUSH_PROMISE', frame(frameTypes.PUSH_PROMISE, flags.END_HEADERS, 1, '00000002 82'), 'PROTOCOL_ERROR'],
    ['PUSH_PROMISE on stream 0', frame(frameTypes.PUSH_PROMISE, flags.END_HEADERS, 0, '00000002'), 'PROTOCOL_ERROR'],
    ['PUSH_PROMISE of an odd stream', frame(frameTypes.PUSH_PROMISE, 4, 1, '00000003 82'), 'PROTOCOL_ERROR'],
    ['PUSH_PROMISE with padding of its length', frame(frameTypes.PUSH_PROMISE, 12, 1, '05 00000002'), 'PROTOCOL_ERROR'],
    ['PUSH_PROMISE that is to be continued', frame(frameTypes.PUSH_PROMISE, 0, 1, '00000002'), 'PROTOCOL_ERROR'],
    ['SETTINGS_ENABLE_PUSH of 1', settings('0002 00000001'), 'PROTOCOL_ERROR'],
    ['HEADERS on an even stream', answer(2), 'PROTOCOL_ERROR'],
    ['HEADERS on a stream that was not opened', answer(3), 'PROTOCOL_ERROR'],
    ['DATA on an even stream', data(2, 'aa'), 'PROTOCOL_ERROR'],
    ['RST_STREAM on a stream that was not opened', rstStream(3), 'PROTOCOL_ERROR'],
    ['WINDOW_UPDATE on an even stream', windowUpdate(4, 1000), 'PROTOCOL_ERROR'],
    ['CONTINUATION without HEADERS', frame(frameTypes.CONTINUATION, flags.END_HEADERS, 1), 'PROTOCOL_ERROR'],
  ])('is %s', (_what, bytes, code) => {
    const side = ClientSide.begun();
    const { sink } = side.open();
    side.read();
    side.write(bytes);
    expect([side.read(), side.port.ended]).toEqual([[`GOAWAY ${code}`], true]);
    expect(sink.events).toEqual([`aborted ${code} connection`]);
    expect([side.connection.mayOpen, side.connection.isOver]).toEqual([false, true]);
  });

  it('is none of these: SETTINGS_ENABLE_PUSH of 0, and PRIORITY of any stream', () => {
    const side = ClientSide.begun();
    side.write(settings('0002 00000000'), priority(2), priority(1));
    expect([side.read(), side.over]).toEqual([['SETTINGS ACK'], undefined]);
  });
});

/** A connection whose stream 1 is in a state, and what that took. */
const reach: Readonly<Record<string, readonly [StreamState, (side: ClientSide) => unknown]>> = {
  idle: ['idle', () => undefined],
  open: ['open', (side) => side.open()],
  'half-closed (local)': ['half-closed (local)', (side) => side.open(true)],
  'half-closed (remote)': ['half-closed (remote)', (side) => [side.open(), side.write(answer(1, end))]],
  'closed by both': ['closed', (side) => [side.open(true), side.write(answer(1, end))]],
  'closed by a reset of the server': ['closed', (side) => [side.open(), side.write(rstStream(1))]],
  'reset here': ['reset', (side) => side.connection.cancel(side.open().stream, 'CANCEL')],
};

const frames = {
  DATA: data(1, 'aa'),
  HEADERS: answer(1, end),
  PRIORITY: priority(1),
  RST_STREAM: rstStream(1),
  PUSH_PROMISE: frame(frameTypes.PUSH_PROMISE, flags.END_HEADERS, 1, '00000002 83'),
  WINDOW_UPDATE: windowUpdate(1, 1000),
  CONTINUATION: frame(frameTypes.CONTINUATION, flags.END_HEADERS, 1, '83'),
} as const;

const cases = Object.entries(reach).flatMap(([name, [state, bring]]) =>
  Object.entries(frames).map(([type, bytes]) => ({ name, state, bring, type: type as keyof typeof frames, bytes })),
);

describe('a frame of a server that arrives on a stream', () => {
  it('has a verdict in every state that a stream of a client can have', () => {
    expect(Object.keys(frames)).toEqual(Object.keys(received.open));
    // A client leaves out no numbers.
    const reached = new Set(Object.values(reach).map(([state]) => state));
    expect(streamStates.filter((state) => !reached.has(state))).toEqual(['skipped']);
  });

  it.each(cases)('$name: $type', ({ state, bring, type, bytes }) => {
    const side = ClientSide.begun();
    let sink = new RecordingSink();
    const open = side.open.bind(side);
    side.open = (ended, given) => {
      const opened = open(ended, given);
      sink = opened.sink;
      return opened;
    };
    bring(side);
    side.read();
    const had = sink.events.length;
    side.write(bytes);
    // To an idle stream of its own a client gets no HEADERS.
    const verdict = state === 'idle' && type === 'HEADERS' ? received.idle.DATA : received[state][type];
    const [got, news] = [side.read(), sink.events.slice(had)];
    if (verdict === 'take') {
      expect([got, side.over, news.length > 0]).toEqual([[], undefined, type !== 'WINDOW_UPDATE']);
    } else if (verdict === 'drop') {
      expect([got, side.over, news]).toEqual([[], undefined, []]);
    } else if ('stream' in verdict) {
      expect([got, side.over]).toEqual([[`RST_STREAM 1 ${verdict.stream}`], undefined]);
      expect(news).toEqual([`aborted ${verdict.stream} here`]);
    } else {
      expect([got, side.port.ended]).toEqual([[`GOAWAY ${verdict.connection}`], true]);
      expect(side.over?.error).toBeDefined();
    }
  });
});

describe('a server that resets', () => {
  const floods = { ...defaultLimits.floods, resets: { burst: 10, perSecond: 0 } };

  it('may do so with every stream that it was given, at whatever rate', () => {
    const side = ClientSide.begun('', { floods });
    for (let count = 0; count < 5000; count++) {
      const { stream, sink } = side.open();
      side.write(rstStream(stream.id));
      expect(sink.events).toEqual(['aborted CANCEL peer']);
    }
    expect([side.over, side.connection.streamCount]).toEqual([undefined, 0]);
  });

  it('may break the protocol on every stream that it was given, too', () => {
    const side = ClientSide.begun('', { floods });
    for (let count = 0; count < 100; count++) {
      const { stream } = side.open();
      side.write(windowUpdate(stream.id, 0));
    }
    expect([side.over, side.connection.streamCount]).toEqual([undefined, 0]);
  });

  it('may not do so again and again', () => {
    const side = ClientSide.begun('', { floods });
    const { stream } = side.open();
    let count = 0;
    while (side.over === undefined && count < 100) {
      side.write(rstStream(stream.id));
      count++;
    }
    expect([side.read().at(-1), count]).toEqual(['GOAWAY ENHANCE_YOUR_CALM', 1 + 10 + 1]);
  });
});

it('interim responses are no flood, unless one stream gets no end of them', () => {
  const floods = { ...defaultLimits.floods, empty: { burst: 10, perSecond: 0 } };
  const side = ClientSide.begun('', { floods });
  for (let count = 0; count < 200; count++) {
    const { stream } = side.open(true);
    side.write(
      headers(stream.id, flags.END_HEADERS, block(':status', '103')),
      answer(stream.id),
      answer(stream.id, end),
    );
  }
  expect(side.over).toBeUndefined();
  const { stream } = side.open(true);
  let count = 0;
  while (side.over === undefined && count < 100) {
    side.write(headers(stream.id, flags.END_HEADERS, block(':status', '103')));
    count++;
  }
  expect([side.read().at(-1), count]).toEqual(['GOAWAY ENHANCE_YOUR_CALM', 8 + 10 + 1]);
});

describe('a client that ends', () => {
  it('takes what its streams still get, and no more of its own', () => {
    const side = ClientSide.begun();
    side.open(true);
    side.connection.drain();
    expect(side.frames().map(words)).toEqual(['HEADERS 1 END', 'GOAWAY NO_ERROR']);
    expect([side.connection.mayOpen, side.over]).toEqual([false, undefined]);
    side.write(answer(1, end));
    expect([side.over, side.port.ended]).toEqual([{ error: undefined }, true]);
  });

  it('tells its streams when the socket goes', () => {
    const side = ClientSide.begun();
    const { sink } = side.open();
    side.connection.lost(undefined);
    expect(sink.events).toEqual(['aborted NO_ERROR connection']);
    expect(side.over?.error?.message).toBe('the connection was closed by the other side');
    expect([side.connection.mayOpen, side.connection.streamCount]).toEqual([false, 0]);
  });
});
