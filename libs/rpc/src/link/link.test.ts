import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it, vi } from 'vitest';
import { failureOf, message } from '../../test/link-frames.ts';
import { Wires, inferPath, mebi, settled } from '../../test/link-wires.ts';
import type { RawCall } from '../handlers.ts';
import type { RawOutcome } from '../raw-client.ts';

const echo = (message: Buffer, call: RawCall): void => call.respond(message);
/** Bytes that repeat with a period that no chunk has. */
const bytesOf = (size: number, seed = 7): Buffer =>
  Buffer.alloc(
    size,
    Uint8Array.from({ length: 251 }, (_, index) => (index * 31 + seed) % 251),
  );
const small = (): Buffer => bytesOf(100);

describe('a call', () => {
  it('brings the message and metadata there, and the answer and trailers back', async () => {
    const wires = new Wires({
      handler: (message, call) => {
        call.setTrailer('sluice-prediction-id', `${call.metadata('traceparent')}/${call.metadata('other')}`);
        call.respond(message.subarray(1));
        call.respond(Buffer.from('ignored'));
        call.fail(new Error('ignored'));
      },
    });
    const outcome = wires.call(bytesOf(300), { metadata: { traceparent: '00-1' } });
    wires.pump();
    const { message, error, messageArrived, trailer } = await outcome.then((o) => ({
      ...{ message: o.message, error: o.error, messageArrived: o.messageArrived },
      trailer: o.trailer('sluice-prediction-id'),
    }));
    expect(message?.equals(bytesOf(300).subarray(1))).toBe(true);
    expect([error, messageArrived, trailer]).toEqual([undefined, true, '00-1/undefined']);
    expect((await outcome).trailer('constructor')).toBeUndefined();
    expect(wires.stats.infer.count(0)).toBe(1);
    expect(wires.stats.infer.inFlight).toBe(0);
    expect(wires.core.active.size).toBe(0);
  });

  it('that is empty is answered with nothing', async () => {
    const wires = new Wires({ handler: echo });
    const outcome = wires.call(Buffer.alloc(0));
    wires.pump();
    expect((await outcome).message).toHaveLength(0);
  });

  it('that fails carries kind, time to come back and trailers', async () => {
    const wires = new Wires({
      handler: (message, call) => {
        call.setTrailer('sluice-prediction-id', 'p9');
        if (message.length === 0) throw new RangeError('hunter2');
        call.fail(new SluiceError('resource-exhausted', 'queue full', { retryAfterMs: 50 }));
      },
    });
    const outcomes = [wires.call(Buffer.of(1)), wires.call(Buffer.of())];
    wires.pump();
    const [full, broken] = (await Promise.all(outcomes)) as [RawOutcome, RawOutcome];
    expect(full.error).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 50, origin: 'answered' });
    expect([full.trailer('sluice-prediction-id'), full.messageArrived]).toEqual(['p9', false]);
    expect(broken.error).toMatchObject({ kind: 'internal', message: 'internal error', origin: 'answered' });
    expect(broken.trailer('sluice-prediction-id')).toBe('p9');
    expect(wires.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect([wires.stats.infer.count(8), wires.stats.infer.count(13)]).toEqual([1, 1]);
  });

  it('that fails later, as a promise, is answered all the same', async () => {
    const wires = new Wires({ handler: () => Promise.reject(new SluiceError('not-found', 'nobody')) });
    const outcome = wires.call(Buffer.of(1));
    wires.pump();
    await settled();
    wires.pump();
    expect((await outcome).error).toMatchObject({ kind: 'not-found', message: 'nobody', origin: 'answered' });
    expect([wires.core.active.size, wires.server?.inFlight]).toEqual([0, 0]);
  });

  it('that fails is answered, whatever its status and words are', async () => {
    const wires = new Wires().open();
    const statuses: [number, string][] = [
      [14, 'read ECONNRESET'],
      [14, 'No connection established'],
      [1, 'cancelled'],
      [4, 'too late'],
      [13, 'RST_STREAM'],
    ];
    const outcomes = statuses.map(() => wires.call(Buffer.of(1)));
    wires.pump();
    statuses.forEach(([code, text], index) => wires.events!.message(message(failureOf(index + 1, code, text))));
    const errors = (await Promise.all(outcomes)).map(({ error }) => error);
    expect(errors.map((error) => [error?.origin, error?.code, error?.message])).toEqual(
      statuses.map(([code, text]) => ['answered', code, text]),
    );
  });

  it('says how much time its caller has left when it leaves, not when it came', () => {
    const wires = new Wires();
    void wires.call(Buffer.of(1), { deadlineMs: wires.clock.now() + 500 });
    void wires.call(Buffer.of(2), { deadlineMs: Infinity });
    wires.clock.advance(200);
    wires.pump();
    const left = wires.got.map(({ call }) => call.deadlineMs - wires.clock.now());
    expect(left).toEqual([300, 30_000]);
  });

  it('with more metadata than a frame takes is refused to its caller', () => {
    const wires = new Wires();
    expect(() => wires.call(Buffer.of(1), { metadata: { big: 'x'.repeat(40_000) } })).toThrow(/metadata: pairs of/);
  });

  it('with trailers that no frame takes fails without them', async () => {
    const wires = new Wires({
      handler: (message, call) => {
        call.setTrailer('big', 'x'.repeat(40_000));
        call.respond(message);
      },
    });
    const outcome = wires.call(Buffer.of(1));
    wires.pump();
    expect((await outcome).error).toMatchObject({ kind: 'internal', origin: 'answered' });
  });

  it('whose message is over the limit is refused on either side', async () => {
    const limit = 2 * mebi;
    const wires = new Wires({
      ...{ maxRequestBytes: limit, client: { maxMessageBytes: limit + 100 } },
      handler: (message, call) => call.respond(Buffer.alloc(limit + 356 + message[0]!)),
    });
    const sizes = [limit + 101, limit + 1];
    const requests = [...sizes.map((size) => Buffer.alloc(size)), Buffer.of(1), Buffer.of(0)];
    const outcomes = requests.map((message) => wires.call(message));
    wires.pump();
    const [own, theirs, answer, fine] = await Promise.all(outcomes);
    expect(own?.error).toMatchObject({ kind: 'resource-exhausted', origin: 'answered' });
    expect(own?.error?.message).toContain(`more than the limit of ${limit + 100};`);
    expect(wires.got).toHaveLength(2);
    expect(theirs?.error?.message).toBe(
      `the request has ${limit + 1} bytes, more than the limit of ${limit}; send less at once`,
    );
    expect(theirs?.trailer('sluice-prediction-id')).toBe('refused');
    expect(answer?.error?.message).toBe(`the answer has ${limit + 357} bytes, more than the limit of ${limit + 356}`);
    expect(fine?.message).toHaveLength(limit + 356);
    expect(wires.client.inFlight).toBe(0);
    expect(wires.server?.inFlight).toBe(0);
  });

  it('whose `done` throws loses nothing for the others of its batch', async () => {
    const wires = new Wires({ handler: echo });
    const thrown: unknown[] = [];
    const queued = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((fn) => {
      try {
        fn();
      } catch (error) {
        thrown.push(error);
      }
    });
    wires.client.call(inferPath, Buffer.of(1), { deadlineMs: Infinity }, () => {
      throw new Error('mine');
    });
    const other = wires.call(Buffer.of(2));
    wires.pump();
    queued.mockRestore();
    expect((await other).message).toHaveLength(1);
    expect(thrown).toHaveLength(1);
  });
});

