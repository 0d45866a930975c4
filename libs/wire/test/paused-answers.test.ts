import { createServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallStatus } from '../src/client/call-status.ts';
import { WireChannel } from '../src/client/wire-channel.ts';
import { Bystander } from './attacker.ts';
import { cleanUp, later, serve } from './interop/echo.ts';
import { systemClock } from './peers.ts';

afterEach(cleanUp);

const streamWindow = 65_536;
const prefixed = (octets: Buffer, compressed: boolean): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(octets.length, 1);
  return Buffer.concat([prefix, octets]);
};

/** A call of which a server answers as many of these messages as it is allowed, up to 500; it begins paused. */
async function paused(message: Buffer, ms = 20_000) {
  let sent = 0;
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const next = (): void => {
      if (sent === 500) stream.end();
      else
        stream.write(message, () => {
          sent++;
          next();
        });
    };
    next();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const channel = new WireChannel(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
    ...{ clock: systemClock, random: { uniform: () => 0.5 }, limits: { streamWindow } },
  });
  later(() => {
    channel.close();
    server.close();
  });
  const got: number[] = [];
  let onMessage: () => void = () => undefined;
  let status: CallStatus | undefined;
  const call = channel.call(
    '/a.B/C',
    { deadlineAt: systemClock.monotonic() + ms },
    {
      message: (octets) => {
        got.push(octets.length);
        onMessage();
      },
      ended: (ended) => (status = ended),
    },
  );
  call.pause();
  call.writeLast(Buffer.of(1));
  const most = Math.floor(streamWindow / message.length);
  // Those that the window has room for have left the server, but for what its socket takes.
  await eventually(() => expect(sent).toBeGreaterThanOrEqual(most - 1));
  return { call, got, most, sent: () => sent, status: () => status, onMessage: (act: () => void) => (onMessage = act) };
}

describe.each([
  ['large', gzipSync(Buffer.alloc(2_000_000))],
  ['small', gzipSync(Buffer.alloc(100_000), { level: 9 })],
])('%s messages of a call that is paused, which are inflated to a thousand times as much', (_size, zipped) => {
  const message = prefixed(zipped, true);

  it('stay as they came, and no more of them come than the window has room for', async () => {
    const { served, bystander } = await beside();
    const { call, got, most, sent, status, onMessage } = await paused(message);
    const before = process.memoryUsage().rss;
    await eventually(() => expect(bystander.calls).toBeGreaterThan(10));
    expect([got, status()]).toEqual([[], undefined]);
    expect(sent()).toBeLessThan(2 * most + 20);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    // One by one where it is paused again by each.
    onMessage(() => call.pause());
    for (let count = 1; count <= 3; count++) {
      call.resume();
      await eventually(() => expect(got).toHaveLength(count));
    }
    call.cancel();
    await bystander.stop();
    expect([bystander.errors, served.failures, status()?.code]).toEqual([[], [], 1]);
  });
});

it('messages that wait are forgotten at the deadline of their call', async () => {
  const { got, status } = await paused(prefixed(gzipSync(Buffer.alloc(2_000_000)), true), 3_000);
  await eventually(() => expect(status()?.code).toBe(4));
  expect(got).toEqual([]);
});

it('messages that are inflated more slowly than they come wait with the server', async () => {
  const { call, got, most, sent, onMessage } = await paused(prefixed(gzipSync(Buffer.alloc(1_100_000)), true));
  const ahead: number[] = [];
  onMessage(() => ahead.push(sent() - got.length));
  call.resume();
  await eventually(() => expect(got.length).toBeGreaterThan(60));
  call.cancel();
  // What the window has room for, and what the server's socket takes.
  expect(Math.max(...ahead)).toBeLessThan(2 * most + 20);
});

it('messages of a call that was paused come all when it is resumed, in their order and before its status', async () => {
  const [one, two] = [gzipSync(Buffer.alloc(3000)), Buffer.alloc(700)];
  const { call, got, status, sent } = await paused(Buffer.concat([prefixed(one, true), prefixed(two, false)]));
  expect(got).toEqual([]);
  call.resume();
  await eventually(() => expect(status()).toMatchObject({ code: 0, origin: 'answered' }));
  expect(got).toEqual(Array.from({ length: 1000 }, (_, at) => (at % 2 === 0 ? 3000 : 700)));
  expect(sent()).toBe(500);
});

async function beside() {
  const served = await serve();
  return { served, bystander: new Bystander(served.address) };
}
