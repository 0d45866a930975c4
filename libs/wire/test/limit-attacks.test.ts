import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import { flags } from '../src/http2/frame-types.ts';
import type { WireServer } from '../src/server/wire-server.ts';
import { many } from '../testing/floods.ts';
import { Attacker, callBlock, callHeaders, message } from './attacker.ts';
import { data, describe as told, headers, settings } from './frames.ts';
import { cleanUp, grpcJsClient, serve, sleep, unary } from './interop/echo.ts';
import { attack } from './under-attack.ts';

afterEach(cleanUp);

const mebi = 1024 * 1024;
const kibi = 1024;

/** Answers at once with sixteen thousand octets of trailers. */
const long = (wire: WireServer): void =>
  void wire.register('/test.Echo/Long', { begin: (call) => call.refuse(5, '', ['tail-a', 'a'.repeat(16_000)]) });

/** Calls of that, each of which is less than a hundred octets. */
const askForMuch = (first: number, count: number): Buffer =>
  many(count, (at) => headers(2 * (first + at) + 1, flags.END_HEADERS | flags.END_STREAM, callBlock('Long')));

describe('answers that nobody reads', () => {
  it('wait up to a bound of their connection, also where all of them are asked for at once', async () => {
    let most = 0;
    const { served, attacker } = await attack(
      async ({ wire }, each) => {
        each.stopReading();
        // So much that it fills what the system keeps, and then again: sixteen megabytes at a time.
        for (let at = 0; at < 8; at++) {
          void each.write(askForMuch(1000 * at, 1000));
          await sleep(20);
          most = Math.max(most, wire.waitingOctets);
        }
        await eventually(() => expect(wire.waitingOctets).toBeGreaterThan(mebi));
        await sleep(50);
        most = Math.max(most, wire.waitingOctets);
      },
      { limits: { maxUnsent: mebi } },
      {},
      long,
    );
    // The last that was taken has its answer, and the honest client has some.
    expect(most).toBeLessThan(mebi + 300 * kibi);
    attacker.stop();
    await eventually(() => expect(served.wire.waitingOctets).toBe(0));
  });

  it('wait up to a bound of all connections', async () => {
    const { served } = await attack(
      async ({ wire, port }, first) => {
        const attackers = [first, ...(await Promise.all(Array.from({ length: 7 }, () => Attacker.connect(port))))];
        for (const each of attackers) {
          each.stopReading();
          void each.write(askForMuch(0, 2000));
        }
        await eventually(() => expect(wire.waitingOctets).toBeGreaterThan(8 * mebi));
        await sleep(100);
        expect(wire.waitingOctets).toBeLessThan(16 * mebi);
        for (const each of attackers) each.stop();
      },
      { maxWaiting: 16 * mebi },
      {},
      long,
    );
    await eventually(() => expect(served.wire.waitingOctets).toBe(0));
  });

  it('have no fields of their own where there is no room for them', async () => {
    const { attacker, served } = await attack(
      async ({ wire }, each) => {
        await each.write(settings('0004 00000000'), callHeaders(1, 'Unary'), message(1, Buffer.alloc(90_000), true));
        await eventually(() => expect(wire.waitingOctets).toBeGreaterThan(90_000));
        await each.write(askForMuch(1, 1));
        await eventually(() => expect(each.count('HEADERS')).toBe(2));
      },
      { limits: { maxWaiting: 100_000 } },
      {},
      long,
    );
    expect(attacker.fields().at(-1)).toEqual(expect.arrayContaining(['grpc-status', '8']));
    expect([attacker.goaway(), served.failures]).toEqual([undefined, []]);
  });

  it('are all there when they are read', async () => {
    const { attacker, served } = await attack(
      async (_served, each) => {
        await each.write(askForMuch(0, 300));
        await eventually(() => expect(each.count('HEADERS')).toBe(300));
      },
      { limits: { maxUnsent: 64 * kibi } },
      {},
      long,
    );
    const answers = attacker.fields().filter((fields) => fields.at(-1)?.length === 16_000);
    expect([answers.length, attacker.goaway(), served.failures]).toEqual([300, undefined, []]);
  });
});

