import { eventually } from '@sluice/testkit/eventually';
import { expect } from 'vitest';
import type { WireServer, WireServerOptions } from '../src/server/wire-server.ts';
import { Attacker, Bystander } from './attacker.ts';
import { serve } from './interop/echo.ts';
import type { Served } from './interop/echo.ts';

const mebi = 1024 * 1024;

/** Under attack: the server, and who attacks. An honest client calls beside it from before to behind it. */
export async function attack(
  act: (served: Served, attacker: Attacker) => Promise<unknown>,
  options: Partial<WireServerOptions> = {},
  handlers: object = {},
  prepare?: (wire: WireServer) => void,
) {
  const served = await serve(options, handlers, prepare);
  const bystander = new Bystander(served.address);
  await eventually(() => expect(bystander.calls).toBeGreaterThan(1));
  const before = process.memoryUsage().rss;
  const attacker = await Attacker.connect(served.port);
  await act(served, attacker);
  const calls = bystander.calls;
  await eventually(() => expect(bystander.calls).toBeGreaterThan(calls + 2));
  await bystander.stop();
  expect(bystander.errors).toEqual([]);
  return { served, attacker, grownMebi: (process.memoryUsage().rss - before) / mebi };
}