describe('batches', () => {
  it('have all requests of a turn, and all answers of a turn', async () => {
    const wires = new Wires({ handler: echo }).open();
    wires.sent.toServer.length = 0;
    wires.sent.toClient.length = 0;
    const outcomes = Array.from({ length: 100 }, (_, index) => wires.call(bytesOf(292, index)));
    wires.pump();
    const answers = await Promise.all(outcomes);
    answers.forEach(({ message }, index) => expect(message?.equals(bytesOf(292, index))).toBe(true));
    expect([wires.sent.toServer.length, wires.sent.toClient.length]).toEqual([1, 1]);
  });

  it('copy a small payload once on its way and not at all where it arrives', async () => {
    const wires = new Wires({ handler: echo }).open();
    const set = vi.spyOn(Uint8Array.prototype, 'set');
    const others = [vi.spyOn(Buffer, 'concat'), vi.spyOn(Buffer.prototype, 'copy'), vi.spyOn(Buffer, 'from')];
    const outcome = wires.call(bytesOf(10_000));
    others.at(-1)!.mockClear();
    set.mockClear();
    wires.pump();
    const copied = set.mock.calls.reduce((sum, [bytes]) => sum + (bytes.length >= 1_000 ? bytes.length : 0), 0);
    const otherCopies = others.map((spy) => spy.mock.calls.length);
    vi.restoreAllMocks();
    // The request on the client and the answer on the server.
    expect(copied).toBe(20_000);
    expect(otherCopies).toEqual([0, 0, 0]);
    const { message } = await outcome;
    expect(message!.buffer).toBe(wires.sent.toClient.at(-1)!.buffer);
    expect(wires.got[0]!.message.buffer).toBe(wires.sent.toServer.at(-1)!.buffer);
  });

  it('are not held by one small request among others: it is copied', () => {
    const wires = new Wires().open();
    for (const size of [1_000, 15_000, 130_000]) void wires.call(bytesOf(size));
    wires.pump();
    const batch = wires.sent.toServer.at(-1)!;
    const held = wires.got.map(({ message }) => message.buffer === batch.buffer);
    expect(batch.buffer.byteLength).toBeGreaterThan(140_000);
    expect(held).toEqual([false, false, true]);
    expect(wires.got[1]!.message.equals(bytesOf(15_000))).toBe(true);
  });

  it('copy a large payload once where it leaves, and where it arrives at a server only', async () => {
    const wires = new Wires({ handler: echo }).open();
    const set = vi.spyOn(Uint8Array.prototype, 'set');
    const outcome = wires.call(bytesOf(3 * mebi));
    set.mockClear();
    wires.pump();
    const copied = set.mock.calls.reduce((sum, [bytes]) => sum + (bytes.length >= 1_000 ? bytes.length : 0), 0);
    vi.restoreAllMocks();
    expect(copied).toBe(3 * 3 * mebi);
    const { pieces, message } = await outcome;
    expect(pieces!.length).toBeGreaterThan(20);
    expect(Buffer.concat(pieces!).equals(bytesOf(3 * mebi))).toBe(true);
    expect(message?.equals(bytesOf(3 * mebi))).toBe(true);
  });

  it('let a small request overtake a 32 MiB one, and small answers a large answer', async () => {
    const order: string[] = [];
    const wires = new Wires({
      handler: (message, call) => {
        order.push(`request ${message.length}`);
        call.respond(message);
      },
    }).open();
    const large = bytesOf(32 * mebi);
    const first = wires.call(large);
    void first.then(() => order.push('large answer'));
    wires.pump(20);
    const second = wires.call(bytesOf(100));
    void second.then(() => order.push('small answer'));
    wires.pump(30);
    expect((await second).message).toHaveLength(100);
    expect(order).toEqual(['request 100', 'small answer']);
    wires.pump();
    expect((await first).message?.equals(large)).toBe(true);
    expect(order).toEqual(['request 100', 'small answer', `request ${32 * mebi}`, 'large answer']);
    for (const batch of [...wires.sent.toServer, ...wires.sent.toClient]) expect(batch.length).toBeLessThan(mebi);
  });

  it('take large messages in turn, and never starve one for small ones', async () => {
    const done: number[] = [];
    const wires = new Wires({ handler: echo }).open();
    const larges = [4, 4, 1].map((size) => wires.call(bytesOf(size * mebi)));
    larges.forEach((outcome, index) => void outcome.then(() => done.push(index)));
    for (let round = 0; round < 200; round++) {
      for (let index = 0; index < 40; index++) void wires.call(bytesOf(8_000));
      wires.pump(6);
    }
    await settled();
    expect(done).toEqual([2, 0, 1]);
  });
});