describe('what is beyond a limit', () => {
  it('of settings in a frame ends the connection', async () => {
    const { attacker, served } = await attack(async (_served, each) => {
      await each.write(settings('0100 00000000'.repeat(32)));
      await eventually(() => expect(each.count('SETTINGS')).toBe(3));
      await each.write(settings('0100 00000000'.repeat(33)));
      await each.closed;
    });
    expect([attacker.goaway(), served.failures.length]).toEqual(['ENHANCE_YOUR_CALM', 1]);
  });

  it('of the window of a stream ends the stream', async () => {
    const { attacker, served } = await attack(
      async (_served, each) => {
        // It is never whole, so that nothing is given back of what it takes.
        await each.write(callHeaders(1, 'Upload'), callHeaders(3, 'Chat'));
        for (let count = 0; count < 5; count++) await each.write(message(1, Buffer.alloc(16_000), false));
        await eventually(() => expect(each.frames().map(told)).toContain('RST_STREAM 1 FLOW_CONTROL_ERROR'));
        await each.write(message(3, Buffer.from('a'), true));
        await eventually(() => expect(each.frames().map(told)).toContain('HEADERS 3 END'));
      },
      { limits: { streamWindow: 65_535 } },
      { upload: () => new Promise(() => undefined) },
    );
    expect([attacker.goaway(), served.failures]).toEqual([undefined, []]);
  });

  it('of the window of a connection is held against nobody: it is given back as it comes', async () => {
    const { attacker, served } = await attack(
      async (_served, each) => {
        await each.write(many(20, (at) => callHeaders(2 * at + 1, 'Chat')));
        await each.write(many(20, (at) => data(2 * at + 1, Buffer.alloc(16_380))));
        await each.write(many(20, (at) => data(2 * at + 1, '', flags.END_STREAM)));
        // Three frames are more than half of it.
        const given = 'WINDOW_UPDATE 0 +49140';
        await eventually(() => expect(each.frames().filter((one) => told(one) === given)).toHaveLength(6));
      },
      { limits: { connectionWindow: 65_535 } },
    );
    expect([attacker.goaway(), served.failures]).toEqual([undefined, []]);
  });

  it('of a request ends its call', async () => {
    const { attacker, served } = await attack(
      async ({ wire }, each) => {
        for (let at = 0; at < 50; at++)
          await each.write(callHeaders(2 * at + 1, 'Unary'), message(2 * at + 1, Buffer.alloc(300_001), false));
        await eventually(() => expect(each.count('RST_STREAM')).toBe(50));
        expect(wire.bufferedOctets).toBeLessThan(mebi);
      },
      { maxRequestOctets: 300_000 },
    );
    const statuses = attacker.fields().map((fields) => fields[fields.indexOf('grpc-status') + 1]);
    expect([new Set(statuses), attacker.goaway(), served.failures]).toEqual([new Set(['8']), undefined, []]);
  });

  it('of what all connections hold ends calls that ask for more, and no small ones', async () => {
    const { wire, port, address, failures } = await serve({ maxBuffered: 8 * mebi });
    const attackers = await Promise.all(Array.from({ length: 4 }, () => Attacker.connect(port)));
    let most = 0;
    for (let at = 0; at < 40; at++)
      for (const each of attackers) {
        await each.write(callHeaders(2 * at + 1, 'Unary'), message(2 * at + 1, Buffer.alloc(100_000), false));
        most = Math.max(most, wire.bufferedOctets);
      }
    const refused = (): number =>
      attackers.flatMap((each) => each.fields().filter((fields) => fields.includes('8'))).length;
    // Eighty three have room.
    await eventually(() => expect(refused()).toBe(160 - 83));
    most = Math.max(most, wire.bufferedOctets);
    expect([most > 7.9 * mebi, most <= 8 * mebi]).toEqual([true, true]);
    const client = grpcJsClient(address);
    const [small, large] = [Buffer.alloc(200), Buffer.alloc(200_000)];
    expect((await unary(client, small)).error).toBeUndefined();
    expect((await unary(client, large)).error?.code).toBe(8);
    for (const each of attackers) each.stop();
    await eventually(() => expect(wire.bufferedOctets).toBe(0));
    expect((await unary(client, large)).error).toBeUndefined();
    expect(failures).toHaveLength(4);
  });
});
