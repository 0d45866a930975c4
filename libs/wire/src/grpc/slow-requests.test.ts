import { describe, expect, it } from 'vitest';
import { block } from '../../test/client-connections.ts';
import { data, headers, hello, settingsAck } from '../../test/frames.ts';
import { GrpcSide } from '../../test/grpc-side.ts';
import type { GrpcSideOptions, MethodName } from '../../test/grpc-side.ts';
import { flags } from '../http2/frame-types.ts';

const second = 1000;
const minute = 60;

/** A server of which a test is the client, and of which it looks at the times every second. */
class Served {
  readonly side: GrpcSide;

  constructor(options: GrpcSideOptions = {}) {
    const limits = { keepaliveMs: 1 << 30, ...options.limits };
    this.side = new GrpcSide({ maxRequestOctets: 1 << 26, maxBuffered: 1 << 27, limits });
    this.side.feed(Buffer.concat([hello(), settingsAck()]));
  }

  open(streamId: number, method: MethodName): void {
    const fields = [':method', 'POST', ':scheme', 'http', ':path', `/fuzz/${method}`, 'te', 'trailers'];
    this.side.feed(headers(streamId, flags.END_HEADERS, block(...fields, 'content-type', 'application/grpc')));
  }

  send(streamId: number, ...octets: number[]): void {
    this.side.feed(data(streamId, Buffer.from(octets)));
  }

  bring(streamId: number, octets: number): void {
    for (let left = octets; left > 0; left -= 16_384)
      this.side.feed(data(streamId, Buffer.alloc(Math.min(left, 16_384))));
  }

  wait(seconds: number, each: () => void = () => undefined): this {
    for (let count = 0; count < seconds; count++) {
      each();
      this.side.clock.advance(second);
      this.side.connection.tick();
      this.side.check();
    }
    return this;
  }

  status(streamId: number): string | undefined {
    return this.side.peer.stream(streamId).grpcStatus;
  }

  get left(): number {
    return this.side.connection.streamCount;
  }
}

const mebibyte = [0, 0, 16, 0, 0];

describe('a caller without a deadline', () => {
  it('that sends a message octet by octet has its call ended, and nothing of it is kept', () => {
    const served = new Served();
    served.open(1, 'Unary');
    served.send(1, ...mebibyte);
    served.wait(minute, () => served.send(1, 0));
    expect([served.status(1), served.side.memory.used]).toEqual([undefined, 60]);
    served.wait(1);
    expect([served.status(1), served.left, served.side.memory.used]).toEqual(['4', 0, 0]);
    expect(served.side.peer.stream(1).trailers?.join(' ')).toMatch(/the request takes too long to come/);
    served.side.finish();
  });

  it.each<[string, (served: Served) => void]>([
    ['nothing of its one request', () => undefined],
    ['a part of the prefix', (served) => served.send(1, 0, 0)],
    ['its one request, and does not say that it is all', (served) => served.send(1, 0, 0, 0, 0, 1, 97)],
  ])('that sends %s has its call ended', (_what, begin) => {
    const served = new Served();
    served.open(1, 'Unary');
    begin(served);
    expect(served.wait(minute).status(1)).toBeUndefined();
    expect([served.wait(1).status(1), served.left]).toEqual(['4', 0]);
  });

  it('that sends a stream of requests may be silent between two for as long as it likes, and not within one', () => {
    const served = new Served();
    served.open(1, 'Echo');
    served.open(3, 'Echo');
    served.send(1, 0, 0, 0, 0, 1, 97);
    served.wait(60 * minute);
    expect([served.status(1), served.status(3), served.left]).toEqual([undefined, undefined, 2]);
    served.send(1, 0, 0, 0, 0, 2, 97);
    served.wait(minute + 1);
    expect([served.status(1), served.status(3), served.left]).toEqual(['4', undefined, 1]);
  });

  it('that sends little but enough is left alone', () => {
    const served = new Served();
    served.open(1, 'Unary');
    served.send(1, ...mebibyte);
    served.wait(30 * minute, () => served.bring(1, 69));
    expect([served.status(1), served.left]).toEqual([undefined, 1]);
    served.wait(2 * minute + 1, () => served.bring(1, 67));
    expect(served.status(1)).toBe('4');
  });

  it('that sends 64 MiB at 1 Mbit/s is left alone, and so is what waits behind that', () => {
    const served = new Served();
    for (const streamId of [1, 3, 5, 7]) served.open(streamId, 'Unary');
    served.send(1, 0, 4, 0, 0, 0);
    // The first minutes of nine.
    served.wait(2 * minute + 10, () => served.bring(1, 125_000));
    expect([served.status(1), served.left]).toEqual([undefined, 4]);
    // Nothing comes any more.
    served.wait(minute + 1);
    expect([1, 3, 5, 7].map((streamId) => served.status(streamId))).toEqual(['4', '4', '4', '4']);
  });

  it('that has many requests under way has to bring enough for all of them', () => {
    const served = new Served();
    for (let streamId = 1; streamId < 20; streamId += 2) served.open(streamId, 'Unary');
    served.send(1, ...mebibyte);
    served.wait(10 * minute, () => served.bring(1, 700));
    expect(served.left).toBe(10);
    served.wait(2 * minute + 1, () => served.bring(1, 650));
    expect([served.left, served.status(1), served.status(3)]).toEqual([1, undefined, '4']);
  });

  it('that is not read by its handler owes nothing meanwhile', () => {
    const served = new Served();
    served.open(1, 'Held');
    served.send(1, ...mebibyte, 1, 2, 3);
    served.wait(10 * minute);
    expect(served.left).toBe(1);
    served.side.goOn();
    served.wait(minute + 1);
    expect(served.status(1)).toBe('4');
  });

  it('that is not read, since it does not read, owes nothing meanwhile', () => {
    const served = new Served({ limits: { maxUnsent: 20, writeTimeoutMs: 1 << 30 } });
    served.open(1, 'Unary');
    served.side.port.holds = true;
    served.open(3, 'Early');
    served.send(3, 0, 0, 0, 0, 0);
    served.open(5, 'Early');
    served.send(5, 0, 0, 0, 0, 0);
    expect(served.side.port.paused).toBe(true);
    served.wait(10 * minute);
    served.side.port.holds = false;
    served.side.connection.sent();
    expect([served.side.port.paused, served.wait(minute).status(1)]).toEqual([false, undefined]);
    expect(served.wait(1).status(1)).toBe('4');
  });

  it('that always ends one message and begins the next goes on', () => {
    const served = new Served();
    served.open(1, 'Echo');
    served.send(1, 0, 0, 0);
    served.wait(10 * minute, () => served.send(1, 0, 1, 97, 0, 0, 0));
    expect([served.status(1), served.left]).toEqual([undefined, 1]);
  });

  it('that was told all within a frame has to end it', () => {
    const served = new Served();
    served.open(1, 'Early');
    const whole = data(1, Buffer.from([0, 0, 0, 0, 1, 97, 0, 0]), flags.END_STREAM);
    served.side.feed(whole.subarray(0, -1));
    expect([served.status(1), served.side.peer.stream(1).resetCode]).toEqual(['0', undefined]);
    served.wait(minute + 1);
    expect([served.side.peer.stream(1).resetCode, served.left]).toEqual([0, 0]);
  });
});

