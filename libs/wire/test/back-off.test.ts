import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { expect, it } from 'vitest';
import type { CallStatus } from '../src/client/call-status.ts';
import { WireChannel } from '../src/client/wire-channel.ts';

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

it.each([
  [0, [80, 128, 160]],
  [0.25, [90, 144, 180]],
  [0.5, [100, 160, 200]],
  [1, [120, 192, 240]],
])('what a client waits before it connects again is a fifth more or less, by chance (%d)', async (uniform, waits) => {
  const clock = new FakeClock();
  const options = { clock, random: { uniform: () => uniform }, backoff: { firstMs: 100, mostMs: 200 } };
  const channel = new WireChannel(`127.0.0.1:${await closedPort()}`, options);
  /** A call, and how it ended: at once, where the channel waits. */
  const call = () => {
    const ended = Promise.withResolvers<CallStatus>();
    const seen = { atOnce: false, ended: ended.promise };
    channel.call(
      '/a.B/C',
      { deadlineAt: Infinity },
      {
        message: () => undefined,
        ended: (status) => {
          seen.atOnce = true;
          ended.resolve(status);
        },
      },
    );
    return seen;
  };
  await call().ended;
  for (const ms of waits) {
    clock.advance(ms - 1);
    expect(call().atOnce).toBe(true);
    clock.advance(1);
    const tried = call();
    expect(tried.atOnce).toBe(false);
    expect(await tried.ended).toMatchObject({ code: 14, origin: 'unsent' });
  }
  channel.close();
});
