import { gzipSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import { valueOf } from '../src/http2/fields.ts';
import { flags } from '../src/http2/frame-types.ts';
import { echoes, headerBomb, longMetadata, manyValues, mostValues, smallBombs } from '../testing/attacks.ts';
import { floods, many } from '../testing/floods.ts';
import type { Flood } from '../testing/floods.ts';
import { Attacker, callHeaders, message } from './attacker.ts';
import { data, headers } from './frames.ts';
import { cleanUp } from './interop/echo.ts';
import { attack } from './under-attack.ts';

afterEach(cleanUp);

const mebi = 1024 * 1024;

/** The server ends the connection of who does that, says so once, and neither grows nor starts much. */
async function floodedWith({ first = [], batch }: Flood): Promise<void> {
  const { served, attacker, grownMebi } = await attack(async (_served, each) => {
    await each.write(...first);
    await each.flood(batch, 5000);
    await each.closed;
  });
  expect(attacker.goaway()).toBe('ENHANCE_YOUR_CALM');
  expect(served.failures).toHaveLength(1);
  expect(grownMebi).toBeLessThan(200);
  // Of streams that are over at once a thousand in a row, and a hundred a second.
  expect(served.counts.started).toBeLessThan(3000);
}

describe('floods', () => {
  it.each(Object.entries<Flood>(floods))('%s', (_name, flood) => floodedWith(flood));
});

describe('what is small and stands for much', () => {
  it('a header block', async () => {
    const { attacker, served, grownMebi } = await attack(async (_served, each) => {
      for (let at = 0; at < 500; at++)
        await each.write(headers(2 * at + 1, flags.END_HEADERS | flags.END_STREAM, headerBomb));
      await eventually(() => expect(each.count('HEADERS')).toBe(500));
    });
    expect(attacker.goaway()).toBeUndefined();
    expect([served.counts.started - served.counts.cancelled > 0, served.failures]).toEqual([true, []]);
    expect(grownMebi).toBeLessThan(200);
  });

  it('messages that are inflated to much more', async () => {
    const limit = 128 * mebi;
    const zipped = gzipSync(Buffer.alloc(60 * mebi));
    let most = 0;
    const { grownMebi, served } = await attack(
      async ({ wire }, each) => {
        for (let at = 0; at < 16; at++)
          await each.write(
            callHeaders(2 * at + 1, 'Unary', { 'grpc-encoding': 'gzip', 'x-status': '5' }),
            message(2 * at + 1, zipped, true, true),
          );
        await eventually(() => {
          most = Math.max(most, wire.bufferedOctets);
          expect(each.count('HEADERS')).toBe(16);
          // A gigabyte takes its time.
        }, 100_000);
      },
      { limits: { maxBuffered: limit } },
    );
    expect(most).toBeLessThanOrEqual(limit);
    expect(served.wire.bufferedOctets).toBe(0);
    expect(grownMebi).toBeLessThan(500);
  }, 120_000);

  it('hundreds of small messages in a chunk that are inflated to much more', async () => {
    const { served } = await attack(async ({ port }, each) => {
      const others = await Promise.all(Array.from({ length: 3 }, () => Attacker.connect(port)));
      const all = [each, ...others];
      await Promise.all(all.map((one) => one.write(smallBombs(0, 30))));
      // Each in its turn, and all of them are.
      await eventually(() => expect(all.map((one) => one.count('HEADERS'))).toEqual([30, 30, 30, 30]));
      expect(each.fields().every((fields) => valueOf(fields, 'grpc-status') === '5')).toBe(true);
    });
    expect([served.failures, served.wire.bufferedOctets]).toEqual([[], 0]);
  });

  it('messages that are announced and never come', async () => {
    const { served } = await attack(
      async ({ port, wire }) => {
        for (let connection = 0; connection < 4; connection++) {
          const each = await Attacker.connect(port);
          for (let at = 0; at < 50; at++)
            await each.write(callHeaders(2 * at + 1, 'Unary'), data(2 * at + 1, '00 04 00 00 00 61'));
        }
        await eventually(() => expect(wire.connections).toBe(6));
      },
      { maxBuffered: 64 * mebi },
    );
    expect(served.wire.bufferedOctets).toBeLessThan(mebi);
  });
});

describe('a field that a few octets stand for', () => {
  it.each(Object.entries(echoes))('%s, which its caller is told of', async (_name, make) => {
    const { attacker, served } = await attack(async (_served, each) => {
      await each.write(make(700));
      await eventually(() => expect(each.count('HEADERS')).toBe(700));
    });
    const messages = attacker.fields().map((fields) => valueOf(fields, 'grpc-message')!);
    expect(new Set(messages).size).toBe(1);
    // As much as tells what it was.
    expect(messages[0]!.length).toBeLessThan(400);
    expect([attacker.goaway(), served.failures]).toEqual([undefined, []]);
  });

  it('metadata of thousands of values, which is as too long a list', async () => {
    const { attacker, served, grownMebi } = await attack(async (_served, each) => {
      await each.write(manyValues(300));
      await eventually(() => expect(each.count('HEADERS')).toBe(300));
    });
    const answers = attacker.fields().map((fields) => [valueOf(fields, ':status'), valueOf(fields, 'grpc-status')]);
    expect(answers).toEqual(answers.map(() => ['431', '8']));
    expect(grownMebi).toBeLessThan(150);
    expect(served.failures).toEqual([]);
  });

  it('metadata of as many values as there may be, of calls that go on, which counts as held', async () => {
    const { attacker, served, grownMebi } = await attack(async ({ wire, counts }, each) => {
      await each.write(mostValues(1000));
      await eventually(() => expect(counts.started).toBeGreaterThan(1000));
      expect(wire.bufferedOctets).toBeGreaterThan(7_000_000);
    });
    expect(attacker.count('HEADERS')).toBe(0);
    expect(grownMebi).toBeLessThan(150);
    attacker.stop();
    await eventually(() => expect(served.wire.bufferedOctets).toBe(0));
  });

  it('long metadata of calls that go on, of which there are as many as there is room for', async () => {
    const { attacker, served } = await attack(
      async ({ wire }, each) => {
        await each.write(longMetadata(300));
        await eventually(() => expect(each.count('HEADERS')).toBeGreaterThan(0));
        expect(wire.bufferedOctets).toBeLessThan(3 * mebi);
      },
      { limits: { maxBuffered: 2 * mebi } },
    );
    const statuses = attacker.fields().map((fields) => valueOf(fields, 'grpc-status'));
    expect(statuses).toEqual(statuses.map(() => '8'));
    expect(statuses.length).toBeGreaterThan(100);
    attacker.stop();
    await eventually(() => expect(served.wire.bufferedOctets).toBe(0));
  });
});

describe('requests that nobody ends', () => {
  it('whole messages of calls that go on count as held', async () => {
    const { served } = await attack(async ({ wire }, each) => {
      for (let at = 0; at < 40; at++)
        await each.write(callHeaders(2 * at + 1, 'Unary'), message(2 * at + 1, Buffer.alloc(100_000), false));
      await eventually(() => expect(wire.bufferedOctets).toBeGreaterThanOrEqual(4_000_000));
    });
    expect(served.failures).toEqual([]);
  });

  it('messages of an octet or none, for a handler that does not read', async () => {
    const never = { upload: () => new Promise(() => undefined) };
    const small = many(500, () => message(1, Buffer.alloc(1), false));
    const { grownMebi, served } = await attack(
      async ({ wire }, each) => {
        for (let at = 0; at < 100; at++) {
          const streamId = 2 * at + 1;
          await each.write(callHeaders(streamId, 'Upload'));
          const own = Buffer.from(small);
          for (let place = 0; place < own.length; place += 15) own.writeUInt32BE(streamId, place + 5);
          // What still comes for those that are refused is less than they were allowed.
          await each.flood(() => own, 15);
        }
        expect(wire.bufferedOctets).toBeGreaterThan(20 * mebi);
      },
      { limits: { maxBuffered: 32 * mebi } },
      never,
    );
    expect(grownMebi).toBeLessThan(300);
    expect(served.failures).toEqual([]);
  });

  it('small messages that come with much else, for a handler that does not read', async () => {
    const handlers = {
      upload: () => new Promise(() => undefined),
      chat: (call: { resume: () => void }) => call.resume(),
    };
    const { grownMebi, served } = await attack(
      async ({ wire }, each) => {
        await each.write(callHeaders(1, 'Chat'), callHeaders(3, 'Upload'));
        const junk = many(3, () => message(1, Buffer.alloc(16_000), false));
        for (let at = 0; at < 6000; at++) await each.write(message(3, Buffer.alloc(1), false), junk);
        await eventually(() => expect(wire.bufferedOctets).toBeGreaterThan(6000));
      },
      {},
      handlers,
    );
    expect(grownMebi).toBeLessThan(150);
    expect(served.failures).toEqual([]);
  });

  it('a hundred thousand messages that waited for their handler are read without delay', async () => {
    const { promise, resolve: go } = Promise.withResolvers<undefined>();
    const upload = async (call: AsyncIterable<Buffer>, send: (error: null, value: Buffer) => void): Promise<void> => {
      await promise;
      let count = 0;
      for await (const octets of call) count += octets.length;
      send(null, Buffer.from(String(count)));
    };
    const messages = Buffer.alloc(16_380, Buffer.from([0, 0, 0, 0, 1, 0x61]));
    let tookMs = 0;
    await attack(
      async ({ wire }, each) => {
        await each.write(callHeaders(1, 'Upload'));
        await each.flood((at) => data(1, messages, at === 39 ? flags.END_STREAM : 0), 40);
        await eventually(() => expect(wire.bufferedOctets).toBeGreaterThan(100_000));
        const began = performance.now();
        go(undefined);
        await eventually(() => expect(each.count('DATA')).toBe(1));
        tookMs = performance.now() - began;
        expect(
          each
            .frames()
            .find(({ type }) => type === 'DATA')
            ?.payload.toString('latin1', 5),
        ).toBe('109200');
      },
      {},
      { upload },
    );
    expect(tookMs).toBeLessThan(15_000);
  });

  it('compressed messages, for a handler that does not read and where there is no room', async () => {
    const never = { upload: () => new Promise(() => undefined) };
    const zipped = gzipSync(Buffer.alloc(4 * mebi));
    const { served, attacker } = await attack(
      async (_served, each) => {
        for (let at = 0; at < 10; at++)
          await each.write(
            callHeaders(2 * at + 1, 'Upload', { 'grpc-encoding': 'gzip' }),
            message(2 * at + 1, zipped, false, true),
            message(2 * at + 1, zipped, false, true),
            message(2 * at + 1, zipped, false, true),
          );
        await eventually(() => expect(each.count('RST_STREAM')).toBeGreaterThan(5));
      },
      { limits: { maxBuffered: 16 * mebi } },
      never,
    );
    expect([attacker.goaway(), served.failures]).toEqual([undefined, []]);
  });
});
