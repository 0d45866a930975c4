import { describe, expect, it } from 'vitest';
import { block } from '../../test/client-connections.ts';
import { ServerSide } from '../../test/connections.ts';
import {
  data,
  frame,
  goaway,
  headers,
  ping,
  priority,
  request,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from '../../test/frames.ts';
import { flags } from './frame-types.ts';
import { defaultLimits } from './limits.ts';
import type { ConnectionLimits } from './limits.ts';

const tight = { burst: 10, perSecond: 10 };
const floods = {
  ...defaultLimits.floods,
  resets: tight,
  pings: tight,
  settings: tight,
  priorities: tight,
  goaways: tight,
  empty: tight,
};

describe('a flood', () => {
  it.each<[string, (at: number) => Buffer]>([
    [
      'streams that are reset as soon as they are opened',
      (at) => Buffer.concat([request(2 * at + 3), rstStream(2 * at + 3)]),
    ],
    ['streams that provoke a reset', (at) => Buffer.concat([headers(2 * at + 3), windowUpdate(2 * at + 3, 0)])],
    ['pings', () => ping()],
    ['answers to pings that nobody asked for', () => ping(flags.ACK)],
    ['settings', () => settings()],
    ['acknowledgements of settings', () => settingsAck()],
    ['priorities', () => priority(1)],
    ['DATA without data', () => data(1)],
    ['DATA padded with nothing', () => data(1, '00', flags.PADDED)],
    ['DATA of padding alone', () => data(1, '03 000000', flags.PADDED)],
    ['frames of unknown kinds', () => frame(0x42, 0, 0)],
    ['GOAWAY', () => goaway()],
    ['windows that open by an octet', () => windowUpdate(1, 1)],
    ['the same of the connection', () => windowUpdate(0, 1)],
  ])('of %s ends its connection', (_what, bytes) => {
    const side = ServerSide.begun({ floods });
    side.write(headers(1));
    let count = 0;
    while (side.over === undefined && count < 100) side.write(bytes(count++));
    expect([side.read().at(-1), side.port.ended]).toEqual(['GOAWAY ENHANCE_YOUR_CALM', true]);
    expect(count).toBeLessThanOrEqual(11);
  });

  it('is none that comes at the pace that is allowed', () => {
    const side = ServerSide.begun({ floods });
    for (let count = 0; count < 200; count++) {
      side.write(ping());
      side.clock.advance(101);
    }
    expect(side.over).toBeUndefined();
    // What was forgiven is: then as many may come in a row again, and no more.
    side.clock.advance(10_000);
    for (let count = 0; count < 9; count++) side.write(ping());
    expect(side.over).toBeUndefined();
    for (let count = 0; count < 9; count++) side.write(ping());
    expect(side.over?.error?.message).toBe('too many frames (pings): 10, and 10 a second');
    // Exactly what clients of gRPC look for.
    expect(side.frames().at(-1)?.payload.toString('latin1', 8)).toBe('too_many_pings');
  });

  it.each<[string, () => Buffer]>([
    ['pings', () => ping()],
    ['windows that open by an octet', () => windowUpdate(0, 1)],
  ])('of %s is none where each answers to what was sent', (_what, bytes) => {
    const side = ServerSide.begun({ floods });
    side.write(headers(1));
    const { stream } = side.last();
    side.connection.headers(stream, [':status', '200'], false, false);
    for (let count = 0; count < 100; count++) {
      side.connection.data(stream, undefined, Buffer.from('answer'), false);
      side.write(bytes(), bytes(), bytes());
    }
    expect(side.over).toBeUndefined();
    for (let count = 0; count < 20; count++) side.write(bytes());
    expect(side.read().at(-1)).toBe('GOAWAY ENHANCE_YOUR_CALM');
  });

  it('of small windows is one where the same answer goes out octet by octet', () => {
    const side = ServerSide.begun({ floods });
    side.write(settings('0004 00000000'), headers(1));
    const { stream } = side.last();
    side.connection.headers(stream, [':status', '200'], false, false);
    side.connection.data(stream, undefined, Buffer.alloc(1000), false);
    let count = 0;
    while (side.over === undefined && count < 1000) {
      side.write(windowUpdate(1, 1));
      count++;
    }
    // Six for its header block and its data, three for each of its first 64 octets, and ten at once.
    expect([side.read().at(-1), count]).toEqual(['GOAWAY ENHANCE_YOUR_CALM', 6 + 3 * 64 + 10 + 1]);
  });

  it.each([1, 7, 63, 100, 65_535])(
    'is none where a client reads many small answers and opens both windows by each frame of them (window %i)',
    (window) => {
      const side = ServerSide.begun({ floods });
      side.write(settings(`0004 ${window.toString(16).padStart(8, '0')}`));
      let count = 0;
      for (let streamId = 1; streamId < 100; streamId += 2) {
        side.write(headers(streamId));
        const { stream } = side.last();
        side.connection.headers(stream, [':status', '200'], false, false);
        for (let octets = 0; octets < 40; octets++)
          side.connection.data(stream, Buffer.alloc(5), Buffer.alloc(octets), false);
        for (let frames = side.frames(); frames.length > 0; frames = side.frames())
          for (const { type, payload } of frames) {
            count++;
            if (type === 'DATA') side.write(windowUpdate(streamId, payload.length), windowUpdate(0, payload.length));
          }
        side.connection.headers(stream, ['grpc-status', '0'], false, true);
        side.write(data(streamId, '', flags.END_STREAM));
      }
      expect([side.over, side.connection.streamCount]).toEqual([undefined, 0]);
      // Who gets nothing any more answers to what came before, and then to nothing.
      const small = windowUpdate(0, 1);
      for (let left = 6 * count; side.over === undefined && left > 0; left--) side.write(small);
      expect(side.read().at(-1)).toBe('GOAWAY ENHANCE_YOUR_CALM');
    },
  );

  it('of streams beyond the limit ends the connection', () => {
    const side = ServerSide.begun({ floods, maxConcurrentStreams: 1 });
    side.write(headers(1));
    for (let at = 0; at < 20 && side.over === undefined; at++) side.write(headers(2 * at + 3));
    expect(side.read().at(-1)).toBe('GOAWAY ENHANCE_YOUR_CALM');
  });
});

describe('what comes on a stream that was reset here', () => {
  const begin = (limits: Partial<ConnectionLimits> = {}): ServerSide => {
    const side = ServerSide.begun({ floods, streamWindow: 65_535, ...limits });
    side.write(headers(1));
    side.connection.cancel(side.last().stream, 'CANCEL');
    return side;
  };
  /** How many frames it takes until the connection ends. */
  const until = (side: ServerSide, bytes: Uint8Array): number => {
    let count = 0;
    while (side.over === undefined && count < 10_000) {
      side.write(bytes);
      count++;
    }
    return count;
  };

  it('is no flood up to the window that its peer had, with trailers behind it', () => {
    const side = begin({ floods: { ...floods, empty: { burst: 0, perSecond: 0 } } });
    for (let left = 65_535; left > 0; left -= 16_384) side.write(data(1, Buffer.alloc(Math.min(left, 16_384))));
    side.write(headers(1, flags.END_HEADERS | flags.END_STREAM, block('a', 'b')));
    expect([side.over, side.read().at(0)]).toEqual([undefined, 'RST_STREAM 1 CANCEL']);
  });

  it('is one beyond it, and where it is many small frames', () => {
    expect(until(begin(), data(1, Buffer.alloc(1024)))).toBe(64 + 10 + 1);
    expect(until(begin(), data(1, 'aa'))).toBe(519 + 10 + 1);
    expect(until(begin(), headers(1))).toBe(519 + 10 + 1);
  });

  it('may be as much as the connection had under way, of however many streams', () => {
    const side = begin({ connectionWindow: 131_072 });
    for (let streamId = 3; streamId < 99; streamId += 2) {
      side.write(headers(streamId));
      side.connection.cancel(side.last().stream, 'CANCEL');
    }
    expect(until(side, data(1, Buffer.alloc(1024)))).toBe(128 + 10 + 1);
  });

  it('is what was allowed also of one that was refused', () => {
    const side = ServerSide.begun({ maxConcurrentStreams: 1, streamWindow: 65_535, floods });
    side.write(headers(1), headers(3));
    expect(until(side, data(3, Buffer.alloc(1024)))).toBe(64 + 10 + 1);
  });

  it('is no flood where each stream is reset and gets its end late, at whatever rate', () => {
    const side = ServerSide.begun({ floods });
    for (let streamId = 1; streamId < 2000; streamId += 2) {
      side.write(headers(streamId));
      side.connection.cancel(side.last().stream, 'NO_ERROR');
      side.write(data(streamId, 'aa'), data(streamId, '', flags.END_STREAM));
    }
    expect(side.over).toBeUndefined();
  });

  it('is nothing where it opens a window, unless that answers to what was sent', () => {
    expect(until(begin(), windowUpdate(1, 5000))).toBe(11);
    const side = ServerSide.begun({ floods });
    for (let streamId = 1; streamId < 400; streamId += 2) {
      side.write(request(streamId));
      side.connection.headers(side.last().stream, [':status', '200'], false, true);
      side.write(windowUpdate(streamId, 5000), windowUpdate(streamId, 5000));
    }
    expect(side.over).toBeUndefined();
  });
});

describe('a stream that ends here', () => {
  const end = (how: (side: ServerSide) => void): number => {
    const side = ServerSide.begun({ floods });
    let count = 0;
    while (side.over === undefined && count < 100) {
      side.write(headers(2 * count++ + 1));
      try {
        how(side);
      } catch {
        return count;
      }
    }
    return count;
  };

  it('for a fault of its peer counts as reset by it, and else does not', () => {
    expect(end((side) => side.connection.resetForFault(side.last().stream, 'PROTOCOL_ERROR'))).toBe(11);
    expect(end((side) => side.connection.cancel(side.last().stream, 'CANCEL'))).toBe(100);
  });
});
