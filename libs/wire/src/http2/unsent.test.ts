import { describe, expect, it } from 'vitest';
import { ServerSide } from '../../test/connections.ts';
import { frame, headers, parse, ping, request, settings } from '../../test/frames.ts';
import { give } from '../../test/given-octets.ts';
import { Backlog, SharedBacklog } from './backlog.ts';
import { flags, frameTypes } from './frame-types.ts';

const many = (count: number, make: (at: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, at) => make(at));
const numbered = (at: number): Buffer => ping(0, at.toString(16).padStart(16, '0'));
/** Of an answer to a ping. */
const answer = 17;

/** A connection whose socket is full, on which nothing waits. */
function stuck(limits: ConstructorParameters<typeof ServerSide>[0] = {}, backlog?: Backlog): ServerSide {
  const side = ServerSide.begun(limits, [], backlog);
  side.port.holds = true;
  return side;
}

/** Has as many octets wait as header blocks with that make, each of a stream of its own. */
function answerAll(side: ServerSide, octets: number): void {
  for (const { stream } of side.taken.splice(0))
    side.connection.headers(stream, [':status', '200', 'a', 'x'.repeat(octets)], false, true);
}

describe('more than may wait for a peer that does not read', () => {
  it('comes of no chunk: within it is stopped, and gone on behind what the peer has read', () => {
    const side = stuck({ maxUnsent: 10 * answer });
    side.write(...many(40, numbered));
    const got: number[][] = [];
    for (let turns = 0; turns < 10; turns++) got.push(side.frames().map(({ payload }) => payload.readUInt32BE(4)));
    // The first time those that the socket had, and those that had room behind them.
    expect(got.map(({ length }) => length)).toEqual([22, 11, 7, 0, 0, 0, 0, 0, 0, 0]);
    expect(got.flat()).toEqual(Array.from({ length: 40 }, (_, at) => at));
    expect([side.port.paused, side.over]).toEqual([false, undefined]);
  });

  it('leaves no octet out and none behind, however chunks are cut', () => {
    const block = [headers(1, 0, '83'), frame(frameTypes.CONTINUATION, flags.END_HEADERS, 1, '86 84')];
    const bytes = Buffer.concat([...many(15, numbered), ...block, ...many(15, numbered), request(3), settings()]);
    for (let size = 1; size < 60; size++) {
      const side = stuck({ maxUnsent: 3 * answer });
      for (let at = 0; at < bytes.length; at += size) give(side.connection, bytes.subarray(at, at + size));
      const got: string[] = [];
      for (let turns = 0; turns < 20; turns++) got.push(...side.read());
      expect([got.length, got.at(-1), side.taken.length, side.port.paused]).toEqual([31, 'SETTINGS ACK', 2, false]);
    }
  });

  it('is not read on when the connection is over', () => {
    const side = stuck({ maxUnsent: answer });
    side.write(...many(10, numbered), request(1));
    side.connection.close();
    side.write(request(3));
    for (let turns = 0; turns < 5; turns++) side.connection.sent();
    expect([side.read().at(-1), side.taken, side.port.ended]).toEqual(['GOAWAY NO_ERROR', [], true]);
  });

  it('is less where others have what may wait in all, but always 64 KiB', () => {
    const shared = new SharedBacklog(1_000_000);
    const limits = [2, 3, 4, 5, 6, 7].map(() => {
      const side = stuck({}, new Backlog(Infinity, shared));
      for (let at = 0; !side.port.paused; at++) {
        side.write(request(2 * at + 1));
        answerAll(side, 4000);
        // The sixteenth part of a chunk.
        side.write(Buffer.alloc(0));
      }
      return Math.round(side.connection.unsent / 10_000);
    });
    // A quarter of what the others leave.
    expect(limits).toEqual([25, 19, 14, 11, 8, 7]);
    expect(shared.octets).toBeLessThan(1_000_000);
  });
});

