import { describe, expect, it } from 'vitest';
import { ServerSide } from '../../test/connections.ts';
import { ping, request, rstStream, settings, windowUpdate } from '../../test/frames.ts';
import { Backlog, SharedBacklog } from './backlog.ts';

/** What a message costs beside its octets. */
const each = 128;
const noWindow = settings('0004 00000000');
const wide = [settings('0004 7fffffff'), windowUpdate(0, 0x7000_0000)];

describe('room for answers that wait', () => {
  it('is as much as the limit of the connection, and as one message alone', () => {
    const backlog = new Backlog(1000, new SharedBacklog(100_000));
    expect([backlog.fits(5000), backlog.fits(25_000 - each), backlog.fits(25_001 - each)]).toEqual([true, true, false]);
    backlog.add(400);
    expect([backlog.fits(1000 - 400 - 2 * each), backlog.fits(1001 - 400 - 2 * each)]).toEqual([true, false]);
    backlog.remove(400);
    expect([backlog.octets, backlog.fits(5000)]).toEqual([0, true]);
  });

  it('is for one connection a quarter of what the others leave', () => {
    const shared = new SharedBacklog(4000);
    const [first, second] = [new Backlog(Infinity, shared), new Backlog(Infinity, shared)];
    first.add(600 - each);
    expect([first.fits(400 - each), first.fits(401 - each)]).toEqual([true, false]);
    expect([second.fits(850 - each), second.fits(851 - each)]).toEqual([true, false]);
    second.add(800 - each);
    expect([first.fits(200 - each), first.fits(201 - each)]).toEqual([true, false]);
  });

  it('is left for one more, however many take all that they may', () => {
    const shared = new SharedBacklog(1 << 20);
    for (let count = 1; count <= 10; count++) {
      const hoarder = new Backlog(Infinity, shared);
      while (hoarder.fits(0)) hoarder.add(0);
      expect((1 << 20) - shared.octets).toBeGreaterThanOrEqual((1 << 20) * 0.75 ** count);
    }
    expect(new Backlog(Infinity, shared).fits(10_000)).toBe(true);
  });
});