describe('a peer that takes nothing', () => {
  it('holds up requests beyond its window, in order; beyond a bound they fail unsent', async () => {
    const limits = { windowBytes: 64 * 1024 };
    const wires = new Wires({
      client: { maxWaitingBytes: mebi, pingMs: 1e6, silenceMs: 1e9 },
      server: { limits },
    }).open();
    const before = wires.sent.toServer.length;
    // The server gives no credit back: nothing that it says arrives.
    wires.stuck.toClient = true;
    const outcomes = Array.from({ length: 300 }, (_, index) => wires.call(bytesOf(8_000, index)));
    wires.pump();
    const onTheWay = wires.sent.toServer.slice(before).reduce((sum, message) => sum + message.length, 0);
    expect(onTheWay).toBeGreaterThan(64 * 1024);
    expect(onTheWay).toBeLessThan(64 * 1024 + 200 * 1024);
    const refused = await Promise.all(outcomes.slice(-10));
    for (const { error } of refused) {
      expect(error).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
      expect(error?.message).toMatch(/wait for it already/);
    }
    wires.stuck.toClient = false;
    wires.pump();
    const numbers = wires.got.length;
    expect(numbers).toBeGreaterThan(100);
    expect(numbers).toBeLessThan(150);
    wires.got.forEach(({ message: its }, index) => expect(its.equals(bytesOf(8_000, index))).toBe(true));
  });

  it('is given nothing more by a server whose answers it does not take', () => {
    const server = { stallBytes: 100_000, limits: { windowBytes: 64 * 1024 } };
    const client = { limits: { windowBytes: 16 * 1024 }, pingMs: 1e6, silenceMs: 1e9 };
    const held = new Wires({ handler: (_, call) => call.respond(bytesOf(50_000)), server, client }).open();
    held.stuck.toClient = true;
    for (let index = 0; index < 1_000; index++) void held.call(bytesOf(1_000));
    held.pump();
    // Answers to what its window let in, and no more.
    expect(held.got.length).toBeLessThan(260);
    held.stuck.toClient = false;
    held.pump();
    expect(held.got).toHaveLength(1_000);
    expect(held.server!.waitingBytes).toBe(0);
  });
});