describe('what waits for a socket', () => {
  it('counts for its connection and for all, whatever it is, until the socket is done with it', () => {
    const shared = new SharedBacklog(1_000_000);
    const backlog = new Backlog(Infinity, shared);
    const side = stuck({}, backlog);
    side.write(...many(10, numbered));
    expect([shared.octets, backlog.octets]).toEqual([10 * answer, 0]);
    side.write(numbered(0));
    expect(shared.octets).toBe(11 * answer);
    side.connection.sent();
    expect(shared.octets).toBe(answer);
    side.connection.sent();
    expect(shared.octets).toBe(0);
    // In no turn of its own either.
    side.write(ping(), request(1));
    answerAll(side, 5000);
    expect(shared.octets).toBeGreaterThan(answer + 3000);
    side.connection.lost(undefined);
    expect(shared.octets).toBe(0);
  });

  it('counts once where it is of a message that counts already', () => {
    const shared = new SharedBacklog(1_000_000);
    const side = stuck({}, new Backlog(Infinity, shared));
    side.write(settings('0004 00000000'), request(1));
    side.connection.data(side.last().stream, undefined, Buffer.alloc(50_000), true);
    side.connection.sent();
    side.write(settings('0004 0000ffff'));
    const frameHeaders = 5 * 9;
    expect(shared.octets).toBe(50_000 + 128 + frameHeaders);
  });

  it('is trailers too that wait behind data', () => {
    const shared = new SharedBacklog(1_000_000);
    const side = ServerSide.begun({}, [], new Backlog(Infinity, shared));
    side.write(settings('0004 00000000'), request(1), request(3));
    for (const { stream } of side.taken) {
      side.connection.data(stream, undefined, Buffer.from('a'), false);
      side.connection.headers(stream, ['a', 'x'.repeat(1000)], false, true);
    }
    expect(shared.octets).toBe(2 * (1 + 128 + 1001 + 128));
    side.connection.cancel(side.last().stream, 'CANCEL');
    side.connection.sent();
    expect(shared.octets).toBe(1 + 128 + 1001 + 128);
    side.write(settings('0004 00000001'));
    expect([shared.octets, side.connection.streamCount]).toEqual([0, 0]);
  });

  it('leaves less room for messages', () => {
    const shared = new SharedBacklog(4000);
    const [one, other] = [new Backlog(1000, shared), new Backlog(Infinity, shared)];
    one.queue(500);
    expect([one.room, other.room, one.fits(1000 - 500 - 128), one.fits(373)]).toEqual([1000, 875, true, false]);
    one.add(0);
    expect([one.fits(1000 - 500 - 2 * 128), one.fits(1001 - 500 - 2 * 128)]).toEqual([true, false]);
    one.queue(0);
    expect([shared.octets, one.octets]).toEqual([128, 128]);
  });
});

describe('a peer that reads slowly', () => {
  const begin = (): ServerSide => {
    const side = stuck();
    side.write(...many(500, (at) => request(2 * at + 1)));
    answerAll(side, 6000);
    side.write(Buffer.alloc(0));
    return side;
  };

  it('gets what waits in pieces, and has for each the time that all of it had', () => {
    const side = begin();
    const unsent = side.connection.unsent;
    expect(unsent).toBeGreaterThan(2_000_000);
    let pieces = 0;
    for (; side.connection.unsent > 0; pieces++) {
      expect(side.port.take().length).toBeLessThanOrEqual(320 * 1024);
      for (let second = 0; second < 19; second++) {
        side.clock.advance(1000);
        side.connection.tick();
      }
      side.connection.sent();
    }
    // The last is a ping that came behind it.
    expect([pieces, side.over]).toEqual([Math.ceil(unsent / (320 * 1024)) + 1, undefined]);
  });

  it('gets every octet in its order', () => {
    const side = begin();
    const all: Buffer[] = [];
    while (side.connection.unsent > 0) {
      all.push(side.port.take());
      side.connection.sent();
    }
    const frames = parse(Buffer.concat(all));
    expect(frames.map(({ streamId }) => streamId)).toEqual(Array.from({ length: 500 }, (_, at) => 2 * at + 1));
    expect(new Set(frames.map(({ type, payload }) => `${type} ${payload.length}`)).size).toBe(1);
  });

  it('has its socket kept as long as it goes on to read, also behind the end', () => {
    const side = begin();
    let given = 0;
    side.port.destroyAfter = () => {
      given++;
    };
    side.connection.close();
    let pieces = 1;
    for (; !side.port.ended && pieces < 20; pieces++) side.connection.sent();
    // Behind each but the first, of which the end was, and the last two: GOAWAY came behind the others.
    expect([pieces, given]).toEqual([12, 1 + 9]);
  });

  it('is not told that it takes too long with what is not read, nor asked for a sign of life', () => {
    const side = stuck({ maxUnsent: 1000 });
    side.write(...many(200, (at) => request(2 * at + 1)), headers(401, 0, '83'), ping().subarray(0, 4));
    const streams = side.taken.splice(0);
    const answerOne = (): void => {
      side.taken.push(streams.shift()!);
      answerAll(side, 4000);
      side.connection.sent();
    };
    answerOne();
    while (streams.length > 0) {
      // Each second something is read of it, and there is more then.
      answerOne();
      expect(side.port.paused).toBe(true);
      side.clock.advance(1000);
      side.connection.tick();
    }
    expect([side.over, side.read().includes('PING')]).toEqual([undefined, false]);
    for (let turns = 0; turns < 3; turns++) side.connection.sent();
    expect(side.port.paused).toBe(false);
    // Now it has the time that everybody has.
    for (let second = 0; second < 10; second++) {
      expect(side.over).toBeUndefined();
      side.clock.advance(1000);
      side.connection.tick();
    }
    expect(side.over?.error?.message).toBe('a header block that took over 10000 ms');
  });
});