describe('what waits on a connection', () => {
  const begin = (limit = Infinity, first: readonly Uint8Array[] = [noWindow]) => {
    const shared = new SharedBacklog(10_000_000);
    const backlog = new Backlog(limit, shared);
    const side = ServerSide.begun({}, [], backlog);
    side.write(...first, request(1));
    side.read();
    return { shared, backlog, side, stream: side.last().stream };
  };

  it('counts until its last octet is with the socket, since all of it is kept till then', () => {
    const { shared, backlog, side, stream } = begin();
    side.connection.data(stream, Buffer.alloc(5), Buffer.alloc(1000), true);
    expect([backlog.octets, shared.octets]).toEqual([1000 + each, 1000 + each]);
    side.port.holds = true;
    side.write(windowUpdate(1, 1004));
    expect(backlog.octets).toBe(1000 + each);
    side.connection.sent();
    side.write(windowUpdate(1, 1));
    // The socket has it, and is not done with it.
    expect(backlog.octets).toBe(1000 + each);
    side.connection.sent();
    expect([backlog.octets, shared.octets, side.connection.streamCount]).toEqual([0, 0, 0]);
  });

  it('counts of several messages each until its own end', () => {
    const { backlog, side, stream } = begin();
    side.connection.data(stream, Buffer.alloc(5), Buffer.alloc(95), false);
    side.connection.data(stream, Buffer.alloc(5), Buffer.alloc(0), false);
    side.connection.data(stream, undefined, Buffer.alloc(200), false);
    side.connection.data(stream, undefined, Buffer.alloc(0), true);
    expect(backlog.octets).toBe(295 + 3 * each);
    const left = [99, 1, 4, 1, 199, 1].map((increment) => {
      side.write(windowUpdate(1, increment));
      return backlog.octets;
    });
    expect(left).toEqual([295 + 3 * each, 200 + 2 * each, 200 + 2 * each, 200 + each, 200 + each, 0]);
  });

  it('is nothing where it goes out at once', () => {
    const { backlog, side, stream } = begin(0, wide);
    expect(side.connection.mayWait(stream, 16_384)).toBe(true);
    side.connection.data(stream, Buffer.alloc(5), Buffer.alloc(16_379), false);
    expect(backlog.octets).toBe(0);
    side.connection.data(stream, Buffer.alloc(5), Buffer.alloc(16_380), false);
    // It waits for the socket, and goes out in two frames.
    expect(backlog.octets).toBe(16_380 + each);
    expect(side.read()).toEqual(['DATA 1 16384 octets', 'DATA 1 5 octets', 'DATA 1 16380 octets']);
    expect([backlog.octets, stream.waitingOctets]).toEqual([0, 0]);
  });

  it('is no more when its stream is reset: at once, or as soon as the socket has what was sent of it', () => {
    const idle = begin();
    idle.side.connection.data(idle.stream, undefined, Buffer.alloc(1000), true);
    idle.side.write(rstStream(1));
    expect(idle.backlog.octets).toBe(0);
    const busy = begin(Infinity, [settings('0004 00000064')]);
    busy.side.port.holds = true;
    busy.side.connection.data(busy.stream, undefined, Buffer.alloc(1000), true);
    busy.side.write(rstStream(1));
    expect(busy.backlog.octets).toBe(1000 + each);
    busy.side.connection.sent();
    expect(busy.backlog.octets).toBe(0);
  });

  it('counts until the socket is done, where its stream is reset while that has octets of it and nothing else waits', () => {
    const { backlog, side, stream } = begin(Infinity, [settings('0004 00000064')]);
    side.port.holds = true;
    side.connection.data(stream, undefined, Buffer.alloc(1000), true);
    side.write(ping());
    side.write(rstStream(1));
    expect(backlog.octets).toBe(1000 + each);
    side.connection.sent();
    expect(backlog.octets).toBe(0);
  });

  it('counts while octets of it wait for a socket that is full, also of a stream that is reset', () => {
    const { backlog, side, stream } = begin(Infinity, wide);
    side.port.holds = true;
    side.write(ping());
    side.connection.data(stream, undefined, Buffer.alloc(20_000), true);
    side.write(request(3), rstStream(3));
    expect(backlog.octets).toBe(20_000 + each);
    side.connection.sent();
    expect(backlog.octets).toBe(20_000 + each);
    side.connection.sent();
    expect(backlog.octets).toBe(0);
  });

  it('is nobody’s when the connection is gone', () => {
    const { backlog, shared, side, stream } = begin();
    side.port.holds = true;
    side.write(ping());
    side.connection.data(stream, undefined, Buffer.alloc(1000), true);
    side.connection.close();
    expect(backlog.octets).toBe(1000 + each);
    side.connection.lost(undefined);
    expect([backlog.octets, shared.octets]).toEqual([0, 0]);
    side.connection.sent();
    expect([backlog.octets, shared.octets]).toEqual([0, 0]);
  });
});

it('who reads an answer of 64 MiB slowly gets all of it', () => {
  const side = ServerSide.begun();
  side.write(request(1));
  side.connection.data(side.last().stream, undefined, Buffer.alloc(64 * 1024 * 1024), true);
  let got = 0;
  const read = (): number => {
    const octets = side
      .frames()
      .filter(({ type }) => type === 'DATA')
      .reduce((sum, { payload }) => sum + payload.length, 0);
    got += octets;
    return octets;
  };
  for (let octets = read(); octets > 0 && side.over === undefined; octets = read()) {
    // Half a minute for each window: some 20 kbit/s.
    for (let second = 0; second < 30; second++) {
      side.clock.advance(1000);
      side.connection.tick();
    }
    side.write(windowUpdate(1, octets), windowUpdate(0, octets));
  }
  expect([got, side.over, side.connection.streamCount]).toEqual([64 * 1024 * 1024, undefined, 0]);
});
