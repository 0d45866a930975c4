import { describe, expect, it, vi } from 'vitest';
import { typesOf } from '../../test/link-frames.ts';
import { Wires, settled } from '../../test/link-wires.ts';
import type { RawCall } from '../handlers.ts';

const echo = (message: Buffer, call: RawCall): void => call.respond(message);
const small = Buffer.from('a request');

describe('silence', () => {
  it('of a second breaks the link: what has left is lost, what has not is unsent', async () => {
    const wires = new Wires({ server: { limits: { windowBytes: 20 } } }).open();
    wires.stuck.toClient = true;
    const lost = wires.call(small);
    wires.pump();
    const unsent = wires.call(small);
    wires.pump();
    expect(wires.got).toHaveLength(1);
    for (let tick = 0; tick < 3; tick++) {
      wires.clock.advance(249);
      wires.pump();
    }
    await settled();
    expect(wires.client.inFlight).toBe(2);
    wires.clock.advance(253);
    const [first, second] = await Promise.all([lost, unsent]);
    expect(first.error).toMatchObject({ kind: 'unavailable', origin: 'lost', code: 14 });
    expect(first.error?.message).toBe('the connection to runtime:1 broke: it said nothing for 1000 ms');
    expect([first.messageArrived, second.messageArrived]).toEqual([false, false]);
    expect(second.error).toMatchObject({ kind: 'unavailable', origin: 'unsent', code: 14 });
    expect(wires.lines).toContainEqual(expect.objectContaining({ level: 'warn', text: 'a link broke', inFlight: 2 }));
    wires.pump();
    expect(wires.core.active.size).toBe(0);
    // It may stand still for long: nobody waits for it.
    expect((await wires.call(small)).error).toMatchObject({ origin: 'unsent' });
  });

  it.each([1, 0])('is asked for every 250 ms, with %i calls in flight', (calls) => {
    const wires = new Wires().open();
    if (calls > 0) void wires.call(small);
    wires.pump();
    const pings = (): number => typesOf(wires.sent.toServer).filter((type) => type === 7).length;
    for (let tick = 1; tick <= 8; tick++) {
      wires.clock.advance(249);
      wires.pump();
      expect(pings()).toBe(tick - 1);
      wires.clock.advance(1);
      wires.pump();
      expect(pings()).toBe(tick);
    }
  });

  it('is not that of a peer that answers pings, however long a call takes', async () => {
    const wires = new Wires().open();
    const outcome = wires.call(small, { deadlineMs: Infinity });
    for (let tick = 0; tick < 100; tick++) {
      wires.pump();
      wires.clock.advance(250);
    }
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect((await outcome).error).toBeUndefined();
    expect(wires.dials).toBe(1);
  });

  it('begins anew with every byte', async () => {
    const wires = new Wires().open();
    const outcome = wires.call(small, { deadlineMs: Infinity });
    wires.pump();
    for (let round = 0; round < 5; round++) {
      // A question and two ticks without an answer; the third would be one too many.
      wires.stuck.toClient = true;
      wires.clock.advance(750);
      wires.stuck.toClient = false;
      wires.pump();
    }
    await settled();
    expect([wires.client.inFlight, wires.dials]).toEqual([1, 1]);
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect((await outcome).error).toBeUndefined();
  });

  it('is not counted while this process was held up itself', async () => {
    const wires = new Wires().open();
    const outcome = wires.call(small, { deadlineMs: Infinity });
    wires.pump();
    wires.clock.advance(251);
    // One tick late by ten seconds: the timers of the fake clock fire each at its own time, real ones only once.
    const late: (() => void)[] = [];
    const held = vi.spyOn(wires.clock, 'schedule').mockImplementation((_ms, fn) => {
      late.push(fn);
      return { cancel: () => undefined };
    });
    wires.clock.advance(10_000);
    held.mockRestore();
    late.forEach((fn) => fn());
    wires.pump();
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect((await outcome).error).toBeUndefined();
  });

  it('of an idle link is known within a second of its last sign, and the next request has a new one', async () => {
    const wires = new Wires().open();
    wires.live(1_000);
    wires.stuck.toServer = true;
    wires.clock.advance(999);
    expect(wires.client.isConnected()).toBe(true);
    wires.clock.advance(1);
    expect(wires.client.isConnected()).toBe(false);
    wires.stuck.toServer = false;
    const outcome = wires.call(small);
    wires.pump();
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect([(await outcome).error, wires.dials]).toEqual([undefined, 2]);
  });

  it('is none of an idle link whose peer answers, however long nothing is asked', () => {
    const wires = new Wires().open();
    wires.live(60_000);
    expect([wires.dials, wires.client.isConnected()]).toEqual([1, true]);
  });
});

