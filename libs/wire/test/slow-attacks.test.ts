import { eventually } from '@sluice/testkit/eventually';
import { afterAll, describe, expect, it } from 'vitest';
import { clientPreface, frameTypes } from '../src/http2/frame-types.ts';

import type { ConnectionLimits } from '../src/http2/limits.ts';
import { Attacker, Bystander, callBlock, callHeaders, message } from './attacker.ts';
import { data, describe as told, frame, hello, settings, windowUpdate } from './frames.ts';
import { cleanUp, serve, sleep } from './interop/echo.ts';
import type { Served } from './interop/echo.ts';

// These wait for times that pass, beside each other; what they leave ends with the last.
afterAll(cleanUp);

/** A second and a half of what is minutes by default: the server looks at the times every second. */
const short: Partial<ConnectionLimits> = {
  ...{ settingsTimeoutMs: 1500, headersTimeoutMs: 1500, writeTimeoutMs: 1500, windowTimeoutMs: 1500 },
  messageTimeoutMs: 1500,
};

async function attack(
  act: (served: Served) => Promise<unknown>,
  limits: Partial<ConnectionLimits> = short,
): Promise<Served> {
  const served = await serve({ limits });
  const bystander = new Bystander(served.address);
  await act(served);
  await eventually(() => expect(bystander.calls).toBeGreaterThan(10));
  await bystander.stop();
  expect(bystander.errors).toEqual([]);
  return served;
}

/** The connection ends by itself, with that code, and its server says so once. */
async function endsWith(
  code: string,
  act: (attacker: Attacker) => Promise<unknown>,
  { greets = true, limits = short }: { greets?: boolean; limits?: Partial<ConnectionLimits> } = {},
): Promise<void> {
  const served = await attack(async ({ port }) => {
    const attacker = await Attacker.connect(port, greets);
    await act(attacker);
    await attacker.closed;
    expect(attacker.goaway()).toBe(code);
  }, limits);
  expect(served.failures).toHaveLength(1);
}

describe.concurrent('octet by octet', () => {
  it('nothing at all', () => endsWith('SETTINGS_TIMEOUT', async () => undefined, { greets: false }));

  it('the preface', () => endsWith('SETTINGS_TIMEOUT', (each) => each.drip(clientPreface, 200), { greets: false }));

  it('the preface, and SETTINGS that are never acknowledged', () =>
    endsWith('SETTINGS_TIMEOUT', (each) => each.write(hello()), { greets: false }));

  it('a HEADERS frame', () => endsWith('ENHANCE_YOUR_CALM', (each) => each.drip(callHeaders(1, 'Unary'), 100)));

  it('a header block in CONTINUATION frames', () =>
    endsWith('ENHANCE_YOUR_CALM', async (each) => {
      const block = callBlock('Unary');
      await each.write(frame(frameTypes.HEADERS, 0, 1, block.subarray(0, 10)));
      await each.drip(frame(frameTypes.CONTINUATION, 0, 1, block.subarray(10)), 100);
    }));

  it('a SETTINGS frame', () =>
    endsWith('ENHANCE_YOUR_CALM', (each) => each.drip(settings('0003 00000064'.repeat(10)), 100)));

  it('a message, until its deadline', async () => {
    const served = await attack(async ({ port, wire }) => {
      const attacker = await Attacker.connect(port);
      await attacker.write(callHeaders(1, 'Unary', { 'grpc-timeout': '1500m' }), data(1, '00 00 10 00 00'));
      await eventually(async () => {
        await attacker.write(data(1, '61'));
        expect(attacker.frames().map(told)).toContain('HEADERS 1 END');
      });
      expect(wire.bufferedOctets).toBeLessThan(100_000);
    });
    expect([served.failures, served.counts.started]).toMatchObject([[], expect.any(Number)]);
  });

  it.each([
    ['a message', data(1, '00 00 10 00 00'), data(1, '61')],
    ['nothing of its request', Buffer.alloc(0), Buffer.alloc(0)],
  ])('%s, without a deadline', async (_what, first, drop) => {
    const served = await attack(async ({ port, wire }) => {
      const attacker = await Attacker.connect(port);
      await attacker.write(callHeaders(1, 'Unary'), first);
      await eventually(async () => {
        await attacker.write(drop);
        expect(attacker.frames().map(told)).toContain('HEADERS 1 END');
      });
      expect(attacker.fields().at(-1)).toEqual(expect.arrayContaining(['grpc-status', '4']));
      expect(wire.bufferedOctets).toBeLessThan(100_000);
    });
    expect(served.failures).toEqual([]);
  });
});