describe('giving up', () => {
  it('takes a request out that has not left', async () => {
    const wires = new Wires().open();
    const done = vi.fn();
    wires.client.call(inferPath, small(), { deadlineMs: Infinity }, done).cancel();
    // Not within the caller's own call.
    expect(done).not.toHaveBeenCalled();
    await settled();
    expect(done).toHaveBeenCalledOnce();
    const outcome = wires.call(small());
    outcome.call.cancel();
    outcome.call.cancel();
    wires.pump();
    expect((await outcome).error).toMatchObject({ kind: 'cancelled', origin: 'local' });
    expect([wires.got.length, wires.client.inFlight]).toEqual([0, 0]);
  });

  it('reaches the handler of one that has, once, and its answer goes nowhere', async () => {
    const reasons: string[] = [];
    const wires = new Wires({ handler: (_, call) => call.onCancel(({ kind }) => reasons.push(kind)) }).open();
    const outcome = wires.call(bytesOf(100));
    wires.pump();
    outcome.call.cancel();
    expect((await outcome).error).toMatchObject({ kind: 'cancelled', origin: 'local' });
    wires.pump();
    wires.got[0]!.call.respond(Buffer.of(1));
    wires.got[0]!.call.onCancel(({ kind }) => reasons.push(`late ${kind}`));
    wires.pump();
    expect(reasons).toEqual(['cancelled', 'late cancelled']);
    expect([wires.stats.infer.count(1), wires.core.active.size, wires.client.inFlight]).toEqual([1, 0, 0]);
  });

  it.each(['toServer', 'toClient'] as const)('stops a large message that moves %s', async (direction) => {
    const wires = new Wires({ handler: (_, call) => call.respond(bytesOf(16 * mebi)) }).open();
    const outcome = wires.call(bytesOf(direction === 'toServer' ? 16 * mebi : 10));
    wires.pump(24);
    outcome.call.cancel();
    wires.pump();
    await outcome;
    const moved = wires.sent[direction].reduce((sum, message) => sum + message.length, 0);
    expect(moved).toBeGreaterThan(200_000);
    expect(moved).toBeLessThan(8 * mebi);
    expect(wires.server!.waitingBytes).toBe(0);
    // The link is none the worse for it.
    const next = wires.call(bytesOf(10));
    wires.pump();
    expect((await next).message).toHaveLength(16 * mebi);
  });

  it('happens at the deadline by itself, here and there, with one timer for all', async () => {
    const reasons: string[] = [];
    const wires = new Wires({ handler: (_, call) => call.onCancel(({ kind }) => reasons.push(kind)) }).open();
    const timers = wires.clock.pendingTimers;
    const deadlineMs = wires.clock.now() + 100;
    const outcomes = Array.from({ length: 50 }, () => wires.call(bytesOf(100), { deadlineMs }));
    expect(wires.clock.pendingTimers).toBe(timers + 1);
    wires.pump();
    wires.clock.advance(99);
    await settled();
    expect(wires.client.inFlight).toBe(50);
    wires.clock.advance(1);
    for (const { error } of await Promise.all(outcomes))
      expect(error).toMatchObject({ kind: 'deadline-exceeded', origin: 'local', code: 4 });
    wires.pump();
    expect(reasons).toEqual(Array.from({ length: 50 }, () => 'deadline-exceeded'));
    expect(wires.stats.infer.count(4)).toBe(50);
  });
});