describe('a server that stops', () => {
  it('finishes what it has and gets nothing new; the stream ends when all is answered', async () => {
    const wires = new Wires().open();
    const held = wires.call(small);
    wires.pump();
    wires.server!.drain();
    wires.pump();
    expect(wires.client.isConnected()).toBe(false);
    const refused = wires.call(small);
    expect((await refused).error).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
    expect(wires.server).toBeDefined();
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect((await held).message).toHaveLength(small.length);
    expect(wires.server).toBeUndefined();
    expect(wires.stats.link.count(0)).toBe(1);
    expect(wires.dials).toBe(1);
    wires.clock.advance(1_000);
    expect(wires.dials).toBe(2);
  });

  it('gets nothing of a request that has not left: it fails unsent, and the others go on', async () => {
    const wires = new Wires({ server: { limits: { windowBytes: 20 } } }).open();
    // Without the credit that would let the second leave.
    wires.mangle = (message, to) => (to === 'toClient' && typesOf([message])[0] === 9 ? undefined : message);
    const [first, second] = [wires.call(small), wires.call(small)];
    wires.pump();
    wires.server!.drain();
    wires.pump();
    expect((await second).error).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
    expect([wires.got.length, wires.client.inFlight]).toEqual([1, 1]);
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect((await first).error).toBeUndefined();
    expect(wires.server).toBeUndefined();
  });

  it('does not wait for a caller that stands still and of which it has nothing', () => {
    const wires = new Wires({ client: { pingMs: 1e9, silenceMs: 1e9 } }).open();
    void wires.call(small);
    wires.pump();
    wires.stuck.toClient = true;
    wires.server!.drain();
    wires.pump();
    wires.clock.advance(5_000);
    expect(wires.server).toBeDefined();
    wires.got[0]!.call.respond(small);
    wires.clock.advance(999);
    expect(wires.server).toBeDefined();
    wires.clock.advance(1);
    expect([wires.server, wires.stats.link.count(14)]).toEqual([undefined, 1]);
  });

  it('leaves one of which it has nothing, had nothing, or has nothing any more', () => {
    const deaf = { client: { pingMs: 1e9, silenceMs: 1e9 } };
    const idle = new Wires(deaf).open();
    idle.stuck.toClient = true;
    idle.server!.drain();
    idle.clock.advance(1_000);
    expect(idle.server).toBeUndefined();

    const given = new Wires(deaf).open();
    const outcome = given.call(small);
    given.pump();
    given.stuck.toClient = true;
    given.server!.drain();
    outcome.call.cancel();
    given.pump();
    given.clock.advance(1_000);
    expect(given.server).toBeUndefined();
  });

  it('does not cut off a request that came while it waited for its caller to leave', async () => {
    const wires = new Wires({ client: { pingMs: 1e9, silenceMs: 1e9 } }).open();
    wires.stuck.toClient = true;
    wires.server!.drain();
    wires.clock.advance(500);
    const outcome = wires.call(small);
    wires.pump();
    wires.clock.advance(5_000);
    wires.stuck.toClient = false;
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect((await outcome).error).toBeUndefined();
  });

  it('has no timer left when its caller has left', () => {
    const wires = new Wires().open();
    wires.server!.drain();
    wires.pump();
    wires.client.close();
    expect([wires.server, wires.clock.pendingTimers]).toEqual([undefined, 0]);
  });

  it('lets a large answer go out first', async () => {
    const wires = new Wires({ client: { pingMs: 1e9, silenceMs: 1e9 } }).open();
    const outcome = wires.call(small);
    wires.pump();
    wires.stuck.toClient = true;
    wires.server!.drain();
    wires.got[0]!.call.respond(Buffer.alloc(8_000_000));
    for (let second = 0; second < 10; second++) {
      // A little of it every second.
      wires.stuck.toClient = false;
      wires.pump(2);
      wires.stuck.toClient = true;
      wires.clock.advance(1_000);
    }
    expect(wires.server).toBeDefined();
    wires.stuck.toClient = false;
    wires.pump();
    expect((await outcome).message).toHaveLength(8_000_000);
    expect([wires.server, wires.stats.link.count(0)]).toEqual([undefined, 1]);
  });

  it('serves what was on its way when it said so', async () => {
    const wires = new Wires({ handler: echo }).open();
    wires.server!.drain();
    const onTheWay = wires.call(small);
    wires.pump();
    expect((await onTheWay).error).toBeUndefined();
  });

  it('at once answers all that is left as UNAVAILABLE', async () => {
    const reasons: string[] = [];
    const wires = new Wires({ handler: (_, call) => call.onCancel(({ kind }) => reasons.push(kind)) }).open();
    const outcomes = Array.from({ length: 20 }, () => wires.call(small));
    wires.pump();
    wires.server!.expire();
    wires.pump();
    for (const { error } of await Promise.all(outcomes))
      expect(error).toMatchObject({ kind: 'unavailable', origin: 'answered', message: 'the server is stopping' });
    expect(reasons).toEqual(Array.from({ length: 20 }, () => 'unavailable'));
    expect([wires.core.active.size, wires.server]).toEqual([0, undefined]);
  });
});