describe.concurrent('who is not there', () => {
  it('does not answer to pings', () =>
    endsWith('NO_ERROR', (each) => each.write(callHeaders(1, 'Chat')), {
      limits: { ...short, keepaliveMs: 500, keepaliveTimeoutMs: 1000 },
    }));

  it('has no streams and says nothing', async () => {
    const served = await attack(
      async ({ port }) => {
        const attacker = await Attacker.connect(port);
        await attacker.closed;
        expect(attacker.goaway()).toBe('NO_ERROR');
      },
      { ...short, idleTimeoutMs: 1000 },
    );
    expect(served.failures).toEqual([]);
  });

  it('has no streams and is not pinged where that is not wanted', async () => {
    const served = await attack(
      async ({ port }) => {
        const [idle, busy] = await Promise.all([Attacker.connect(port), Attacker.connect(port)]);
        await busy.write(callHeaders(1, 'Chat'));
        await busy.closed;
        expect([busy.count('PING'), idle.count('PING'), idle.over]).toEqual([1, 0, false]);
      },
      { ...short, keepaliveIdle: false, keepaliveMs: 500, keepaliveTimeoutMs: 500 },
    );
    expect(served.failures).toEqual(['no answer to a ping within 500 ms']);
  });

  it('sends FIN with calls under way', async () => {
    const served = await attack(async ({ port, wire, counts }) => {
      const attacker = await Attacker.connect(port);
      await attacker.write(callHeaders(1, 'Unary', { 'x-wait-ms': '60000' }), message(1, Buffer.alloc(10), true));
      attacker.halfClose();
      await attacker.closed;
      await eventually(() => expect([wire.connections, counts.cancelled]).toEqual([1, 1]));
    });
    expect(served.failures).toHaveLength(1);
  });

  it('sends FIN and does not read what it has asked for: its socket is gone soon, and is not in the way of a stop', async () => {
    const served = await attack(async ({ port, wire }) => {
      const attacker = await Attacker.connect(port);
      attacker.stopReading();
      await attacker.write(settings('0004 7fffffff 0005 00ffffff'), windowUpdate(0, 0x7f00_0000));
      for (let at = 0; at < 20; at++)
        await attacker.write(callHeaders(2 * at + 1, 'Unary'), message(2 * at + 1, Buffer.alloc(600_000), true));
      await eventually(() => expect(wire.sockets).toBe(2));
      attacker.halfClose();
      await eventually(() => expect([wire.connections, wire.sockets]).toEqual([1, 1]));
    });
    expect(served.failures).toHaveLength(1);
    const attacker = await Attacker.connect(served.port);
    attacker.stopReading();
    await attacker.write(settings('0004 7fffffff 0005 00ffffff'), windowUpdate(0, 0x7f00_0000));
    for (let at = 0; at < 20; at++)
      await attacker.write(callHeaders(2 * at + 1, 'Unary'), message(2 * at + 1, Buffer.alloc(600_000), true));
    served.wire.close();
    await served.wire.stop();
    expect(served.wire.sockets).toBe(0);
  });
});

describe.concurrent('who does not read', () => {
  it('or slowly, but all the time, is not cut, whatever the size of its frames', async () => {
    const served = await serve(
      { limits: { ...short, writeTimeoutMs: 3_000 } },
      { unary: (_call: unknown, send: (error: null, answer: Buffer) => void) => send(null, Buffer.alloc(40_000_000)) },
    );
    const attacker = await Attacker.connect(served.port, true, false);
    await attacker.write(settings('0004 7fffffff 0005 00ffffff'), windowUpdate(0, 0x7fff_0000 - 65_535));
    await attacker.write(callHeaders(1, 'Unary'), message(1, Buffer.alloc(3), true));
    // Four megabytes a second, for as long as nothing may be read and longer.
    expect(await attacker.readSlowly(80_000, 20, 20_000_000)).toBeGreaterThanOrEqual(20_000_000);
    expect(served.failures).toEqual([]);
  });

  it('opens no window: its streams end, one by one', async () => {
    const served = await attack(async ({ port, counts }) => {
      const attacker = await Attacker.connect(port);
      await attacker.write(settings('0004 00000000'));
      for (let at = 0; at < 500; at++)
        await attacker.write(
          callHeaders(2 * at + 1, 'Download', { 'x-count': '100' }),
          message(2 * at + 1, Buffer.alloc(10_000), true),
        );
      await eventually(() => expect(attacker.count('RST_STREAM')).toBe(500));
      expect(counts.cancelled).toBe(500);
      expect(attacker.goaway()).toBeUndefined();
    });
    expect(served.failures).toEqual([]);
  });

  it('opens the windows of its streams and not that of the connection', async () => {
    await attack(async ({ port, counts }) => {
      const attacker = await Attacker.connect(port);
      await attacker.write(settings('0004 7fffffff'));
      for (let at = 0; at < 20; at++)
        await attacker.write(
          callHeaders(2 * at + 1, 'Download', { 'x-count': '100' }),
          message(2 * at + 1, Buffer.alloc(10_000), true),
        );
      await eventually(() => expect(attacker.count('RST_STREAM')).toBe(20));
      expect(counts.cancelled).toBe(20);
    });
  });

  it('opens all windows and leaves the socket full', async () => {
    let wire: Served['wire'] | undefined;
    const before = process.memoryUsage().rss;
    const served = await attack(async (each) => {
      wire = each.wire;
      const attacker = await Attacker.connect(each.port);
      attacker.stopReading();
      await attacker.write(settings('0004 7fffffff'), windowUpdate(0, 0x7fff_0000 - 65_535));
      for (let at = 0; at < 100; at++)
        await attacker.write(
          callHeaders(2 * at + 1, 'Download', { 'x-count': '100000' }),
          message(2 * at + 1, Buffer.alloc(100_000), true),
        );
      await eventually(() => expect(each.failures).toHaveLength(1));
      expect(each.counts.cancelled).toBe(100);
    });
    expect(served.failures[0]).toMatch(/nothing was read/);
    expect((process.memoryUsage().rss - before) / 1024 ** 2).toBeLessThan(400);
    // Nothing of it is left that would keep a server that stops.
    await Promise.race([wire!.stop(), sleep(5000).then(() => Promise.reject(new Error('a socket is left')))]);
  });
});
