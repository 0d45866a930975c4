import { describe, expect, it } from 'vitest';
import { ServerSide } from '../../test/connections.ts';
import { data, frame, headers, priority, request, rstStream, windowUpdate } from '../../test/frames.ts';
import { flags, frameTypes } from './frame-types.ts';
import { received, sendable, streamStates } from './stream-states.ts';
import type { StreamState } from './stream-states.ts';

/** A connection whose stream 1 is in a state, and what that took. */
const reach: Readonly<Record<string, readonly [StreamState, (side: ServerSide) => void]>> = {
  idle: ['idle', () => undefined],
  open: ['open', (side) => side.write(headers(1))],
  'half-closed (local)': [
    'half-closed (local)',
    (side) => {
      side.write(headers(1));
      side.connection.headers(side.last().stream, [':status', '200'], false, true);
    },
  ],
  'half-closed (remote)': ['half-closed (remote)', (side) => side.write(request(1))],
  'closed by both': [
    'closed',
    (side) => {
      side.write(request(1));
      side.connection.headers(side.last().stream, [':status', '200'], false, true);
    },
  ],
  'closed by a reset of the peer': ['closed', (side) => side.write(headers(1), rstStream(1))],
  'closed since a higher one was opened': ['skipped', (side) => side.write(request(3))],
  'reset here': [
    'reset',
    (side) => {
      side.write(headers(1));
      side.connection.cancel(side.last().stream, 'CANCEL');
    },
  ],
};

const frames = {
  DATA: data(1, 'aa'),
  HEADERS: headers(1, flags.END_HEADERS | flags.END_STREAM),
  PRIORITY: priority(1),
  RST_STREAM: rstStream(1),
  PUSH_PROMISE: frame(frameTypes.PUSH_PROMISE, flags.END_HEADERS, 1, '00000002 83'),
  WINDOW_UPDATE: windowUpdate(1, 1000),
  CONTINUATION: frame(frameTypes.CONTINUATION, flags.END_HEADERS, 1, '83'),
} as const;

const cases = Object.entries(reach).flatMap(([name, [state, bring]]) =>
  Object.entries(frames).map(([type, bytes]) => ({ name, state, bring, type: type as keyof typeof frames, bytes })),
);

/** Tables are compared with what happens below. That the tables say what the RFC does where it leaves no choice is said here. */
describe('RFC 9113 has it', () => {
  const fault = { connection: 'PROTOCOL_ERROR' };
  const streamClosed = { stream: 'STREAM_CLOSED' };

  it('that an idle stream begins with HEADERS, and with nothing else', () => {
    const { HEADERS, PRIORITY, ...others } = received.idle;
    expect([HEADERS, PRIORITY]).toEqual(['take', 'drop']);
    for (const verdict of Object.values(others)) expect(verdict).toEqual(fault);
    expect([...sendable.idle]).toEqual(['HEADERS']);
  });

  it('that behind its end the peer sends nothing that has a meaning', () => {
    const state = received['half-closed (remote)'];
    expect([state.DATA, state.HEADERS]).toEqual([streamClosed, streamClosed]);
    expect([state.WINDOW_UPDATE, state.RST_STREAM]).toEqual(['take', 'take']);
    expect([...sendable['half-closed (local)']].sort()).toEqual(['RST_STREAM', 'WINDOW_UPDATE']);
  });

  it('that on a stream that is over nothing is sent, and what was on its way is no fault', () => {
    for (const state of ['closed', 'skipped', 'reset'] as const) {
      expect([received[state].WINDOW_UPDATE, received[state].RST_STREAM]).toEqual(['drop', 'drop']);
      expect(sendable[state].size).toBe(0);
    }
    expect([received.reset.DATA, received.reset.HEADERS]).toEqual(['drop', 'drop']);
    // Here it leaves a choice, and the code.
    const closed = { connection: 'STREAM_CLOSED' };
    expect([received.closed.DATA, received.closed.HEADERS, received.skipped.DATA]).toEqual([closed, closed, closed]);
    expect(received.skipped.HEADERS).toEqual(fault);
  });

  it('that a stream that is open takes what there is, that priorities are no fault anywhere, and pushes a fault where nobody wants any', () => {
    for (const state of ['open', 'half-closed (local)'] as const) {
      const { DATA, HEADERS, RST_STREAM, WINDOW_UPDATE } = received[state];
      expect([DATA, HEADERS, RST_STREAM, WINDOW_UPDATE]).toEqual(['take', 'take', 'take', 'take']);
    }
    for (const { PRIORITY, PUSH_PROMISE, CONTINUATION } of Object.values(received))
      expect([PRIORITY, PUSH_PROMISE, CONTINUATION]).toEqual(['drop', fault, fault]);
  });
});