describe('a call that ends before its caller has said all', () => {
  const early = new Served();
  let streamId = -1;
  const begin = (): number => {
    early.open((streamId += 2), 'Early');
    return streamId;
  };
  const resetCode = (id: number): number | undefined => early.side.peer.stream(id).resetCode;
  const message = Buffer.from([0, 0, 0, 0, 1, 97]);

  it('is reset where the frame is not the last', () => {
    const id = begin();
    early.side.feed(data(id, message));
    expect([early.status(id), resetCode(id), early.left]).toEqual(['0', 0, 0]);
    // And no other one is.
    early.open((streamId += 2), 'Echo');
    early.side.feed(data(streamId, message));
    expect([resetCode(streamId), early.left]).toEqual([undefined, 1]);
    early.side.feed(data(streamId, Buffer.alloc(0), flags.END_STREAM));
    expect(early.left).toBe(0);
  });

  it.each([
    ['that is read', (id: number) => [data(id, message, flags.END_STREAM)]],
    [
      'of which a part is read',
      (id: number) => {
        const whole = data(id, Buffer.concat([message, message]), flags.END_STREAM);
        return [whole.subarray(0, 16), whole.subarray(16, 18), whole.subarray(18)];
      },
    ],
    [
      'with padding',
      (id: number) => {
        const padded = Buffer.concat([Buffer.of(3), message, Buffer.alloc(3)]);
        return [data(id, padded, flags.END_STREAM | flags.PADDED)];
      },
    ],
  ] as const)('is not where its end is that of the frame %s', (_what, chunks) => {
    const id = begin();
    for (const chunk of chunks(id)) early.side.feed(chunk);
    expect([early.status(id), resetCode(id), early.left]).toEqual(['0', undefined, 0]);
  });

  it('is reset behind the frame where that is cut and not the last', () => {
    const id = begin();
    const whole = data(id, Buffer.concat([message, message]));
    early.side.feed(whole.subarray(0, 16));
    expect([early.status(id), resetCode(id), early.left]).toEqual(['0', undefined, 1]);
    early.side.feed(whole.subarray(16));
    expect([resetCode(id), early.left]).toEqual([0, 0]);
    early.side.finish();
  });
});