describe('a peer that is away', () => {
  const away = {
    code: 14,
    details: 'No connection established. Last error: Error: connect ECONNREFUSED',
    trailers: {},
  };

  it('is tried again with growing waits; requests do not wait for it after the first try', async () => {
    const waits: number[] = [];
    const backoffMs = (failures: number): number => {
      waits.push(failures);
      return 100 * failures;
    };
    const wires = new Wires({ client: { backoffMs } });
    wires.refusal = away;
    const first = wires.call(small);
    wires.pump();
    expect((await first).error).toMatchObject({ origin: 'unsent', kind: 'unavailable' });
    expect((await first).error?.message).toBe('runtime:1 cannot be reached: connect ECONNREFUSED');
    expect((await wires.call(small)).error).toMatchObject({ origin: 'unsent' });
    for (let index = 0; index < 3; index++) {
      wires.clock.advance(100 * (index + 1) - 1);
      expect(wires.dials).toBe(index + 1);
      wires.clock.advance(1);
      expect(wires.dials).toBe(index + 2);
      expect((await wires.call(small)).error?.origin).toBe('unsent');
      wires.pump();
    }
    expect(waits).toEqual([1, 2, 3, 4]);
    expect(wires.lines.filter(({ text }) => text === 'no link can be made')).toHaveLength(1);
  });

  it.each([
    [1, [50, 100, 200, 400, 800, 1_000, 1_000]],
    [0, [25, 50, 100, 200, 400, 500, 500]],
  ])('is tried again after 50 ms, doubling to a second, or half of that by chance (%d)', (chance, waits) => {
    const wires = new Wires({ client: { random: { uniform: () => chance } } });
    wires.refusal = away;
    wires.open();
    waits.forEach((wait, index) => {
      wires.clock.advance(wait - 1);
      expect(wires.dials).toBe(index + 1);
      wires.clock.advance(1);
      wires.pump();
      expect(wires.dials).toBe(index + 2);
    });
  });

  it('is tried at once when somebody says that it is there, and requests wait for that', async () => {
    const wires = new Wires({ handler: echo });
    wires.refusal = away;
    wires.open();
    wires.refusal = undefined;
    expect(wires.client.isConnected()).toBe(false);
    const outcome = wires.call(small);
    wires.pump();
    expect((await outcome).error).toBeUndefined();
    expect(wires.dials).toBe(2);
  });

  it('that does not say HELLO within three seconds is left', async () => {
    const wires = new Wires();
    wires.stuck.toClient = true;
    const outcome = wires.call(small);
    wires.pump();
    wires.clock.advance(2_999);
    await settled();
    expect(wires.client.inFlight).toBe(1);
    wires.clock.advance(1);
    expect((await outcome).error).toMatchObject({ origin: 'unsent' });
  });

  it('after the link stood for a while is tried again at once, after a short while is not', async () => {
    const wires = new Wires({ handler: echo }).open();
    wires.live(999);
    wires.events!.ended({ code: 14, details: 'read ECONNRESET', trailers: {} });
    expect(wires.dials).toBe(1);
    wires.clock.advance(50);
    wires.pump();
    expect(wires.dials).toBe(2);
    wires.live(1_000);
    wires.events!.ended({ code: 14, details: 'read ECONNRESET', trailers: {} });
    expect(wires.dials).toBe(3);
    const outcome = wires.call(small);
    wires.pump();
    expect((await outcome).error).toBeUndefined();
  });
});

it('a caller that is gone when its deadline is near went for its deadline', () => {
  const reasons: string[] = [];
  const wires = new Wires({ handler: (_, call) => call.onCancel(({ kind }) => reasons.push(kind)) }).open();
  void wires.call(small, { deadlineMs: wires.clock.now() + 100 });
  void wires.call(small);
  wires.pump();
  wires.clock.advance(60);
  wires.server!.gone(1);
  expect(reasons).toEqual(['deadline-exceeded', 'cancelled']);
});

describe('close', () => {
  it('lets what is in flight end and leaves no timer', async () => {
    const wires = new Wires().open();
    const held = wires.call(small);
    wires.pump();
    wires.client.close();
    expect(() => wires.call(small)).toThrow(/is closed/);
    wires.got[0]!.call.respond(small);
    wires.pump();
    expect((await held).error).toBeUndefined();
    expect([wires.server, wires.clock.pendingTimers, wires.client.inFlight]).toEqual([undefined, 0, 0]);
    expect(wires.client.isConnected()).toBe(false);
    expect(wires.dials).toBe(1);
  });

  it('before the link stands fails what waits for it', async () => {
    const wires = new Wires();
    const waiting = wires.call(small);
    wires.client.close();
    expect((await waiting).error).toMatchObject({ origin: 'unsent' });
    wires.pump();
    expect([wires.server, wires.clock.pendingTimers]).toEqual([undefined, 0]);
  });

  it('while it waits for the next try leaves no timer', () => {
    const wires = new Wires();
    wires.refusal = { code: 14, details: 'away', trailers: {} };
    wires.open();
    expect(wires.clock.pendingTimers).toBe(1);
    wires.client.close();
    expect(wires.clock.pendingTimers).toBe(0);
  });
});