describe('a frame that arrives on a stream', () => {
  it('has a verdict in every state', () => {
    expect(Object.keys(received)).toEqual([...streamStates]);
    for (const row of Object.values(received)) expect(Object.keys(row)).toEqual(Object.keys(frames));
    expect(new Set(Object.values(reach).map(([state]) => state))).toEqual(new Set(streamStates));
  });

  it.each(cases)('$name: $type', ({ state, bring, type, bytes }) => {
    const side = ServerSide.begun();
    bring(side);
    side.read();
    const before = side.taken.length;
    const events = side.taken.at(-1)?.sink.events;
    const had = events?.length ?? 0;
    side.write(bytes);
    const verdict = received[state][type];
    const got = side.read();
    if (verdict === 'take') {
      expect([got, side.over]).toEqual([[], undefined]);
      const news = side.taken.length > before || (events?.length ?? 0) > had;
      expect(news).toBe(type !== 'WINDOW_UPDATE');
    } else if (verdict === 'drop') {
      expect([got, side.over, side.taken.length]).toEqual([[], undefined, before]);
      expect(events?.length ?? 0).toBe(had);
    } else if ('stream' in verdict) {
      expect([got, side.over]).toEqual([[`RST_STREAM 1 ${verdict.stream}`], undefined]);
      expect(events?.at(-1)).toBe(`aborted ${verdict.stream} here`);
    } else {
      expect(got).toEqual([`GOAWAY ${verdict.connection}`]);
      expect([side.port.ended, side.over?.error?.message]).toEqual([true, expect.stringContaining(type)]);
    }
  });
});

describe('the numbers of streams', () => {
  it('may leave out some, which nobody may come back to', () => {
    const side = ServerSide.begun();
    side.write(request(5), request(7), request(13));
    for (const streamId of [1, 3, 9, 11]) {
      const other = ServerSide.begun();
      other.write(request(5), request(7), request(13), request(streamId));
      expect([other.read(), other.taken.length]).toEqual([['GOAWAY PROTOCOL_ERROR'], 3]);
    }
    // It was there, if next to a gap.
    side.write(rstStream(7), request(7));
    expect(side.read()).toEqual(['GOAWAY STREAM_CLOSED']);
  });

  it('are remembered as left out up to a bound', () => {
    const side = ServerSide.begun();
    for (let at = 0; at < 70; at++) side.write(headers(4 * at + 3), rstStream(4 * at + 3));
    side.write(request(1));
    expect(side.read()).toEqual(['GOAWAY STREAM_CLOSED']);
  });
});

describe('a frame that is to be sent on a stream', () => {
  it.each(Object.entries(reach).filter(([name]) => name !== 'idle'))('%s', (name, [state, bring]) => {
    const side = ServerSide.begun();
    bring(side);
    side.read();
    // Of a stream that was never taken up there is nothing to send on.
    if (name.startsWith('closed since')) return;
    const { stream } = side.last();
    const { connection } = side;
    const may = (type: 'DATA' | 'HEADERS' | 'RST_STREAM') => sendable[state].has(type);
    connection.data(stream, undefined, Buffer.from('x'), false);
    expect(side.read()).toEqual(may('DATA') ? ['DATA 1 1 octets'] : []);
    connection.headers(stream, ['a', 'b'], false, false);
    expect(side.read()).toEqual(may('HEADERS') ? ['HEADERS 1'] : []);
    connection.consume(stream, 600_000);
    expect(side.read().length > 0).toBe(sendable[state].has('WINDOW_UPDATE'));
    connection.cancel(stream, 'CANCEL');
    expect(side.read()).toEqual(may('RST_STREAM') ? ['RST_STREAM 1 CANCEL'] : []);
  });
});
